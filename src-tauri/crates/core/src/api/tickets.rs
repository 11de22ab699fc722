//! Tickets, their mails, and the ledger.

use super::addresses::not_found;
use super::error::{ApiError, ErrorCode};
use super::view::{LedgerRow, Outcome, TicketPage, TicketQuery, TicketView};
use crate::app::App;
use crate::import::html::{SafeHtml, safe_html};
use crate::import::parse;
use crate::store::{ledger, messages, tickets};
use std::path::Path;

/// The most rows a page may have.
const LONGEST_PAGE: u32 = 500;

/// A page of tickets, newest first.
///
/// # Errors
/// The database cannot be read, as everywhere here.
pub async fn list_tickets(app: &App, query: TicketQuery) -> Result<TicketPage, ApiError> {
    let query = TicketQuery {
        limit: query.limit.clamp(1, LONGEST_PAGE),
        ..query
    };
    Ok(app
        .context
        .store
        .read(move |db| tickets::list(db, &query))
        .await?)
}

/// A whole ticket.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn ticket(app: &App, id: i64) -> Result<TicketView, ApiError> {
    app.context
        .store
        .read(move |db| tickets::view(db, id))
        .await?
        .ok_or_else(not_found)
}

/// The HTML of a mail, made safe; nothing when it has none.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn message_html(app: &App, message_id: i64) -> Result<Option<SafeHtml>, ApiError> {
    let raw = raw(app, message_id).await?;
    tokio::task::spawn_blocking(move || safe_html(&raw))
        .await
        .map_err(|error| ApiError::new(ErrorCode::Internal).because(error))
}

/// The name to offer for saving an attachment.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub async fn attachment_name(app: &App, attachment_id: i64) -> Result<String, ApiError> {
    let row = app
        .context
        .store
        .read(move |db| messages::attachment(db, attachment_id))
        .await?;
    row.map(|row| row.name).ok_or_else(not_found)
}

/// Writes an attachment to a file that the person chose: beside it first, then in its place, so that a full disk
/// leaves no half of it.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::CannotWriteFile`].
pub async fn save_attachment(app: &App, attachment_id: i64, path: &Path) -> Result<(), ApiError> {
    let row = app
        .context
        .store
        .read(move |db| messages::attachment(db, attachment_id))
        .await?
        .ok_or_else(not_found)?;
    let raw = raw(app, row.message_id).await?;
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let bytes = parse::attachment(&raw, row.part).ok_or_else(not_found)?;
        write_whole(&path, &bytes).map_err(|error| {
            ApiError::new(ErrorCode::CannotWriteFile)
                .arg("path", path.display())
                .because(error)
        })
    })
    .await
    .map_err(|error| ApiError::new(ErrorCode::Internal).because(error))?
}

/// What became of server messages: all, one outcome, or the mail with this `Message-ID`.
///
/// # Errors
/// [`ErrorCode::NotFound`] for an unknown address.
pub async fn ledger(
    app: &App,
    address_id: i64,
    message_id: Option<String>,
    outcome: Option<Outcome>,
    offset: u32,
    limit: u32,
) -> Result<Vec<LedgerRow>, ApiError> {
    let message_id = message_id
        .map(|id| id.trim().trim_matches(['<', '>']).to_owned())
        .filter(|id| !id.is_empty());
    let limit = limit.clamp(1, LONGEST_PAGE);
    Ok(app
        .context
        .store
        .read(move |db| {
            ledger::list(
                db,
                address_id,
                message_id.as_deref(),
                outcome,
                offset,
                limit,
            )
        })
        .await?)
}

async fn raw(app: &App, message_id: i64) -> Result<Vec<u8>, ApiError> {
    app.context
        .store
        .read(move |db| messages::raw(db, message_id))
        .await?
        .ok_or_else(not_found)
}

/// Writes a file beside its place and moves it there: whole, or not at all.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let beside = folder.join(format!(".{}.part", uuid::Uuid::new_v4()));
    let written = (|| {
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    })();
    if written.is_err() {
        // The failure to report is the first one; a leftover part is only untidy.
        let _ = std::fs::remove_file(&beside);
    }
    written
}
