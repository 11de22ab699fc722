//! Which ticket a mail belongs to.

use super::ParsedMail;

/// Message-IDs to look for, nearest first: In-Reply-To, then References from right to left, then the mail
/// that a bounce returns.
pub fn parents(_mail: &ParsedMail) -> Vec<String> {
    todo!()
}
