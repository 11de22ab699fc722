//! Whole messages, by `BODY.PEEK[]`, which leaves them unread.

use super::listing::{search, uid_of};
use super::place::{MessageId, gone, renumbered, uid_set};
use super::placeholder::{is_placeholder, placeholder};
use super::room::Dropped;
use super::session::{Selected, Session, protocol};
use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use bytes::Bytes;
use imap_proto::{AttributeValue, Response};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What became of each message.
pub(super) type Had = BTreeMap<MessageId, Result<Bytes, ProviderError>>;

/// Fetches `ids`, all of one folder.
pub(super) async fn bodies(
    session: &mut Session,
    folder: &str,
    ids: &[MessageId],
) -> Result<Had, ProviderError> {
    let highest = ids.iter().map(|id| id.uid).max().unwrap_or_default();
    // A folder that is open already knows what arrived until it was opened.
    let known = session
        .is_open(folder)
        .filter(|selected| selected.uid_next > highest);
    let selected = match known {
        Some(selected) => selected,
        None => session.select(folder).await?,
    };
    let mut had = some(session, selected, ids).await?;
    if known.is_some()
        && had
            .values()
            .any(|result| matches!(result, Err(ProviderError::NotFound(_))))
    {
        // Before a message counts as gone, the folder is looked at anew.
        let selected = session.select(folder).await?;
        let missing: Vec<MessageId> = ids
            .iter()
            .filter(|id| matches!(had.get(id), Some(Err(ProviderError::NotFound(_)))))
            .cloned()
            .collect();
        had.extend(some(session, selected, &missing).await?);
    }
    let gone: Vec<u32> = had
        .iter()
        .filter(|(_, result)| matches!(result, Err(ProviderError::NotFound(_))))
        .map(|(id, _)| id.uid)
        .collect();
    if !gone.is_empty() {
        // What the server does not hand out although it is there is not gone.
        let there = search(session, &format!("UID {}", uid_set(&gone))).await?;
        for (id, result) in &mut had {
            if there.contains(&id.uid) && matches!(result, Err(ProviderError::NotFound(_))) {
                *result = Err(ProviderError::unreadable(Evidence::default()));
            }
        }
    }
    Ok(had)
}

async fn some(
    session: &mut Session,
    selected: Selected,
    ids: &[MessageId],
) -> Result<Had, ProviderError> {
    let validity = selected.uid_validity;
    let uids: BTreeSet<u32> = ids
        .iter()
        .filter(|id| id.validity == validity)
        .map(|id| id.uid)
        .collect();
    let mut had: BTreeMap<u32, Result<Bytes, ProviderError>> = BTreeMap::new();
    let mut unread = false;
    if !uids.is_empty() {
        let set: Vec<u32> = uids.iter().copied().collect();
        let command = format!("UID FETCH {} (UID BODY.PEEK[])", uid_set(&set));
        let work = session.bodies();
        let ended = session
            .command(&command, work, |response, received| {
                let Response::Fetch(_, attributes) = response else {
                    return;
                };
                let body = attributes.iter().find_map(|attribute| match attribute {
                    AttributeValue::BodySection {
                        section: None,
                        index: None,
                        data: Some(data),
                    } => Some(data),
                    _ => None,
                });
                let (Some(uid), Some(body)) = (uid_of(attributes), body) else {
                    return;
                };
                // What nobody asked for, and what comes twice, is passed by.
                if uids.contains(&uid) {
                    had.entry(uid).or_insert_with(|| match received.dropped {
                        None if is_placeholder(body) => Err(placeholder()),
                        None => Ok(match body {
                            Cow::Borrowed(part) => received.bytes.slice_ref(part),
                            Cow::Owned(part) => Bytes::copy_from_slice(part),
                        }),
                        Some(Dropped::TooLarge) => Err(protocol("too_large")),
                        Some(Dropped::NoRoom) => Err(ProviderError::no_room()),
                    });
                }
            })
            .await?;
        unread = ended.unread;
    }
    Ok(ids
        .iter()
        .map(|id| {
            let result = if id.validity != validity {
                Err(renumbered(id.validity, validity))
            } else if let Some(result) = had.remove(&id.uid) {
                result
            } else if unread {
                Err(ProviderError::unreadable(Evidence::default()))
            } else {
                Err(gone())
            };
            (id.clone(), result)
        })
        .collect())
}
