//! How much of a server's answers is kept in memory, for one command. All sums together stay below 64 MiB, whatever
//! the server sends.

use super::wire::WireError;

/// The longest message that is read, in bytes. Exchange Online's own limit is 35 MB unless an administrator raises it.
pub(super) const MESSAGE_LIMIT: usize = 48 << 20;
/// A literal beyond this is not even passed by: the line is closed.
const PASSED_BY: usize = 256 << 20;

/// Why a literal was passed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    /// It is longer than any that is read.
    TooLarge,
    /// There was no room left beside the others: asked for alone, it is read.
    NoRoom,
}

/// Room for the answers to one command, in bytes. What does not fit is refused or passed by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Left for everything but literals.
    lines: usize,
    /// The longest literal.
    literal: usize,
    /// Left for literals.
    literals: usize,
    kept: usize,
}

impl Room {
    /// For signing in, opening a folder and orders.
    pub(super) fn talk() -> Self {
        Self::new(1 << 20, 64 << 10, 1 << 20)
    }

    /// For lists of messages and folders: a search that finds a million messages fits.
    pub(super) fn listing() -> Self {
        Self::new(8 << 20, 128 << 10, 20 << 20)
    }

    /// For messages.
    pub(super) fn bodies() -> Self {
        Self::new(1 << 20, MESSAGE_LIMIT, 56 << 20)
    }

    fn new(lines: usize, literal: usize, literals: usize) -> Self {
        Self {
            lines,
            literal,
            literals,
            kept: 0,
        }
    }

    /// Takes room for a part of a line.
    pub(super) fn line(&mut self, bytes: usize) -> Result<(), WireError> {
        self.lines = self.lines.checked_sub(bytes).ok_or(WireError::TooLarge)?;
        self.kept += bytes;
        Ok(())
    }

    /// Takes room for a literal, or says why it is to be passed by.
    pub(super) fn keep(&mut self, bytes: usize) -> Result<Option<Dropped>, WireError> {
        if bytes > PASSED_BY {
            return Err(WireError::TooLarge);
        }
        if bytes > self.literal {
            return Ok(Some(Dropped::TooLarge));
        }
        let Some(left) = self.literals.checked_sub(bytes) else {
            return Ok(Some(Dropped::NoRoom));
        };
        self.literals = left;
        self.kept += bytes;
        Ok(None)
    }

    /// Bytes kept so far.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }
}
