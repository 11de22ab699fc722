//! The folder that is read: found by its id, so that its name may change.

use super::Known;
use crate::app::App;
use crate::diagnosis::evidence::{FolderEvidence, within};
use crate::provider::{Folder, FolderEntry, Provider, ProviderError, SpecialUse};
use crate::store::addresses::ProviderKind;
use crate::store::events::{self, EventKind};
use crate::store::folders;

/// The inbox, which nobody renames or deletes.
pub(super) fn unchanged(known: &Known, inbox: Folder) -> FolderEvidence {
    evidence(known, Ok(inbox), false)
}

/// Looks the folder up. Where it was renamed or moved, the new name is kept.
pub(super) async fn look(app: &App, known: &Known, provider: &Provider) -> FolderEvidence {
    let row = &known.row;
    if row.folder_path.is_none() || row.provider != ProviderKind::Graph {
        let found = within(provider.folder(row.folder_path.as_deref())).await;
        return evidence(known, found, false);
    }
    let found = within(provider.folder_by_id(&row.folder_id)).await;
    if found.is_err() {
        return evidence(known, found, false);
    }
    // Without the list nobody knows where the folder lies; that it is there counts more.
    let list = within(provider.folders()).await.unwrap_or_default();
    let Some(entry) = list.iter().find(|entry| entry.id == row.folder_id) else {
        return evidence(known, found, false);
    };
    let in_trash = lies_in_trash(entry, &list);
    if !in_trash && row.folder_path.as_ref() != Some(&entry.path) {
        follow(app, known, entry).await;
    }
    evidence(known, found, in_trash)
}

fn evidence(known: &Known, found: Result<Folder, ProviderError>, in_trash: bool) -> FolderEvidence {
    FolderEvidence {
        chosen: (known.row.folder_name.clone(), known.row.folder_id.clone()),
        found,
        in_trash,
        ever_seen: known.ever_seen,
    }
}

/// Deleting a folder moves it into the one for deleted mail, where it can still be read.
fn lies_in_trash(entry: &FolderEntry, list: &[FolderEntry]) -> bool {
    let mut parent = entry.parent.as_deref();
    // No tree is deeper than it has folders.
    for _ in list {
        let Some(above) = parent.and_then(|id| list.iter().find(|entry| entry.id == id)) else {
            return false;
        };
        if above.special == Some(SpecialUse::Trash) {
            return true;
        }
        parent = above.parent.as_deref();
    }
    false
}

async fn follow(app: &App, known: &Known, entry: &FolderEntry) {
    let (id, now) = (known.row.id, app.context.clock.now());
    let from = known.row.folder_path.clone().unwrap_or_default();
    let (path, name) = (entry.path.clone(), entry.name.clone());
    let kept = app
        .context
        .store
        .write(move |tx| {
            folders::rename(tx, id, Some(&path), &name)?;
            let args = [("from".to_owned(), from), ("to".to_owned(), path)].into();
            events::add(tx, id, now, EventKind::FolderRenamed, &args)
        })
        .await;
    if let Err(error) = kept {
        tracing::warn!(%error, "The folder's new name cannot be stored.");
    }
}
