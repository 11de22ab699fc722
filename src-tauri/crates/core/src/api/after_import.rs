//! What becomes of mail on the server once it is imported: rehearsed, confirmed, chosen.

use super::addresses::row_and_account;
use super::error::{ApiError, ErrorCode};
use super::folders::find;
use super::view::{AfterImport, AfterImportRehearsal, Outcome, RehearsedMail};
use crate::account::EmailAddress;
use crate::app::App;
use crate::provider::Provider;
use crate::store::addresses::{self, AddressRow};
use crate::store::after_import::{self, FOR_GOOD};
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
    let Settled {
        choice,
        folder_id,
        goes_to,
    } = settled(&row, &provider, choice).await?;
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
        .insert(id, (choice.clone(), folder_id));
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
/// deleting need it. Deleted mail goes where the rehearsal said, from then on.
///
/// # Errors
/// [`ErrorCode::RehearsalNeeded`] unless this process rehearsed this choice last and mail would still go to the same
/// folder, [`ErrorCode::ConfirmationNeeded`],
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
    let Settled {
        choice, folder_id, ..
    } = settled(&row, &provider, choice).await?;
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
        if rehearsed != Some((choice.clone(), folder_id.clone())) {
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

/// A choice, and where mail goes by it.
struct Settled {
    /// With its folder as the server calls it.
    choice: AfterImport,
    /// As [`AddressRow::after_import_folder`].
    folder_id: Option<String>,
    /// As [`AfterImportRehearsal::goes_to`].
    goes_to: Option<String>,
}

async fn settled(
    row: &AddressRow,
    provider: &Provider,
    choice: AfterImport,
) -> Result<Settled, ApiError> {
    let next = row.next_folder.as_ref().map(|next| &next.id);
    match choice {
        AfterImport::Leave | AfterImport::Read => Ok(Settled {
            choice,
            folder_id: None,
            goes_to: None,
        }),
        AfterImport::Move { folder } => {
            let found = find(provider, &folder).await?;
            if found.folder.id == row.folder_id || next == Some(&found.folder.id) {
                return Err(ApiError::new(ErrorCode::FolderInUse).arg("value", folder));
            }
            let folder = found.path.unwrap_or(found.folder.name);
            Ok(Settled {
                goes_to: Some(folder.clone()),
                choice: AfterImport::Move { folder },
                folder_id: Some(found.folder.id),
            })
        }
        AfterImport::Delete => {
            let trash = provider.trash().await.map_err(StepError::Provider)?;
            // By IMAP, whoever deletes in the folder for deleted mail deletes for good. Mail of two folders is still to
            // come while another one was chosen.
            let trash = trash.filter(|trash| {
                trash.id != row.folder_id
                    || next.is_some()
                    || matches!(provider, Provider::Graph(_))
            });
            let (id, path) = match trash {
                Some(trash) => (trash.id, Some(trash.path)),
                None => (FOR_GOOD.to_owned(), None),
            };
            Ok(Settled {
                choice: AfterImport::Delete,
                folder_id: Some(id),
                goes_to: path,
            })
        }
    }
}
