//! The folder to fetch from: all folders as a tree, and choosing one.

use super::addresses::{not_found, row_and_account};
use super::error::{ApiError, ErrorCode};
use super::view::{AfterImport, FolderView};
use crate::app::App;
use crate::app::attempts;
use crate::provider::{Folder, FolderEntry, Provider, ProviderError};
use crate::store::after_import::{self, FOR_GOOD};
use crate::store::events::{self, EventKind};
use crate::store::folders::{self, NextFolder};
use crate::store::{addresses, imports};
use crate::sync::StepError;
use std::collections::BTreeMap;

/// Folders with names further away than this (letters to change, of a hundred) are no likely meaning.
const FAR: usize = 40;

/// A folder and how it is named from now on.
pub(super) struct Found {
    pub(super) folder: Folder,
    /// Nothing for the inbox.
    pub(super) path: Option<String>,
}

/// All folders of a connected address's mailbox.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::WrongState`] for a disconnected address, what keeps the keychain shut, and what
/// the server said.
pub async fn folders(app: &App, id: i64) -> Result<Vec<FolderView>, ApiError> {
    let (row, account) = row_and_account(app, id).await?;
    if row.disconnected {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", &row.address));
    }
    let provider = app.context.connections.provider(&row, &account).await?;
    let entries = provider.folders().await.map_err(StepError::Provider)?;
    let read = row.next_folder.map_or(row.folder_id, |next| next.id);
    Ok(drawn(entries, &read))
}

/// All folders of the mailbox of an attempt that is ready.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::WrongState`] before it is ready, and what the server said.
pub async fn folders_of_attempt(app: &App, attempt: &str) -> Result<Vec<FolderView>, ApiError> {
    app.attempts.view(attempt).ok_or_else(not_found)?;
    let (provider, read) =
        attempts::mailbox_of(app, attempt).ok_or_else(|| ApiError::new(ErrorCode::WrongState))?;
    let entries = provider.folders().await.map_err(StepError::Provider)?;
    Ok(drawn(entries, &read.id))
}

/// Chooses another folder to read; nothing, or an empty path, is the inbox. The present folder is read to its end first;
/// mail in the new one is fetched from now on, older mail comes by an import. Nothing is doubled: tickets and ledger stay.
/// Where mail is removed for good, that was rehearsed for the former folder: from now on it is only marked read.
///
/// # Errors
/// [`ErrorCode::FolderNotFound`] with the nearest one that exists; [`ErrorCode::FolderInUse`] for the folder that imported
/// mail is moved to; [`ErrorCode::WrongState`] while an import is under way, and for a disconnected address;
/// [`ErrorCode::NotFound`]; what the server said.
pub async fn set_folder(app: &App, id: i64, path: Option<&str>) -> Result<(), ApiError> {
    let (row, account) = row_and_account(app, id).await?;
    let importing = app
        .context
        .store
        .read(move |db| imports::current(db, id))
        .await?
        .is_some_and(|import| import.ended_at.is_none());
    if row.disconnected || importing {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", &row.address));
    }
    let provider = app.context.connections.provider(&row, &account).await?;
    let Found { folder, path } = find(&provider, path.unwrap_or_default()).await?;
    if matches!(row.after_import, AfterImport::Move { .. })
        && row.after_import_folder.as_ref() == Some(&folder.id)
    {
        return Err(ApiError::new(ErrorCode::FolderInUse).arg("value", &folder.name));
    }
    let now = app.context.clock.now();
    app.context
        .store
        .write(move |tx| {
            if folder.id == row.folder_id {
                folders::rename(tx, id, path.as_deref(), &folder.name)?;
                return folders::set_next(tx, id, None);
            }
            let next = NextFolder {
                path,
                id: folder.id,
                name: folder.name,
                since: now,
            };
            folders::set_next(tx, id, Some(&next))?;
            if row.after_import_folder.as_deref() == Some(FOR_GOOD) {
                after_import::set(tx, id, &AfterImport::Read, None, None)?;
                let args = [("choice", "read"), ("folder", "")];
                let args = args.map(|(name, value)| (name.to_owned(), value.to_owned()));
                events::add(tx, id, now, EventKind::AfterImportChanged, &args.into())?;
            }
            addresses::request_wake(tx, id)
        })
        .await?;
    app.context.nudge.notify_one();
    Ok(())
}

