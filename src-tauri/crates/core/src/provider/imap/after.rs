//! What becomes of messages after they were imported: `\Seen`, another folder, deletion. Everything is by UID, and
//! repeating it is harmless.
//!
//! A plain EXPUNGE would remove whatever anybody has marked for deletion, so it is never given. Without UIDPLUS
//! (RFC 4315) and MOVE (RFC 6851) a message stays with the flag `\Deleted`, which mail programs show struck through
//! and remove when somebody tidies up.

use super::name::quoted;
use super::place::uid_set;
use super::refusal::Asked;
use super::session::{Session, protocol};
use crate::provider::ProviderError;
use imap_proto::{AttributeValue, Response};
use std::collections::BTreeSet;

/// What becomes of messages; folders are names on the wire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum After {
    /// They stay.
    Stay,
    /// They go to another folder.
    Move(String),
    /// They are removed for good.
    Delete,
}

/// Does it to the messages `uids` of the UIDVALIDITY `validity`. Messages that are gone need nothing more, and if the
/// folder was made anew, they come again with new numbers.
pub(super) async fn settle(
    session: &mut Session,
    folder: &str,
    validity: u32,
    uids: &[u32],
    read: bool,
    after: &After,
) -> Result<(), ProviderError> {
    let selected = match session.is_open(folder) {
        Some(selected) => selected,
        None => session.select(folder).await?,
    };
    if selected.uid_validity != validity || uids.is_empty() {
        return Ok(());
    }
    let set = uid_set(uids);
    if read {
        let order = format!("UID STORE {set} +FLAGS.SILENT (\\Seen)");
        session.order(&order, Asked::Other).await?;
    }
    match after {
        After::Stay => Ok(()),
        After::Move(target) if target == folder => Ok(()),
        After::Move(target) => {
            let target = quoted(target).ok_or_else(|| protocol("folder_name"))?;
            if session.can("MOVE") {
                let order = format!("UID MOVE {set} {target}");
                return session.order(&order, Asked::Target).await;
            }
            // What bears the flag was copied by an attempt that broke off, or somebody else has deleted it.
            let marked = deleted(session, &set).await?;
            let fresh: Vec<u32> = uids
                .iter()
                .copied()
                .filter(|uid| !marked.contains(uid))
                .collect();
            if !fresh.is_empty() {
                let order = format!("UID COPY {} {target}", uid_set(&fresh));
                session.order(&order, Asked::Target).await?;
            }
            remove(session, &set).await
        }
        After::Delete => remove(session, &set).await,
    }
}

async fn remove(session: &mut Session, set: &str) -> Result<(), ProviderError> {
    let order = format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)");
    session.order(&order, Asked::Removal).await?;
    if session.can("UIDPLUS") {
        let order = format!("UID EXPUNGE {set}");
        session.order(&order, Asked::Removal).await?;
    }
    Ok(())
}

/// Which of `set` bear the flag `\Deleted`.
async fn deleted(session: &mut Session, set: &str) -> Result<BTreeSet<u32>, ProviderError> {
    let mut marked = BTreeSet::new();
    let command = format!("UID FETCH {set} (UID FLAGS)");
    let work = session.listing();
    session
        .command(&command, work, |response, _| {
            let Response::Fetch(_, attributes) = response else {
                return;
            };
            let is_deleted = attributes.iter().any(|attribute| match attribute {
                AttributeValue::Flags(flags) => flags
                    .iter()
                    .any(|flag| flag.eq_ignore_ascii_case("\\Deleted")),
                _ => false,
            });
            if let Some(uid) = super::listing::uid_of(attributes).filter(|_| is_deleted) {
                marked.insert(uid);
            }
        })
        .await?;
    Ok(marked)
}
