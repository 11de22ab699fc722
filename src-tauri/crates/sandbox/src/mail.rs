//! The mails of the practice tenant.
