//! The mailboxes of the practice tenant: folders, messages and what changed when.
//!
//! Reading order: [`Mailbox`] here, then `folder` (what lies where), `message` and `summary` (what a
//! mail says), `delta` (what changed since), `delivery` (how mail gets from one mailbox to another),
//! `snapshot` (how all of it survives a restart).

pub(crate) mod delivery;
pub(crate) mod delta;
pub(crate) mod draft;
pub(crate) mod folder;
pub(crate) mod ids;
pub(crate) mod message;
pub(crate) mod snapshot;
pub(crate) mod summary;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use folder::{Folder, Removal, WELL_KNOWN};
use ids::{FolderKey, ItemName, Key};
use message::Message;

use crate::world::Mutex;

/// All mailboxes, by primary address in lower case.
#[derive(Debug, Default)]
pub(crate) struct Mailboxes {
    boxes: BTreeMap<String, Mailbox>,
    /// Graph requests being worked on, by mailbox.
    pub(crate) in_flight: HashMap<String, u32>,
    /// Graph requests so far; the scenario `throttled` counts with it.
    pub(crate) requests: u64,
    /// How often each delta token was used, in the scenario `delta-expired`.
    pub(crate) delta_rounds: u64,
    /// Mail that left the tenant, newest last.
    pub(crate) sent_out: Vec<delivery::SentOut>,
    /// The number of changes when the last snapshot was written; its lock is held while writing.
    pub(crate) written: Arc<Mutex<Option<u64>>>,
    changes: u64,
}

/// One mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// Its primary address in lower case.
    pub(crate) address: String,
    /// The GUID in its ids.
    pub(crate) guid: Uuid,
    folders: BTreeMap<FolderKey, Folder>,
    messages: HashMap<Key, Message>,
    instances: HashMap<u64, Key>,
    by_time: BTreeSet<(Timestamp, Key)>,
    by_message_id: HashMap<String, BTreeSet<Key>>,
    /// Inbox rules beside the one that every mailbox has, as Graph tells of them. They are shown, not applied.
    pub(crate) rules: Vec<serde_json::Value>,
    counters: Counters,
}

/// The running numbers of a mailbox.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Counters {
    folder: FolderKey,
    key: Key,
    instance: u64,
    /// The number of the latest event.
    event: u64,
    /// Delta tokens of an earlier generation are expired.
    delta_generation: u64,
}

impl Mailboxes {
    /// The mailbox of a primary address.
    #[must_use]
    pub(crate) fn get(&self, address: &str) -> Option<&Mailbox> {
        self.boxes.get(&address.to_lowercase())
    }

    /// The mailbox of a primary address, to be changed: the next snapshot will be written.
    pub(crate) fn get_mut(&mut self, address: &str) -> Option<&mut Mailbox> {
        self.changes += 1;
        self.boxes.get_mut(&address.to_lowercase())
    }

    /// The mailbox of a primary address, made with its standard folders if it does not exist.
    pub(crate) fn open(&mut self, address: &str) -> &mut Mailbox {
        self.changes += 1;
        let address = address.to_lowercase();
        self.boxes
            .entry(address)
            .or_insert_with_key(|address| Mailbox::new(address))
    }

    /// All mailboxes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mailbox> {
        self.boxes.values()
    }

    /// Grows with every change; a snapshot is due when it differs from the last one written.
    #[must_use]
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Makes every delta token given so far answer 410.
    pub(crate) fn expire_delta(&mut self) {
        self.changes += 1;
        for mailbox in self.boxes.values_mut() {
            mailbox.counters.delta_generation += 1;
        }
    }
}

impl Mailbox {
    /// An empty mailbox with the folders every mailbox has.
    #[must_use]
    pub(crate) fn new(address: &str) -> Self {
        let mut mailbox = Self {
            address: address.to_lowercase(),
            guid: ids::mailbox_guid(address),
            folders: BTreeMap::new(),
            messages: HashMap::new(),
            instances: HashMap::new(),
            by_time: BTreeSet::new(),
            by_message_id: HashMap::new(),
            rules: Vec::new(),
            counters: Counters {
                folder: 0x0c,
                key: 0x100,
                instance: 0x100,
                ..Counters::default()
            },
        };
        let mut root = None;
        for (well_known, name) in WELL_KNOWN {
            let hidden = matches!(well_known, "recoverableitemsdeletions" | "syncissues");
            let key = mailbox.new_folder(root, name, hidden, Some(well_known));
            root = root.or(Some(key));
        }
        mailbox
    }

