//! The mailboxes of the practice tenant.

/// All mailboxes.
#[derive(Debug, Default)]
pub(crate) struct Mailboxes;
