//! What becomes of messages after they were imported: `\Seen`, another folder, deletion. Everything is by UID, and
//! repeating it is harmless, wherever an attempt before broke off.
//!
//! A plain EXPUNGE would remove whatever anybody has marked for deletion, so it is never given. Without UIDPLUS
//! (RFC 4315) and MOVE (RFC 6851) a message stays with the flag `\Deleted`, which mail programs show struck through
//! and remove when somebody tidies up.
//!
//! Servers answer OK to flags and removals that a missing right keeps them from (Dovecot: "Expunge ignored"), so what
//! may be changed is looked at before, and what is left is looked at afterwards.

use super::copied::{Looks, copies_in, looks};
use super::listing::search;
use super::name::quoted;
use super::place::uid_set;
use super::refusal::{Asked, not_permitted};
use super::session::{Selected, Session, protocol};
use crate::diagnosis::Evidence;
use crate::provider::ProviderError;
use std::collections::{BTreeMap, BTreeSet};

/// The code of mail that cannot be marked or moved because the folder that it was read from is gone.
const FOLDER_GONE: &str = "IMAP marked folder gone";

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
    if uids.is_empty() {
        return Ok(());
    }
    let stays = matches!(after, After::Stay) || *after == After::Move(folder.to_owned());
    let moves = matches!(after, After::Move(_)) && session.can("MOVE");
    let by_flag = !stays && !moves;
    let selected = opened(session, folder, |selected| {
        (!read || selected.keeps_seen) && (!by_flag || selected.keeps_deleted)
    })
    .await?;
    if selected.uid_validity != validity {
        return Ok(());
    }
    let set = uid_set(uids);
    if read && selected.keeps_seen {
        let order = format!("UID STORE {set} +FLAGS.SILENT (\\Seen)");
        session.order(&order, Asked::Marks).await?;
    }
    match after {
        _ if stays && read && !selected.keeps_seen => Err(cannot(Asked::Marks)),
        _ if stays => Ok(()),
        After::Move(target) if session.can("MOVE") => {
            let target = quoted(target).ok_or_else(|| protocol("folder_name"))?;
            let order = format!("UID MOVE {set} {target}");
            session.order(&order, Asked::Target).await
        }
        After::Move(_) if !selected.keeps_deleted => Err(cannot(Asked::Target)),
        After::Move(target) => move_by_copy(session, folder, validity, uids, target).await,
        After::Stay | After::Delete if !selected.keeps_deleted => Err(cannot(Asked::Removal)),
        After::Stay | After::Delete => remove(session, &set, Asked::Removal).await,
    }
}

/// The folder, open. Where what is known of it does not suffice, it is opened anew: a right may have been given since.
async fn opened(
    session: &mut Session,
    folder: &str,
    suffices: impl Fn(&Selected) -> bool,
) -> Result<Selected, ProviderError> {
    match session.is_open(folder).filter(suffices) {
        Some(selected) => Ok(selected),
        None => session.select(folder).await.map_err(folder_gone),
    }
}

/// Not "not found": that would be said of the messages, which may come back with their folder.
fn folder_gone(error: ProviderError) -> ProviderError {
    match error {
        ProviderError::NotFound(said) => ProviderError::Server(Evidence {
            code: Some(FOLDER_GONE.to_owned()),
            ..said
        }),
        other => other,
    }
}

fn cannot(asked: Asked) -> ProviderError {
    not_permitted(asked, "The server does not let these flags be changed.")
}

/// Moves messages where the server cannot. A copy that an attempt before has made is found by its looks and not made
/// twice.
async fn move_by_copy(
    session: &mut Session,
    folder: &str,
    validity: u32,
    uids: &[u32],
    target: &str,
) -> Result<(), ProviderError> {
    let name = quoted(target).ok_or_else(|| protocol("folder_name"))?;
    let ours: BTreeMap<u32, Looks> = looks(session, &uid_set(uids)).await?;
    let copied = copies_in(session, target, &ours).await?;
    let selected = session.select(folder).await.map_err(folder_gone)?;
    if selected.uid_validity != validity {
        return Ok(());
    }
    // What bears the flag and was not copied, somebody else has deleted.
    let fresh: Vec<u32> = ours
        .iter()
        .filter(|(uid, looks)| !copied.contains(uid) && !looks.is_deleted)
        .map(|(uid, _)| *uid)
        .collect();
    if !fresh.is_empty() {
        let order = format!("UID COPY {} {name}", uid_set(&fresh));
        session.order(&order, Asked::Target).await?;
    }
    let away: Vec<u32> = fresh.into_iter().chain(copied).collect();
    match away.is_empty() {
        true => Ok(()),
        false => remove(session, &uid_set(&away), Asked::Target).await,
    }
}

/// Removes what bears the numbers `set`; `asked` is what for.
async fn remove(session: &mut Session, set: &str, asked: Asked) -> Result<(), ProviderError> {
    let order = format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)");
    session.order(&order, Asked::Removal).await?;
    if !session.can("UIDPLUS") {
        return Ok(());
    }
    let order = format!("UID EXPUNGE {set}");
    session.order(&order, Asked::Removal).await?;
    let left: BTreeSet<u32> = search(session, &format!("UID {set}")).await?;
    match left.is_empty() {
        true => Ok(()),
        false => Err(not_permitted(
            asked,
            "The server said OK and removed nothing.",
        )),
    }
}
