//! How long a server may take.

use std::time::Duration;

/// How long a server may take. A server that keeps to none of these times is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection to be made.
    pub connect: Duration,
    /// Without a word, and for everything from the connection to the end of the sign-in.
    pub silence: Duration,
    /// For a sign of life of a session that rested.
    pub sign_of_life: Duration,
    /// For a listing, and for a search through a large folder.
    pub listing: Duration,
    /// For a group of messages, however large.
    pub bodies: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(25),
            sign_of_life: Duration::from_secs(4),
            listing: Duration::from_secs(3 * 60),
            bodies: Duration::from_secs(20 * 60),
        }
    }
}
