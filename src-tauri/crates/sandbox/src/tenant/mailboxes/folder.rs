//! One mail folder: what lies in it by time, and what changed in it and when.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{FolderKey, Key};

/// The most removals a folder remembers; a delta token older than the oldest one kept is expired.
const REMOVALS_KEPT: usize = 20_000;

/// The folders every mailbox has, by the well-known names of the `mailFolder` resource.
pub(crate) const WELL_KNOWN: [(&str, &str); 11] = [
    ("msgfolderroot", "Top of Information Store"),
    ("inbox", "Inbox"),
    ("drafts", "Drafts"),
    ("sentitems", "Sent Items"),
    ("deleteditems", "Deleted Items"),
    ("archive", "Archive"),
    ("junkemail", "Junk Email"),
    ("outbox", "Outbox"),
    ("conversationhistory", "Conversation History"),
    ("recoverableitemsdeletions", "Deletions"),
    ("syncissues", "Sync Issues"),
];

/// One folder of one mailbox.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Folder {
    /// Its number in the mailbox.
    pub(crate) key: FolderKey,
    /// The folder it lies in; nothing for the root.
    pub(crate) parent: Option<FolderKey>,
    /// The name people see.
    pub(crate) name: String,
    /// Its well-known name, if it has one.
    pub(crate) well_known: Option<String>,
    /// Whether it is listed only with `includeHiddenFolders=true`.
    pub(crate) hidden: bool,
    /// How many of its messages are unread.
    pub(crate) unread: usize,
    /// The bytes of all its messages.
    pub(crate) size: u64,
    /// Its messages by time, oldest first.
    #[serde(skip)]
    pub(crate) by_time: BTreeSet<(Timestamp, Key)>,
    /// What changed in it, for delta.
    pub(crate) log: ChangeLog,
}

/// What happened in a folder, in order; for each message only its latest event is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ChangeLog {
    /// Event number → message that is here now.
    present: BTreeMap<u64, Key>,
    /// Message → (number of the event that brought it in, number of its latest event).
    latest: HashMap<Key, (u64, u64)>,
    /// Event number → message that went away.
    removed: BTreeMap<u64, Removal>,
    /// Delta tokens that start before this event number are expired.
    pub(crate) forgotten_until: u64,
}

/// A message that left a folder, by a move or for good.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Removal {
    /// The message.
    pub(crate) key: Key,
    /// The incarnation that lay here.
    pub(crate) instance: u64,
    /// When the message had been received.
    pub(crate) received: Timestamp,
}

/// One entry of a delta answer.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// The message came into the folder since the round's start.
    Created(Key),
    /// The message was here before and changed.
    Updated(Key),
    /// The message left.
    Removed(Removal),
}

impl ChangeLog {
    /// Records that `key` came in at event `seq`.
    pub(crate) fn entered(&mut self, key: Key, seq: u64) {
        if let Some((_, old)) = self.latest.insert(key, (seq, seq)) {
            self.present.remove(&old);
        }
        self.present.insert(seq, key);
    }

    /// Records that `key` changed at event `seq`.
    pub(crate) fn updated(&mut self, key: Key, seq: u64) {
        if let Some((_, last)) = self.latest.get_mut(&key) {
            self.present.remove(last);
            *last = seq;
            self.present.insert(seq, key);
        }
    }

    /// Records that a message left at event `seq`.
    pub(crate) fn left(&mut self, removal: Removal, seq: u64) {
        if let Some((_, old)) = self.latest.remove(&removal.key) {
            self.present.remove(&old);
        }
        self.removed.insert(seq, removal);
        if self.removed.len() > REMOVALS_KEPT
            && let Some((forgotten, _)) = self.removed.pop_first()
        {
            self.forgotten_until = forgotten;
        }
    }

    /// The events after `position`, oldest first, with their numbers. `round_start` decides whether a
    /// message counts as created or as updated.
    pub(crate) fn since(
        &self,
        position: u64,
        round_start: u64,
    ) -> impl Iterator<Item = (u64, Change)> + '_ {
        let mut here = self.present.range(position + 1..).peekable();
        let mut gone = self.removed.range(position + 1..).peekable();
        std::iter::from_fn(move || {
            let next_here = here.peek().map(|(seq, _)| **seq);
            let next_gone = gone.peek().map(|(seq, _)| **seq);
            let take_gone = match (next_here, next_gone) {
                (Some(h), Some(g)) => g < h,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            if take_gone {
                let (seq, removal) = gone.next()?;
                return Some((*seq, Change::Removed(removal.clone())));
            }
            let (seq, key) = here.next()?;
            let entered = self.latest.get(key).map_or(*seq, |(entered, _)| *entered);
            let change = if entered > round_start {
                Change::Created(*key)
            } else {
                Change::Updated(*key)
            };
            Some((*seq, change))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(key: Key) -> Removal {
        Removal {
            key,
            instance: key,
            received: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_the_latest_event_of_a_message_is_told() {
        let mut log = ChangeLog::default();
        log.entered(1, 1);
        log.entered(2, 2);
        log.updated(1, 3);
        log.left(gone(2), 4);
        let told: Vec<_> = log
            .since(0, 0)
            .map(|(seq, change)| format!("{seq} {change:?}"))
            .collect();
        assert_eq!(told.len(), 2);
        assert!(told[0].starts_with("3 Created(1)"), "{told:?}");
        assert!(told[1].starts_with("4 Removed"), "{told:?}");
        assert!(matches!(
            log.since(2, 2).next(),
            Some((3, Change::Updated(1)))
        ));
    }
}
