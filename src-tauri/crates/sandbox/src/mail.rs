//! The mail of the practice tenant: written by templates, or loaded from files.

pub(crate) mod mime;
