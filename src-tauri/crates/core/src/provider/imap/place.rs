//! Where something is: a message by folder, UIDVALIDITY and UID, a place in a folder's stream of new messages, and
//! sets of UIDs. Folders are names on the wire.

use crate::Millis;
use crate::diagnosis::Evidence;
use crate::provider::{Cursor, ProviderError};
use std::collections::BTreeSet;

/// Begins the cursor of a first round.
const ROUND: &str = "since";

/// A message. Numbers mean something within their folder only (RFC 3501 §2.3.1.1), and two folders may well have the
/// same UIDVALIDITY, so the folder belongs to the name of a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MessageId {
    pub(super) folder: String,
    pub(super) validity: u32,
    pub(super) uid: u32,
}

impl MessageId {
    /// Reads `UIDVALIDITY.UID.folder`; without a folder it is `own`.
    pub(super) fn parse(text: &str, own: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        Some(Self {
            validity: parts.next()?.parse().ok()?,
            uid: parts.next()?.parse().ok()?,
            folder: parts.next().unwrap_or(own).to_owned(),
        })
    }
}

/// The server's id of a message, as everybody else keeps it.
pub(super) fn server_id(validity: u32, uid: u32, folder: &str) -> String {
    format!("{validity}.{uid}.{folder}")
}

/// A place in a folder's stream of new messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The folder; nothing means the mailbox's own.
    pub(super) folder: Option<String>,
    pub(super) point: Point,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// A first round of messages received since an instant; once begun, with UIDVALIDITY and the last UID read.
    Round {
        since: Millis,
        last: Option<(u32, u32)>,
    },
    /// Behind this UID of this UIDVALIDITY.
    After(u32, u32),
}

impl Place {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (point, folder) = match text.split_once('@') {
            Some((point, folder)) => (point, Some(folder.to_owned())),
            None => (text, None),
        };
        let mut parts = point.split(':');
        let first = parts.next()?;
        let point = if first == ROUND {
            let since = parts.next()?.parse().ok()?;
            let last = match parts.next() {
                None => None,
                Some(validity) => Some((validity.parse().ok()?, parts.next()?.parse().ok()?)),
            };
            Point::Round { since, last }
        } else {
            Point::After(first.parse().ok()?, parts.next()?.parse().ok()?)
        };
        parts.next().is_none().then_some(Self { folder, point })
    }

    pub(super) fn cursor(&self) -> Cursor {
        let point = match self.point {
            Point::Round { since, last: None } => format!("{ROUND}:{since}"),
            Point::Round {
                since,
                last: Some((validity, uid)),
            } => format!("{ROUND}:{since}:{validity}:{uid}"),
            Point::After(validity, uid) => format!("{validity}:{uid}"),
        };
        Cursor(match &self.folder {
            Some(folder) => format!("{point}@{folder}"),
            None => point,
        })
    }
}

/// The message is not there.
pub(super) fn gone() -> ProviderError {
    ProviderError::NotFound(Evidence::default())
}

/// The folder was made anew: its numbers mean nothing any more.
pub(super) fn renumbered(was: u32, is: u32) -> ProviderError {
    let text = format!("UIDVALIDITY changed from {was} to {is}.");
    ProviderError::CursorExpired(Evidence::of(Some("UIDVALIDITY changed"), None, &text, &[]))
}

/// UIDs as a set (RFC 3501 §9, sequence-set), neighbours as ranges.
pub(super) fn uid_set(uids: &[u32]) -> String {
    let sorted: BTreeSet<u32> = uids.iter().copied().collect();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in sorted {
        match ranges.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(uid) => *end = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    let parts: Vec<String> = ranges
        .into_iter()
        .map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}:{last}"),
        })
        .collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_from_their_text() {
        for text in [
            "since:1700000000000",
            "since:17:3:9",
            "1700000000:42",
            "1700000000:42@INBOX/Support @ night",
            "since:17@a:b",
        ] {
            assert_eq!(Place::parse(text).unwrap().cursor().0, text);
        }
        for text in ["", "since", "since:x", "1", "1:2:3", "a:b", "since:1:2:3:4"] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ids_bear_the_folder_and_its_generation() {
        let id = MessageId {
            folder: "INBOX.Support".to_owned(),
            validity: 1_700_000_000,
            uid: 7,
        };
        let text = server_id(1_700_000_000, 7, "INBOX.Support");
        assert_eq!(MessageId::parse(&text, "INBOX"), Some(id));
        let own = MessageId::parse("1.7", "INBOX").unwrap();
        assert_eq!(own.folder, "INBOX");
        for text in ["", "7", "7.", ".7", "7.x", "7.-1", "7.4294967296"] {
            assert_eq!(MessageId::parse(text, "INBOX"), None, "{text}");
        }
    }

    #[test]
    fn neighbours_become_ranges() {
        assert_eq!(uid_set(&[5, 3, 4, 9, 4294967295]), "3:5,9,4294967295");
    }
}
