//! Imports of the newest mails: what was asked for, what the server listed, what became of each.

use super::columns;
use super::ledger::{LedgerTotals, Outcome};
use crate::Millis;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An import of the newest mails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ImportView {
    /// Where it stands.
    pub state: ImportState,
    /// How many were asked for.
    pub newest: u32,
    /// Outcomes so far; `found` is what the server has of the asked-for number.
    pub totals: LedgerTotals,
    /// Messages still to do.
    pub pending: u32,
    /// Messages per second over the last seconds.
    pub rate: f64,
    /// Seconds left at that rate.
    pub seconds_left: Option<u32>,
    /// When it began.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub started_at: Millis,
    /// When it ended.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub ended_at: Option<Millis>,
}

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ImportState {
    /// The list of the newest mails is being read.
    Listing,
    /// Mails are being fetched.
    Running,
    /// The person paused it.
    Paused,
    /// The person cancelled it; what is imported stays.
    Cancelled,
    /// All done.
    Done,
}

/// An import as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// Stable id.
    pub id: i64,
    /// The address it belongs to.
    pub address_id: i64,
    /// How many mails were asked for.
    pub newest: u32,
    /// Only mail received at or before.
    pub until: Millis,
    /// Where it stands.
    pub state: ImportState,
    /// Whether its list of mails is complete.
    pub listed: bool,
    /// When it began.
    pub started_at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
}

const COLUMNS: &str =
    "SELECT id, address_id, newest, until, state, listed, started_at, ended_at FROM imports";

fn read(row: &Row<'_>) -> rusqlite::Result<ImportRow> {
    Ok(ImportRow {
        id: row.get(0)?,
        address_id: row.get(1)?,
        newest: row.get(2)?,
        until: row.get(3)?,
        state: columns::get_word(row, 4)?,
        listed: row.get(5)?,
        started_at: row.get(6)?,
        ended_at: row.get(7)?,
    })
}

/// Begins an import in state `listing` and returns its id; a former unfinished one of the same address ends
/// as cancelled.
pub fn start(
    conn: &Connection,
    address_id: i64,
    newest: u32,
    until: Millis,
    now: Millis,
) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "UPDATE imports SET state = 'cancelled', ended_at = ?2
         WHERE address_id = ?1 AND state NOT IN ('cancelled', 'done')",
    )?
    .execute((address_id, now))?;
    conn.prepare_cached(
        "INSERT INTO imports (address_id, newest, until, state, started_at)
         VALUES (?1, ?2, ?3, 'listing', ?4)",
    )?
    .insert((address_id, newest, until, now))
}

/// The present or latest import of an address.
pub fn current(conn: &Connection, address_id: i64) -> rusqlite::Result<Option<ImportRow>> {
    conn.prepare_cached(&format!(
        "{COLUMNS} WHERE address_id = ?1 ORDER BY id DESC LIMIT 1"
    ))?
    .query_row([address_id], read)
    .optional()
}

/// One import.
pub fn get(conn: &Connection, import_id: i64) -> rusqlite::Result<Option<ImportRow>> {
    conn.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
        .query_row([import_id], read)
        .optional()
}

/// Imports that are neither cancelled nor done, oldest first.
pub fn unfinished(conn: &Connection) -> rusqlite::Result<Vec<ImportRow>> {
    conn.prepare_cached(&format!(
        "{COLUMNS} WHERE state NOT IN ('cancelled', 'done') ORDER BY id"
    ))?
    .query_map([], read)?
    .collect()
}

/// Adds listed mails as `(server_id, listing)` (the listing is JSON of the caller's), from position
/// `position_from` on (0 is the newest). Ids that are there already are left out and leave no gap: the next free
/// position is always the number of items. Returns how many were added.
pub fn add_items(
    conn: &Connection,
    import_id: i64,
    position_from: u32,
    items: &[(String, String)],
) -> rusqlite::Result<usize> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO import_items (import_id, position, server_id, listing) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (import_id, server_id) DO NOTHING",
    )?;
    let mut added = 0;
    for (server_id, listing) in items {
        let position = i64::from(position_from) + added;
        added += i64::try_from(insert.execute((import_id, position, server_id, listing))?)
            .unwrap_or_default();
    }
    Ok(usize::try_from(added).unwrap_or_default())
}

/// How many mails are listed so far.
pub fn items(conn: &Connection, import_id: i64) -> rusqlite::Result<u32> {
    conn.prepare_cached("SELECT count(*) FROM import_items WHERE import_id = ?1")?
        .query_row([import_id], |row| row.get(0))
}

