//! One message: its raw MIME and what the server keeps beside it.

use std::sync::OnceLock;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::draft::Draft;
use super::ids::{self, FolderKey, IdKind, Key};
use super::summary::Summary;

/// A message in a mailbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Its number in the mailbox; stands behind the immutable id.
    pub(crate) key: Key,
    /// Its incarnation; a new one after each move. Stands behind the ordinary id.
    pub(crate) instance: u64,
    /// The folder it lies in.
    pub(crate) folder: FolderKey,
    /// The whole message as it travelled (RFC 5322).
    #[serde(skip)]
    pub(crate) raw: Bytes,
    /// When the server took it in.
    pub(crate) received: Timestamp,
    /// When it was put into this mailbox.
    pub(crate) created: Timestamp,
    /// When it last changed.
    pub(crate) modified: Timestamp,
    /// Whether it has been read.
    pub(crate) is_read: bool,
    /// Colour categories, in order.
    pub(crate) categories: Vec<String>,
    /// `notFlagged`, `flagged` or `complete`.
    pub(crate) flag: String,
    /// The number of its latest change; stands behind `changeKey`.
    pub(crate) change: u64,
    /// What a draft is made of; nothing for mail that was received or sent.
    pub(crate) draft: Option<Box<Draft>>,
    #[serde(skip)]
    summary: OnceLock<Box<Summary>>,
}

impl Message {
    /// A new message; the mailbox fills in the numbers.
    #[must_use]
    pub(crate) fn new(raw: Bytes, received: Timestamp) -> Self {
        Self {
            key: 0,
            instance: 0,
            folder: 0,
            raw,
            received,
            created: received,
            modified: received,
            is_read: false,
            categories: Vec::new(),
            flag: "notFlagged".to_owned(),
            change: 0,
            draft: None,
            summary: OnceLock::new(),
        }
    }

    /// What its headers and text say; parsed at the first question and kept.
    pub(crate) fn summary(&self) -> &Summary {
        self.summary
            .get_or_init(|| Box::new(Summary::of(&self.raw)))
    }

    /// Replaces the raw message, after a draft was edited.
    pub(crate) fn set_raw(&mut self, raw: Bytes) {
        self.raw = raw;
        self.summary = OnceLock::new();
    }

    /// Its id in the mailbox `guid`, of the kind asked for.
    #[must_use]
    pub(crate) fn id(&self, guid: Uuid, kind: IdKind) -> String {
        match kind {
            IdKind::Ordinary => ids::ordinary_id(guid, self.folder, self.instance),
            IdKind::Immutable => ids::immutable_id(guid, self.key),
        }
    }
}

/// The Message-ID of a raw message with its angle brackets, found without parsing the whole.
#[must_use]
pub(crate) fn message_id(raw: &[u8]) -> Option<String> {
    let value = header(raw, "message-id")?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// The first header field called `name` (lower case), unfolded; looks only at the head, at most 256 kB.
#[must_use]
pub(crate) fn header(raw: &[u8], name: &str) -> Option<String> {
    let head = &raw[..raw.len().min(256 * 1024)];
    let mut found: Option<Vec<u8>> = None;
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        if let Some(value) = found.as_mut() {
            if !folded {
                break;
            }
            value.push(b' ');
            value.extend_from_slice(line.trim_ascii());
        } else if !folded
            && line.len() > name.len()
            && line[name.len()] == b':'
            && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
        {
            found = Some(line[name.len() + 1..].trim_ascii().to_vec());
        }
    }
    found.map(|value| String::from_utf8_lossy(&value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_folded_message_id_and_nothing_in_the_body() {
        let raw = b"Subject: a\r\nMESSAGE-ID:\r\n <x@y.example>\r\n\r\nMessage-ID: <z@z>\r\n";
        assert_eq!(message_id(raw).as_deref(), Some("<x@y.example>"));
        assert_eq!(message_id(b"Subject: a\r\n\r\nMessage-ID: <z@z>\r\n"), None);
    }
}
