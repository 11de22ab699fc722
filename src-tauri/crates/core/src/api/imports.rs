//! Importing the newest mails of a connected address.

use super::addresses::{not_found, row_and_account};
use super::error::{ApiError, ErrorCode};
use crate::app::App;
use crate::store::addresses;
use crate::store::events::{self, EventKind};
use crate::store::imports::{self, ImportState};
use crate::sync::{Rehearsal, rehearse};
use std::collections::BTreeMap;

/// How many mails may be asked for.
const NEWEST: std::ops::RangeInclusive<u32> = 1..=1_000_000;

/// How many mails a rehearsal takes: they are all held in memory.
const REHEARSED: std::ops::RangeInclusive<u32> = 1..=2_000;

/// Checks a number of mails to import.
pub(super) fn check_newest(newest: u32) -> Result<u32, ApiError> {
    if NEWEST.contains(&newest) {
        return Ok(newest);
    }
    Err(ApiError::new(ErrorCode::OutOfRange)
        .arg("value", newest)
        .arg("least", NEWEST.start())
        .arg("most", NEWEST.end()))
}

/// Starts importing the newest `newest` mails, read or unread alike; triggers stay silent. Mail that is here
/// already counts as duplicate.
///
/// # Errors
/// [`ErrorCode::OutOfRange`], [`ErrorCode::WrongState`] while an import runs or the address is disconnected,
/// [`ErrorCode::NotFound`].
pub async fn start_import(app: &App, id: i64, newest: u32) -> Result<(), ApiError> {
    let newest = check_newest(newest)?;
    let now = app.context.clock.now();
    let started = app
        .context
        .store
        .write(move |tx| {
            let Some(row) = addresses::get(tx, id)? else {
                return Ok(None);
            };
            let busy = imports::current(tx, id)?.is_some_and(|import| import.ended_at.is_none());
            if busy || row.disconnected {
                return Ok(Some(false));
            }
            imports::start(tx, id, newest, now, now)?;
            let args = [("newest".to_owned(), newest.to_string())].into();
            events::add(tx, id, now, EventKind::ImportStarted, &args)?;
            Ok(Some(true))
        })
        .await?;
    app.context.nudge.notify_one();
    match started {
        Some(true) => Ok(()),
        Some(false) => Err(ApiError::new(ErrorCode::WrongState)),
        None => Err(not_found()),
    }
}

/// Pauses the import within a second.
///
/// # Errors
/// [`ErrorCode::WrongState`] when none runs.
pub async fn pause_import(app: &App, id: i64) -> Result<(), ApiError> {
    step(
        app,
        id,
        &[ImportState::Listing, ImportState::Running],
        ImportState::Paused,
        EventKind::ImportPaused,
    )
    .await
}

/// Goes on with a paused import.
///
/// # Errors
/// [`ErrorCode::WrongState`] when none is paused.
pub async fn resume_import(app: &App, id: i64) -> Result<(), ApiError> {
    step(
        app,
        id,
        &[ImportState::Paused],
        ImportState::Running,
        EventKind::ImportResumed,
    )
    .await
}

/// Ends the import; what is imported stays.
///
/// # Errors
/// [`ErrorCode::WrongState`] when none is under way.
pub async fn cancel_import(app: &App, id: i64) -> Result<(), ApiError> {
    let open = &[
        ImportState::Listing,
        ImportState::Running,
        ImportState::Paused,
    ];
    step(
        app,
        id,
        open,
        ImportState::Cancelled,
        EventKind::ImportCancelled,
    )
    .await
}

async fn step(
    app: &App,
    id: i64,
    from: &'static [ImportState],
    to: ImportState,
    kind: EventKind,
) -> Result<(), ApiError> {
    let now = app.context.clock.now();
    let stepped = app
        .context
        .store
        .write(move |tx| {
            let Some(import) = imports::current(tx, id)? else {
                return Ok(false);
            };
            if !from.contains(&import.state) {
                return Ok(false);
            }
            // A listing that was not finished begins again.
            let to = if to == ImportState::Running && !import.listed {
                ImportState::Listing
            } else {
                to
            };
            imports::set_state(tx, import.id, to, now)?;
            let mut args = BTreeMap::new();
            if to == ImportState::Cancelled {
                args.insert(
                    "imported".to_owned(),
                    imports::totals(tx, import.id)?.0.imported.to_string(),
                );
            }
            events::add(tx, id, now, kind, &args)?;
            Ok(true)
        })
        .await?;
    app.context.nudge.notify_one();
    if stepped {
        Ok(())
    } else {
        Err(ApiError::new(ErrorCode::WrongState))
    }
}

/// What importing the newest `newest` mails would give; nothing is stored and the server is told nothing.
///
/// # Errors
/// [`ErrorCode::OutOfRange`] (at most 2,000 are rehearsed), [`ErrorCode::NotFound`], [`ErrorCode::WrongState`] for a
/// disconnected address, [`ErrorCode::Offline`], [`ErrorCode::ServerRefused`].
pub async fn rehearse_import(app: &App, id: i64, newest: u32) -> Result<Rehearsal, ApiError> {
    if !REHEARSED.contains(&newest) {
        return Err(ApiError::new(ErrorCode::OutOfRange)
            .arg("value", newest)
            .arg("least", REHEARSED.start())
            .arg("most", REHEARSED.end()));
    }
    let (row, account) = row_and_account(app, id).await?;
    if row.disconnected {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", &row.address));
    }
    let provider = app.context.connections.provider(&row, &account).await?;
    rehearse(&app.context, &row, &provider, newest)
        .await
        .map_err(ApiError::from)
}
