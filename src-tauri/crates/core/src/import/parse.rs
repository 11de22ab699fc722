//! Bytes to [`ParsedMail`], with mail-parser behind caps.

use super::ParsedMail;

/// Reads a mail. Never fails: what cannot be read is said in `damage`.
pub fn parse(_raw: &[u8]) -> ParsedMail {
    todo!()
}

/// The decoded bytes of an attachment, by [`super::Attachment::part`].
pub fn attachment(_raw: &[u8], _part: u32) -> Option<Vec<u8>> {
    todo!()
}