    fn new_folder(
        &mut self,
        parent: Option<FolderKey>,
        name: &str,
        hidden: bool,
        well_known: Option<&str>,
    ) -> FolderKey {
        self.counters.folder += 1;
        let key = self.counters.folder;
        let folder = Folder {
            key,
            parent,
            name: name.to_owned(),
            well_known: well_known.map(str::to_owned),
            hidden,
            ..Folder::default()
        };
        self.folders.insert(key, folder);
        key
    }

    /// Makes a folder in `parent`; nothing when one of that name is there or the parent is not.
    pub(crate) fn add_folder(&mut self, parent: FolderKey, name: &str) -> Option<FolderKey> {
        let taken = self
            .children(parent)
            .any(|folder| folder.name.eq_ignore_ascii_case(name));
        (self.folders.contains_key(&parent) && !taken)
            .then(|| self.new_folder(Some(parent), name, false, None))
    }

    /// Gives a folder another name or another parent; nothing for one of the well-known folders, which stay.
    pub(crate) fn change_folder(
        &mut self,
        key: FolderKey,
        change: impl FnOnce(&mut Folder),
    ) -> Option<()> {
        let folder = self.folders.get_mut(&key)?;
        if folder.well_known.is_some() {
            return None;
        }
        change(folder);
        Some(())
    }

    /// The folder at `path` below the root (`Requests/Tech support`), made where it is missing.
    pub(crate) fn folder_at(&mut self, path: &str) -> FolderKey {
        let mut at = self.well_known("msgfolderroot");
        for name in path.split('/') {
            let found = self
                .children(at)
                .find(|f| f.name.eq_ignore_ascii_case(name))
                .map(|f| f.key);
            at = match found {
                Some(key) => key,
                None => self.new_folder(Some(at), name, false, None),
            };
        }
        at
    }

    /// The folder of a well-known name; the root for a name that does not exist.
    #[must_use]
    pub(crate) fn well_known(&self, name: &str) -> FolderKey {
        self.find_well_known(name)
            .or_else(|| self.folders.keys().next().copied())
            .unwrap_or(0)
    }

    fn find_well_known(&self, name: &str) -> Option<FolderKey> {
        let mut all = self.folders.values();
        all.find(|f| {
            f.well_known
                .as_deref()
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        })
        .map(|folder| folder.key)
    }

    /// The folder that a path segment names: a well-known name or a folder id.
    #[must_use]
    pub(crate) fn find_folder(&self, name: &str) -> Option<&Folder> {
        let key = self
            .find_well_known(name)
            .or_else(|| ids::folder_key(self.guid, name))?;
        self.folders.get(&key)
    }

    /// A folder by its number.
    #[must_use]
    pub(crate) fn folder(&self, key: FolderKey) -> Option<&Folder> {
        self.folders.get(&key)
    }

    /// The folders directly in `parent`.
    pub(crate) fn children(&self, parent: FolderKey) -> impl Iterator<Item = &Folder> {
        self.folders
            .values()
            .filter(move |folder| folder.parent == Some(parent))
    }

    /// The path of a folder below the root, names joined by `/`.
    #[must_use]
    pub(crate) fn path(&self, key: FolderKey) -> String {
        let mut names = Vec::new();
        let mut at = self.folders.get(&key);
        while let Some(folder) = at.filter(|folder| folder.parent.is_some()) {
            names.push(folder.name.as_str());
            at = folder.parent.and_then(|parent| self.folders.get(&parent));
        }
        names.reverse();
        names.join("/")
    }

    /// A message by its number.
    #[must_use]
    pub(crate) fn message(&self, key: Key) -> Option<&Message> {
        self.messages.get(&key)
    }

    /// The message an id of either kind names: `Err` when the id is malformed, `Ok(None)` when it is gone.
    ///
    /// # Errors
    /// [`MalformedId`] when the id is not one of this mailbox.
    pub(crate) fn find(&self, id: &str) -> Result<Option<&Message>, MalformedId> {
        let key = match ids::item_name(self.guid, id).ok_or(MalformedId)? {
            ItemName::Immutable(key) => Some(key),
            ItemName::Ordinary(instance) => self.instances.get(&instance).copied(),
        };
        Ok(key.and_then(|key| self.messages.get(&key)))
    }

    /// How many messages there are in all folders.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// All messages by time, oldest first.
    #[must_use]
    pub(crate) fn by_time(&self) -> &BTreeSet<(Timestamp, Key)> {
        &self.by_time
    }

