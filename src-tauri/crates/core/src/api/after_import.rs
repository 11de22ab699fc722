//! What becomes of mail on the server once it is imported: rehearsed, confirmed, chosen.

use super::addresses::row_and_account;
use super::error::{ApiError, ErrorCode};
use super::folders::find;
use super::view::{AfterImport, AfterImportRehearsal, Outcome, RehearsedMail, SpecialUse};
use crate::account::EmailAddress;
use crate::app::App;
use crate::provider::Provider;
use crate::store::addresses::{self, AddressRow};
use crate::store::after_import;
use crate::store::events::{self, EventKind};
use crate::store::marks;
use crate::sync::{StepError, follow, rehearse_each};
use std::sync::PoisonError;

/// How many mails a rehearsal looks at.
const REHEARSED: std::ops::RangeInclusive<u32> = 1..=500;

/// What `choice` would do to the newest `newest` mails. Nothing is stored, moved or deleted. Moving and deleting can be
/// chosen ([`set_after_import`]) once exactly this choice was rehearsed.
///
/// # Errors
/// [`ErrorCode::OutOfRange`] (1 to 500 mails), [`ErrorCode::FolderNotFound`], [`ErrorCode::FolderInUse`],
/// [`ErrorCode::WrongState`] for a disconnected address, [`ErrorCode::NotFound`], and what the server said.
pub async fn rehearse_after_import(
    app: &App,
    id: i64,
    choice: AfterImport,
    newest: u32,
) -> Result<AfterImportRehearsal, ApiError> {
    if !REHEARSED.contains(&newest) {
        return Err(ApiError::new(ErrorCode::OutOfRange)
            .arg("value", newest)
            .arg("least", REHEARSED.start())
            .arg("most", REHEARSED.end()));
    }
    let (row, provider) = open(app, id).await?;
    let (choice, _) = settled(&row, &provider, choice).await?;
    let goes_to = match &choice {
        AfterImport::Leave | AfterImport::Read => None,
        AfterImport::Move { folder } => Some(folder.clone()),
        AfterImport::Delete => trash(&provider).await?,
    };
    let (_, each) = rehearse_each(&app.context, &row, &provider, newest).await?;
    let takes_away = choice.takes_away();
    let mails: Vec<RehearsedMail> = each
        .into_iter()
        .rev()
        .map(|one| RehearsedMail {
            taken: takes_away && one.outcome == Outcome::Imported,
            subject: one.listing.subject,
            from: one.listing.from,
            received_at: one.listing.received_at,
            outcome: one.outcome,
        })
        .collect();
    let imported = app
        .context
        .store
        .read(move |db| after_import::imported(db, id))
        .await?;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let taken = count(mails.iter().filter(|mail| mail.taken).count());
    app.rehearsed
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(id, choice.clone());
    Ok(AfterImportRehearsal {
        choice,
        goes_to,
        found: count(mails.len()),
        taken,
        stay: count(mails.len()) - taken,
        imported_before: count(imported.len()),
        mails,
    })
}

/// Chooses what becomes of mail on the server once it is imported, from now on; with `also_imported` of what was
/// imported earlier and still lies in the folder, too. `confirmation` is the address, typed by the person: moving and
/// deleting need it.
///
/// # Errors
/// [`ErrorCode::RehearsalNeeded`] unless this process rehearsed this choice last, [`ErrorCode::ConfirmationNeeded`],
/// [`ErrorCode::FolderNotFound`], [`ErrorCode::FolderInUse`], [`ErrorCode::WrongState`] for a disconnected address,
/// [`ErrorCode::NotFound`], and what the server said.
pub async fn set_after_import(
    app: &App,
    id: i64,
    choice: AfterImport,
    confirmation: Option<&str>,
    also_imported: bool,
) -> Result<(), ApiError> {
    let (row, provider) = open(app, id).await?;
    let (choice, folder_id) = settled(&row, &provider, choice).await?;
    if choice.takes_away() {
        let typed = confirmation.and_then(EmailAddress::parse);
        if typed.map(|typed| typed.key()).as_ref() != Some(&row.address_key) {
            return Err(ApiError::new(ErrorCode::ConfirmationNeeded).arg("value", &row.address));
        }
        let rehearsed = app
            .rehearsed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned();
        if rehearsed.as_ref() != Some(&choice) {
            return Err(ApiError::new(ErrorCode::RehearsalNeeded).arg("value", &row.address));
        }
    }
    let now = app.context.clock.now();
    app.context
        .store
        .write(move |tx| {
            let chosen = AddressRow {
                after_import: choice.clone(),
                after_import_folder: folder_id.clone(),
                ..row
            };
            let follow = follow(&chosen);
            after_import::set(tx, id, &choice, folder_id.as_deref(), follow.as_deref())?;
            if let Some(follow) = follow.filter(|_| also_imported) {
                let category = Some(chosen.category.as_str()).filter(|name| !name.is_empty());
                for server_id in after_import::imported(tx, id)? {
                    let mark = marks::NewMark {
                        folder_id: &chosen.folder_id,
                        server_id: &server_id,
                        category,
                        follow: &follow,
                    };
                    marks::add(tx, id, &mark)?;
                }
            }
            let (word, folder) = match &choice {
                AfterImport::Leave => ("leave", ""),
                AfterImport::Read => ("read", ""),
                AfterImport::Move { folder } => ("move", folder.as_str()),
                AfterImport::Delete => ("delete", ""),
            };
            let args = [("choice", word), ("folder", folder)];
            let args = args.map(|(name, value)| (name.to_owned(), value.to_owned()));
            events::add(tx, id, now, EventKind::AfterImportChanged, &args.into())?;
            addresses::request_wake(tx, id)
        })
        .await?;
    app.context.nudge.notify_one();
    Ok(())
}

async fn open(app: &App, id: i64) -> Result<(AddressRow, Provider), ApiError> {
    let (row, account) = row_and_account(app, id).await?;
    if row.disconnected {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", &row.address));
    }
    let provider = app.context.connections.provider(&row, &account).await?;
    Ok((row, provider))
}

/// The choice with its folder as the server calls it, and the folder's id.
async fn settled(
    row: &AddressRow,
    provider: &Provider,
    choice: AfterImport,
) -> Result<(AfterImport, Option<String>), ApiError> {
    let AfterImport::Move { folder } = choice else {
        return Ok((choice, None));
    };
    let found = find(provider, &folder).await?;
    let next = row.next_folder.as_ref().map(|next| &next.id);
    if found.folder.id == row.folder_id || next == Some(&found.folder.id) {
        return Err(ApiError::new(ErrorCode::FolderInUse).arg("value", folder));
    }
    let folder = found.path.unwrap_or(found.folder.name);
    Ok((AfterImport::Move { folder }, Some(found.folder.id)))
}

async fn trash(provider: &Provider) -> Result<Option<String>, ApiError> {
    let entries = provider.folders().await.map_err(StepError::Provider)?;
    let trash = entries
        .into_iter()
        .find(|entry| entry.special == Some(SpecialUse::Trash));
    Ok(trash.map(|entry| entry.path))
}
