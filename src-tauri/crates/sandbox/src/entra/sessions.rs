//! Browser sessions and half-finished sign-ins.

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Sessions;