/// Finds a folder by its path; an empty one is the inbox.
///
/// # Errors
/// [`ErrorCode::FolderNotFound`] with the nearest one that exists, and what the server said.
pub(super) async fn find(provider: &Provider, path: &str) -> Result<Found, ApiError> {
    let path = path.trim();
    if path.is_empty() {
        let folder = provider.inbox().await.map_err(StepError::Provider)?;
        return Ok(Found { folder, path: None });
    }
    match provider.folder(Some(path)).await {
        Ok(folder) => {
            let entries = provider.folders().await.map_err(StepError::Provider)?;
            let listed = entries.into_iter().find(|entry| entry.id == folder.id);
            let path = listed.map_or_else(|| path.to_owned(), |entry| entry.path);
            Ok(Found {
                folder,
                path: Some(path),
            })
        }
        Err(ProviderError::NotFound(evidence)) => {
            let entries = provider.folders().await.map_err(StepError::Provider)?;
            let mut error = ApiError::new(ErrorCode::FolderNotFound).arg("value", path);
            error.evidence = Some(Box::new(evidence));
            Err(error.arg("nearest", nearest(path, &entries)))
        }
        Err(error) => Err(StepError::Provider(error).into()),
    }
}

/// The path that was probably meant: one that is spelled nearly so, or that ends in the same name; else the part of
/// the way that exists; else the first folder.
fn nearest(path: &str, entries: &[FolderEntry]) -> String {
    let wanted = path.to_lowercase();
    let last = wanted.rsplit(['/', '.', '\\']).next().unwrap_or(&wanted);
    let distance = |entry: &FolderEntry| {
        let whole = share(&wanted, &entry.path.to_lowercase());
        let name = share(last, &entry.name.to_lowercase());
        // The right name in another place is likelier than another name in the right place.
        whole.min(name + 1)
    };
    let selectable = || entries.iter().filter(|entry| entry.selectable);
    let likely = selectable().min_by_key(|entry| distance(entry));
    let way = || {
        selectable()
            .filter(|entry| wanted.starts_with(&entry.path.to_lowercase()))
            .max_by_key(|entry| entry.path.len())
    };
    let chosen = likely
        .filter(|entry| distance(entry) <= FAR)
        .or_else(way)
        .or_else(|| selectable().next());
    chosen.map(|entry| entry.path.clone()).unwrap_or_default()
}

/// How many of a hundred letters must change to make one text of the other (Levenshtein).
fn share(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().take(200).collect();
    let other: Vec<char> = other.chars().take(200).collect();
    let mut costs: Vec<usize> = (0..=other.len()).collect();
    for (row, left) in one.iter().enumerate() {
        let mut diagonal = row;
        let mut before = row + 1;
        for (column, right) in other.iter().enumerate() {
            let Some(cost) = costs.get(column + 1).copied() else {
                break;
            };
            let next = (diagonal + usize::from(left != right))
                .min(cost + 1)
                .min(before + 1);
            if let Some(place) = costs.get_mut(column) {
                *place = before;
            }
            (diagonal, before) = (cost, next);
        }
        if let Some(place) = costs.last_mut() {
            *place = before;
        }
    }
    costs.last().copied().unwrap_or(0) * 100 / one.len().max(other.len()).max(1)
}

fn drawn(entries: Vec<FolderEntry>, read: &str) -> Vec<FolderView> {
    let mut depths: BTreeMap<String, u32> = BTreeMap::new();
    entries
        .into_iter()
        .map(|entry| {
            let above = entry.parent.as_ref().and_then(|parent| depths.get(parent));
            let depth = above.map_or(0, |depth| depth + 1);
            depths.insert(entry.id.clone(), depth);
            FolderView {
                is_read: entry.id == read,
                id: entry.id,
                name: entry.name,
                path: entry.path,
                depth,
                selectable: entry.selectable,
                messages: entry.total,
                special: entry.special,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_path_is_answered_with_the_one_that_was_probably_meant() {
        let entries: Vec<FolderEntry> = [
            "Inbox",
            "Inbox/Requests",
            "Requests",
            "Requests/Tech support",
            "Archive",
            "受信トレイ",
        ]
        .into_iter()
        .map(|path| FolderEntry {
            id: path.to_owned(),
            name: path.rsplit('/').next().unwrap_or(path).to_owned(),
            path: path.to_owned(),
            parent: None,
            selectable: true,
            total: None,
            special: None,
        })
        .collect();
        for (typed, meant) in [
            ("Requests/Tech suport", "Requests/Tech support"),
            ("requests.tech support", "Requests/Tech support"),
            ("Tech support", "Requests/Tech support"),
            ("Archiv", "Archive"),
            ("受信トレー", "受信トレイ"),
            ("Requests/Something else entirely", "Requests"),
            ("zzz", "Inbox"),
        ] {
            assert_eq!(nearest(typed, &entries), meant, "{typed}");
        }
        assert_eq!(nearest("anything", &[]), "");
        assert_eq!((share("kitten", "sitting"), share("", "")), (42, 0));
    }
}