/// The list is complete; a listing import runs from now on (a paused one stays paused).
pub fn mark_listed(conn: &Connection, import_id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE imports SET listed = 1, state = iif(state = 'listing', 'running', state) WHERE id = ?1",
    )?
    .execute([import_id])?;
    Ok(())
}

/// The server's ids are void: the list is made anew. What is imported already turns out to be so by its content.
pub fn list_again(conn: &Connection, import_id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM import_items WHERE import_id = ?1")?
        .execute([import_id])?;
    conn.prepare_cached(
        "UPDATE imports SET listed = 0, state = iif(state = 'running', 'listing', state) WHERE id = ?1",
    )?
    .execute([import_id])?;
    Ok(())
}

/// Ends what is unfinished of an address's imports, and sets the listed mails apart: the server calls others by their ids
/// from now on.
pub fn set_apart(conn: &Connection, address_id: i64, now: Millis) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE imports SET state = 'cancelled', ended_at = ?2
         WHERE address_id = ?1 AND state NOT IN ('cancelled', 'done')",
    )?
    .execute((address_id, now))?;
    conn.prepare_cached(
        "UPDATE import_items SET server_id = 'former ' || position || ' ' || server_id
         WHERE import_id IN (SELECT id FROM imports WHERE address_id = ?1) AND server_id NOT LIKE 'former %'",
    )?
    .execute([address_id])?;
    Ok(())
}

/// The next mails to do, oldest first, so that answers find what they answer: `(position, server_id, listing)`.
pub fn next_items(
    conn: &Connection,
    import_id: i64,
    limit: u32,
) -> rusqlite::Result<Vec<(u32, String, String)>> {
    conn.prepare_cached(
        "SELECT position, server_id, listing FROM import_items
         WHERE import_id = ?1 AND outcome IS NULL ORDER BY position DESC LIMIT ?2",
    )?
    .query_map((import_id, limit), |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?
    .collect()
}

/// Which of `server_ids` the import lists.
pub fn listed_among(
    conn: &Connection,
    import_id: i64,
    server_ids: &[String],
) -> rusqlite::Result<BTreeSet<String>> {
    let mut select = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM import_items WHERE import_id = ?1 AND server_id = ?2)",
    )?;
    let mut listed = BTreeSet::new();
    for server_id in server_ids {
        if select.query_row((import_id, server_id), |row| row.get(0))? {
            listed.insert(server_id.clone());
        }
    }
    Ok(listed)
}

/// The listing of the oldest mail that the import lists.
pub fn oldest_listed(conn: &Connection, import_id: i64) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached(
        "SELECT listing FROM import_items WHERE import_id = ?1 ORDER BY position DESC LIMIT 1",
    )?
    .query_row([import_id], |row| row.get(0))
    .optional()
}

/// Notes what became of a mail.
pub fn record_item(
    conn: &Connection,
    import_id: i64,
    server_id: &str,
    outcome: Outcome,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE import_items SET outcome = ?3 WHERE import_id = ?1 AND server_id = ?2",
    )?
    .execute((import_id, server_id, columns::word(&outcome)?))?;
    Ok(())
}

/// Outcomes so far and the number still to do; `found` is all that is listed, so
/// `found = imported + duplicate + skipped + failed + pending`.
pub fn totals(conn: &Connection, import_id: i64) -> rusqlite::Result<(LedgerTotals, u32)> {
    let mut select = conn.prepare_cached(
        "SELECT outcome, count(*) FROM import_items WHERE import_id = ?1 GROUP BY outcome",
    )?;
    let mut rows = select.query([import_id])?;
    let mut totals = LedgerTotals::default();
    let mut pending = 0;
    while let Some(row) = rows.next()? {
        let count = row.get(1)?;
        if row.get_ref(0)? == rusqlite::types::ValueRef::Null {
            totals.found += count;
            pending = count;
        } else {
            totals.add(columns::get_word(row, 0)?, count);
        }
    }
    Ok((totals, pending))
}

/// Moves an import to `state`; `cancelled` and `done` note when.
pub fn set_state(
    conn: &Connection,
    import_id: i64,
    state: ImportState,
    now: Millis,
) -> rusqlite::Result<()> {
    let ended_at = match state {
        ImportState::Cancelled | ImportState::Done => Some(now),
        ImportState::Listing | ImportState::Running | ImportState::Paused => None,
    };
    conn.prepare_cached("UPDATE imports SET state = ?2, ended_at = ?3 WHERE id = ?1")?
        .execute((import_id, columns::word(&state)?, ended_at))?;
    Ok(())
}
