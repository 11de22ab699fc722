//! An address that is read elsewhere from now on: where reading goes on there, and what of the former place ends. Tickets,
//! ledger and settings stay, and what is here already is known again by its fingerprint.

use super::error::{ApiError, ErrorCode};
use crate::Millis;
use crate::app::App;
use crate::store::addresses::{self, AddressRow};
use crate::store::after_import::{self, AfterImport};
use crate::store::events::{self, EventKind};
use crate::store::{imports, ledger, origins};
use rusqlite::Connection;
use std::sync::PoisonError;

/// Mail may become visible a little after the time stamp it bears.
const OVERLAP: Millis = 10 * 60_000;
/// While a domain's mail moves to another server it arrives at both, for as long as senders remember the former one: an MX
/// record lives for up to days (RFC 1035 §3.2.1, TTL), and mail is retried for days (RFC 5321 §4.5.4.1).
const MOVING: Millis = 3 * 24 * 60 * 60_000;

/// Refuses to go on while an import is under way: its list names messages as the present server does.
///
/// # Errors
/// [`ErrorCode::ImportRunning`], the database.
pub(super) async fn refuse_while_importing(app: &App, row: &AddressRow) -> Result<(), ApiError> {
    let id = row.id;
    let importing = app.context.store.read(move |db| is_importing(db, id));
    match importing.await? {
        true => Err(ApiError::new(ErrorCode::ImportRunning).arg("value", &row.address)),
        false => Ok(()),
    }
}

/// Whether an import of the address is under way; a paused one is.
pub(super) fn is_importing(db: &Connection, id: i64) -> rusqlite::Result<bool> {
    let import = imports::current(db, id)?;
    Ok(import.is_some_and(|import| import.ended_at.is_none()))
}

/// Where the same mailbox goes on that is reached in another way: at the last success, or at the oldest message that could
/// not be fetched or whose mark the server has not taken yet, for it is called otherwise there.
pub(super) fn since_success(db: &Connection, id: i64) -> rusqlite::Result<Millis> {
    let row = addresses::get(db, id)?;
    let success = row.and_then(|row| row.last_success_at).unwrap_or(0) - OVERLAP;
    let open = ledger::oldest_open(db, id)?;
    Ok(open.map_or(success, |open| open.min(success)))
}

/// Where another server goes on: some days before the newest mail that is here. The former one may have had nothing more
/// to tell while the mail arrived at the new one. Nothing goes further back than the address is read at all.
pub(super) fn since_newest(db: &Connection, row: &AddressRow) -> rusqlite::Result<Millis> {
    let begun = row.folder_since.unwrap_or(row.connected_at);
    let newest = ledger::received_nth_newest(db, row.id, 0)?.unwrap_or(begun);
    Ok(newest
        .min(since_success(db, row.id)?)
        .saturating_sub(MOVING)
        .max(begun))
}

/// Leaves the former place, and goes on at `cursor`. What the former server was still to be told is forgotten, and mail is
/// moved or deleted no more: that was rehearsed there. Returns how many marks were forgotten.
pub(super) fn write(
    tx: &Connection,
    row: &AddressRow,
    cursor: &str,
    now: Millis,
) -> rusqlite::Result<u32> {
    let forgotten = origins::leave(tx, row.id, now)?;
    addresses::set_cursor(tx, row.id, Some(cursor))?;
    if row.after_import.takes_away() {
        after_import::set(tx, row.id, &AfterImport::Read, None, None)?;
        let args = [("choice", "read"), ("folder", "")];
        let args = args.map(|(name, value)| (name.to_owned(), value.to_owned()));
        events::add(tx, row.id, now, EventKind::AfterImportChanged, &args.into())?;
    }
    Ok(forgotten)
}

/// Forgets what was rehearsed for the address: it was about another server's mail.
pub(super) fn forget_rehearsal(app: &App, id: i64) {
    app.rehearsed
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(&id);
}
