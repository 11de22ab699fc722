//! The practice company: its directory and its mailboxes.

pub(crate) mod directory;
pub(crate) mod mailboxes;