    /// The messages with a Message-ID, which is given with its angle brackets.
    pub(crate) fn with_message_id(&self, id: &str) -> impl Iterator<Item = &Message> {
        let keys = self.by_message_id.get(id).into_iter().flatten();
        keys.filter_map(|key| self.messages.get(key))
    }

    /// Puts a message into a folder and returns its number.
    pub(crate) fn add(&mut self, folder: FolderKey, mut message: Message) -> Key {
        self.counters.key += 1;
        message.key = self.counters.key;
        if let Some(id) = message::message_id(&message.raw) {
            self.by_message_id
                .entry(id)
                .or_default()
                .insert(message.key);
        }
        self.by_time.insert((message.received, message.key));
        self.place(folder, message)
    }

    /// Gives a message a new incarnation in `folder`.
    fn place(&mut self, folder: FolderKey, mut message: Message) -> Key {
        self.counters.instance += 1;
        self.counters.event += 1;
        message.instance = self.counters.instance;
        message.folder = folder;
        message.change = self.counters.event;
        let key = message.key;
        if let Some(folder) = self.folders.get_mut(&folder) {
            folder.by_time.insert((message.received, key));
            folder.unread += usize::from(!message.is_read);
            folder.size += message.raw.len() as u64;
            folder.log.entered(key, self.counters.event);
        }
        self.instances.insert(message.instance, key);
        self.messages.insert(key, message);
        key
    }

    /// Takes a message out of its folder's books; it stays in the mailbox's.
    fn displace(&mut self, key: Key) -> Option<Message> {
        let message = self.messages.remove(&key)?;
        self.instances.remove(&message.instance);
        self.counters.event += 1;
        if let Some(folder) = self.folders.get_mut(&message.folder) {
            folder.by_time.remove(&(message.received, key));
            folder.unread -= usize::from(!message.is_read);
            folder.size -= message.raw.len() as u64;
            let removal = Removal {
                key,
                instance: message.instance,
                received: message.received,
            };
            folder.log.left(removal, self.counters.event);
        }
        Some(message)
    }

    /// Moves a message; its ordinary id changes, its immutable id stays. Nothing if it is gone.
    pub(crate) fn relocate(&mut self, key: Key, folder: FolderKey, now: Timestamp) -> Option<()> {
        let mut message = self.displace(key)?;
        message.modified = now;
        self.place(folder, message);
        Some(())
    }

    /// Copies a message into `folder` and returns the copy's number.
    pub(crate) fn copy(&mut self, key: Key, folder: FolderKey, now: Timestamp) -> Option<Key> {
        let mut copy = self.messages.get(&key)?.clone();
        copy.created = now;
        copy.modified = now;
        Some(self.add(folder, copy))
    }

    /// Removes a message for good and returns it.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Message> {
        let message = self.displace(key)?;
        self.by_time.remove(&(message.received, key));
        if let Some(id) = message::message_id(&message.raw)
            && let Some(keys) = self.by_message_id.get_mut(&id)
        {
            keys.remove(&key);
            if keys.is_empty() {
                self.by_message_id.remove(&id);
            }
        }
        Some(message)
    }

    /// Changes what is kept beside a message (read mark, categories, flag, draft). Nothing if it is gone.
    pub(crate) fn change<T>(
        &mut self,
        key: Key,
        now: Timestamp,
        edit: impl FnOnce(&mut Message) -> T,
    ) -> Option<T> {
        let message = self.messages.get_mut(&key)?;
        let (was_read, old_size) = (message.is_read, message.raw.len() as u64);
        let outcome = edit(message);
        self.counters.event += 1;
        message.modified = now;
        message.change = self.counters.event;
        if let Some(folder) = self.folders.get_mut(&message.folder) {
            folder.unread = folder.unread + usize::from(!message.is_read) - usize::from(!was_read);
            folder.size = folder.size + message.raw.len() as u64 - old_size;
            folder.log.updated(key, self.counters.event);
        }
        Some(outcome)
    }

    /// Puts a freshly received raw message into the inbox.
    pub(crate) fn receive(&mut self, raw: impl Into<Bytes>, now: Timestamp) -> Key {
        let inbox = self.well_known("inbox");
        self.add(inbox, Message::new(raw.into(), now))
    }
}

/// An id that is not one of this mailbox, or was damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id is malformed")]
pub(crate) struct MalformedId;

#[cfg(test)]
mod tests;
