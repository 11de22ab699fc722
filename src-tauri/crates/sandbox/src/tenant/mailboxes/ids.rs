//! The identifiers of folders and items, in the look and with the habits of Exchange Online's.
//!
//! An item has two names. The *ordinary* id carries the folder and the item's incarnation in it, so it
//! changes whenever the item moves; the *immutable* id stays ("Obtain immutable identifiers for Outlook
//! resources", Microsoft Graph documentation). Both are URL-safe base64 of a binary entry id and are
//! therefore case-sensitive. Folder ids never change.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The number of a message inside one mailbox; never used twice.
pub(crate) type Key = u64;
/// The number of a folder inside one mailbox; never used twice.
pub(crate) type FolderKey = u64;

/// Which of an item's two names a caller wants (`Prefer: IdType="ImmutableId"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdKind {
    /// The id that changes when the item moves.
    Ordinary,
    /// The id that stays.
    Immutable,
}

/// What an id in a request turned out to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemName {
    /// An ordinary id: the incarnation it was given for.
    Ordinary(u64),
    /// An immutable id: the message's key.
    Immutable(Key),
}

const ORDINARY: [u8; 4] = [0x00, 0x03, 0x24, 0x00];
const IMMUTABLE: [u8; 25] = [
    0x00, 0x09, 0x00, 0x2e, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1d, 0x84, 0x03, 0x11, 0xaa, 0x66, 0x11,
    0xcd, 0x9b, 0xc8, 0x00, 0xaa, 0x00, 0x2f, 0x84, 0x5a,
];
const ITEM: u8 = 0x46;
const FOLDER: u8 = 0x2e;

/// The GUID of the mailbox of `address`: the same for the same address in every run.
#[must_use]
pub(crate) fn mailbox_guid(address: &str) -> Uuid {
    let digest = Sha256::digest(address.to_lowercase().as_bytes());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The id of folder `folder` in the mailbox `guid`.
#[must_use]
pub(crate) fn folder_id(guid: Uuid, folder: FolderKey) -> String {
    let mut bytes = entry_start(guid, FOLDER);
    bytes.extend_from_slice(&[0x01, 0x00]);
    push_counter(&mut bytes, guid, folder);
    URL_SAFE.encode(bytes)
}

/// The folder that `id` names, if it is a folder id of the mailbox `guid`; nothing otherwise.
#[must_use]
pub(crate) fn folder_key(guid: Uuid, id: &str) -> Option<FolderKey> {
    let key = counter_at_end(id)?;
    (folder_id(guid, key) == id).then_some(key)
}

/// The ordinary id of incarnation `instance` lying in `folder`.
#[must_use]
pub(crate) fn ordinary_id(guid: Uuid, folder: FolderKey, instance: u64) -> String {
    let mut bytes = entry_start(guid, ITEM);
    bytes.extend_from_slice(&[0x07, 0x00]);
    push_counter(&mut bytes, guid, folder);
    push_counter(&mut bytes, guid, instance);
    URL_SAFE.encode(bytes)
}

/// The immutable id of message `key`.
#[must_use]
pub(crate) fn immutable_id(guid: Uuid, key: Key) -> String {
    let mut bytes = IMMUTABLE.to_vec();
    bytes.extend_from_slice(&[0x0d, 0x00]);
    push_counter(&mut bytes, guid, key);
    URL_SAFE.encode(bytes)
}

/// Reads an item id of either kind; nothing when it is malformed or belongs to another mailbox.
#[must_use]
pub(crate) fn item_name(guid: Uuid, id: &str) -> Option<ItemName> {
    let bytes = URL_SAFE.decode(id).ok()?;
    let last = counter_at_end(id)?;
    if bytes.starts_with(&IMMUTABLE) {
        return (immutable_id(guid, last) == id).then_some(ItemName::Immutable(last));
    }
    // The folder's counter stands one counter (24 bytes) before the item's.
    let folder_end = bytes.len().checked_sub(24 + 2)?;
    let folder = number(bytes.get(folder_end.checked_sub(6)?..folder_end)?);
    (ordinary_id(guid, folder, last) == id).then_some(ItemName::Ordinary(last))
}

fn entry_start(guid: Uuid, kind: u8) -> Vec<u8> {
    let mut bytes = ORDINARY.to_vec();
    bytes.extend_from_slice(guid.to_string().as_bytes());
    bytes.extend_from_slice(&[0, kind, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(guid.as_bytes());
    bytes
}

/// Replica GUID, six-byte counter, two zero bytes: 24 bytes, as Exchange's long-term ids have them.
fn push_counter(bytes: &mut Vec<u8>, guid: Uuid, counter: u64) {
    bytes.extend(guid.as_bytes().iter().rev());
    bytes.extend_from_slice(&counter.to_be_bytes()[2..]);
    bytes.extend_from_slice(&[0, 0]);
}

fn counter_at_end(id: &str) -> Option<u64> {
    let bytes = URL_SAFE.decode(id).ok()?;
    let end = bytes.len().checked_sub(2)?;
    Some(number(bytes.get(end.checked_sub(6)?..end)?))
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_and_only_in_its_own_mailbox() {
        let ours = mailbox_guid("support@contoso.example");
        let theirs = mailbox_guid("alex@contoso.example");
        let ordinary = ordinary_id(ours, 7, 70_000);
        let immutable = immutable_id(ours, 12);
        assert_eq!(item_name(ours, &ordinary), Some(ItemName::Ordinary(70_000)));
        assert_eq!(item_name(ours, &immutable), Some(ItemName::Immutable(12)));
        assert_eq!(item_name(theirs, &ordinary), None);
        assert_eq!(folder_key(ours, &folder_id(ours, 3)), Some(3));
        assert_eq!(item_name(ours, "AAMk"), None);
        assert_eq!(item_name(ours, "not an id"), None);
        assert!(
            ordinary.starts_with("AAMkA") && ordinary.len() > 120,
            "{ordinary}"
        );
    }

    #[test]
    fn ids_are_case_sensitive() {
        let guid = mailbox_guid("support@contoso.example");
        let id = immutable_id(guid, 12);
        assert_eq!(item_name(guid, &id.to_lowercase()), None);
    }
}
