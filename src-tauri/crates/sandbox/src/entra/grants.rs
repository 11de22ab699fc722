//! Authorization codes, refresh tokens, and access tokens that were ended early.

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    /// Access tokens issued at or before this moment (milliseconds since 1970) count as expired.
    pub(crate) access_ended_ms: i64,
}
