//! Keeps the mailboxes over a restart: one file, replaced as a whole.
//!
//! Layout: a first line that names the format, the length of the JSON part in decimal, the JSON part
//! (folders and what is kept beside messages), then all raw messages one after the other.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::folder::Folder;
use super::ids::mailbox_guid;
use super::message::{Message, message_id};
use super::{Counters, Mailbox, Mailboxes};

const FORMAT: &str = "mailroom-sandbox mailboxes 1";

#[derive(Serialize, Deserialize)]
struct StoredMailbox {
    address: String,
    counters: Counters,
    folders: Vec<Folder>,
    messages: Vec<StoredMessage>,
    #[serde(default)]
    rules: Vec<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct StoredMessage {
    size: usize,
    #[serde(flatten)]
    message: Message,
}

/// A snapshot in memory, ready to be written without holding anybody up.
#[derive(Debug)]
pub(crate) struct Snapshot {
    json: Vec<u8>,
    raws: Vec<Bytes>,
}

/// Why a snapshot was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It was not written by this program or is cut off.
    #[error("not a snapshot of mailboxes, or cut off")]
    Damaged,
    /// The JSON part does not fit.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

impl Snapshot {
    /// Takes a snapshot of all mailboxes.
    ///
    /// # Errors
    /// [`SnapshotError::Json`], which would be a fault of this program.
    pub(crate) fn of(all: &Mailboxes) -> Result<Self, SnapshotError> {
        let mut raws = Vec::new();
        let mut stored = Vec::new();
        for mailbox in all.iter() {
            let mut messages = Vec::with_capacity(mailbox.len());
            for (_, key) in mailbox.by_time() {
                if let Some(message) = mailbox.message(*key) {
                    raws.push(message.raw.clone());
                    messages.push(StoredMessage {
                        size: message.raw.len(),
                        message: message.clone(),
                    });
                }
            }
            stored.push(StoredMailbox {
                address: mailbox.address.clone(),
                counters: mailbox.counters.clone(),
                folders: mailbox.folders.values().cloned().collect(),
                messages,
                rules: mailbox.rules.clone(),
            });
        }
        Ok(Self {
            json: serde_json::to_vec(&stored)?,
            raws,
        })
    }

    /// Writes it beside `path` and puts it in that file's place.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        let draft = path.with_extension("new");
        let mut file = std::io::BufWriter::new(std::fs::File::create(&draft)?);
        write!(file, "{FORMAT}\n{}\n", self.json.len())?;
        file.write_all(&self.json)?;
        for raw in &self.raws {
            file.write_all(raw)?;
        }
        file.into_inner()
            .map_err(std::io::IntoInnerError::into_error)?
            .sync_all()?;
        std::fs::rename(draft, path)
    }
}

/// Reads the mailboxes back.
///
/// # Errors
/// [`SnapshotError`] when the file is missing, foreign or cut off.
pub(crate) fn read(path: &Path) -> Result<Mailboxes, SnapshotError> {
    let whole = Bytes::from(std::fs::read(path)?);
    let mut lines = whole.splitn(3, |byte| *byte == b'\n');
    let format = lines.next().unwrap_or_default();
    let length = lines
        .next()
        .and_then(|line| std::str::from_utf8(line).ok()?.parse::<usize>().ok());
    let (Some(length), true) = (length, format == FORMAT.as_bytes()) else {
        return Err(SnapshotError::Damaged);
    };
    let start = whole.len() - lines.next().unwrap_or_default().len();
    let json = whole
        .get(start..start.saturating_add(length))
        .ok_or(SnapshotError::Damaged)?;
    let stored: Vec<StoredMailbox> = serde_json::from_slice(json)?;
    let mut at = start + length;
    let mut all = Mailboxes::default();
    for stored in stored {
        let mut mailbox = Mailbox {
            guid: mailbox_guid(&stored.address),
            address: stored.address,
            folders: stored
                .folders
                .into_iter()
                .map(|folder| (folder.key, folder))
                .collect(),
            messages: HashMap::new(),
            instances: HashMap::new(),
            by_time: BTreeSet::new(),
            by_message_id: HashMap::new(),
            rules: stored.rules,
            counters: stored.counters,
        };
        for StoredMessage { size, mut message } in stored.messages {
            if whole.len() < at.saturating_add(size) {
                return Err(SnapshotError::Damaged);
            }
            message.set_raw(whole.slice(at..at + size));
            at += size;
            if let Some(folder) = mailbox.folders.get_mut(&message.folder) {
                folder.by_time.insert((message.received, message.key));
            }
            if let Some(id) = message_id(&message.raw) {
                mailbox
                    .by_message_id
                    .entry(id)
                    .or_default()
                    .insert(message.key);
            }
            mailbox.by_time.insert((message.received, message.key));
            mailbox.instances.insert(message.instance, message.key);
            mailbox.messages.insert(message.key, message);
        }
        all.boxes.insert(mailbox.address.clone(), mailbox);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::tenant::mailboxes::ids::IdKind;

    #[test]
    fn mailboxes_and_delta_tokens_survive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mailboxes.snapshot");
        let mut all = Mailboxes::default();
        let mailbox = all.open("Support@contoso.example");
        let inbox = mailbox.well_known("inbox");
        let key = mailbox.receive(
            &b"Message-ID: <a@x.example>\r\n\r\nHi\r\n"[..],
            Timestamp::UNIX_EPOCH,
        );
        mailbox.receive(
            &b"Message-ID: <b@x.example>\r\n\r\nHo\r\n"[..],
            Timestamp::UNIX_EPOCH,
        );
        let round = mailbox.first_round(inbox, None);
        mailbox.change(key, Timestamp::UNIX_EPOCH, |m| {
            m.categories.push("Blue".into())
        });
        Snapshot::of(&all).unwrap().write(&path).unwrap();

        let back = read(&path).unwrap();
        let (old, new) = (
            all.get("support@contoso.example").unwrap(),
            back.get("support@contoso.example").unwrap(),
        );
        let (a, b) = (old.message(key).unwrap(), new.message(key).unwrap());
        assert_eq!(
            (&a.raw, &a.categories, a.change),
            (&b.raw, &b.categories, b.change)
        );
        assert_eq!(
            a.id(old.guid, IdKind::Ordinary),
            b.id(new.guid, IdKind::Ordinary)
        );
        assert_eq!(new.with_message_id("<b@x.example>").count(), 1);
        let pages = [old, new].map(|m| {
            m.delta_page(&round, 9, IdKind::Immutable, |_| true)
                .unwrap()
                .next
        });
        assert_eq!(pages[0], pages[1]);
    }

    #[test]
    fn a_cut_off_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut all = Mailboxes::default();
        all.open("a@contoso.example")
            .receive(&b"\r\nHello\r\n"[..], Timestamp::UNIX_EPOCH);
        Snapshot::of(&all).unwrap().write(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 10, 40, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(read(&path).is_err(), "{length}");
        }
    }
}
