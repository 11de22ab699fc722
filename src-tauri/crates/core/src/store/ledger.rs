//! The ledger: what became of every server message.

use super::columns;
use crate::Millis;
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of outcomes: `found = imported + duplicate + skipped + failed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct LedgerTotals {
    /// Server messages seen.
    pub found: u32,
    /// Became a ticket or joined one.
    pub imported: u32,
    /// Were here already.
    pub duplicate: u32,
    /// Left out for a reason.
    pub skipped: u32,
    /// Could not be read; tried again later.
    pub failed: u32,
}

/// What became of one server message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct LedgerRow {
    /// The server's id.
    pub server_id: String,
    /// `Message-ID` without angle brackets; nothing when the mail has none.
    pub message_id: Option<String>,
    /// Subject.
    pub subject: String,
    /// Sender's address.
    pub from: String,
    /// When the server received it.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub received_at: Millis,
    /// `imported`, `duplicate`, `skipped` or `failed`.
    pub outcome: Outcome,
    /// Why, for all but `imported`: a stable word, for instance `before_connection`, `gone`, `same_mail`.
    pub reason: Option<String>,
    /// The ticket it is in.
    #[cfg_attr(feature = "bindings", ts(type = "number | null"))]
    pub ticket_id: Option<i64>,
    /// When this was written.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub recorded_at: Millis,
}

/// What can become of a server message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Outcome {
    /// Became a ticket or joined one.
    Imported,
    /// Was here already.
    Duplicate,
    /// Left out for a reason.
    Skipped,
    /// Could not be read.
    Failed,
}

impl LedgerTotals {
    /// Counts `count` more messages with `outcome`.
    pub fn add(&mut self, outcome: Outcome, count: u32) {
        self.found += count;
        *match outcome {
            Outcome::Imported => &mut self.imported,
            Outcome::Duplicate => &mut self.duplicate,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Failed => &mut self.failed,
        } += count;
    }
}

/// What became of a server message, to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The address it came to.
    pub address_id: i64,
    /// The server's id.
    pub server_id: String,
    /// `Message-ID` without angle brackets.
    pub message_id: Option<String>,
    /// Subject.
    pub subject: String,
    /// Sender's address.
    pub from_address: String,
    /// When the server received it.
    pub received_at: Millis,
    /// What became of it.
    pub outcome: Outcome,
    /// Why: a stable word.
    pub reason: Option<String>,
    /// Our message that holds it.
    pub stored_message: Option<i64>,
    /// Now.
    pub recorded_at: Millis,
}

/// What is known of a server message: outcome, reason, number of attempts.
pub type Known = (Outcome, Option<String>, u32);

/// Which of `server_ids` are known, with outcome, reason and number of attempts.
pub fn known(
    conn: &Connection,
    address_id: i64,
    server_ids: &[String],
) -> rusqlite::Result<BTreeMap<String, Known>> {
    let mut select = conn.prepare_cached(
        "SELECT outcome, reason, attempts FROM ledger WHERE address_id = ?1 AND server_id = ?2",
    )?;
    let mut known = BTreeMap::new();
    for server_id in server_ids {
        let row = select
            .query_row((address_id, server_id), |row| {
                Ok((columns::get_word(row, 0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        if let Some(row) = row {
            known.insert(server_id.clone(), row);
        }
    }
    Ok(known)
}

/// Writes an outcome down. A later one takes an earlier one's place and counts as a further attempt;
/// `imported` is final.
pub fn record(conn: &Connection, entry: &LedgerEntry) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO ledger (address_id, server_id, message_id, subject, from_address, received_at, outcome,
             reason, stored_message, recorded_at)
         VALUES (:address_id, :server_id, :message_id, :subject, :from_address, :received_at, :outcome,
             :reason, :stored_message, :recorded_at)
         ON CONFLICT (address_id, server_id) DO UPDATE SET
             message_id = excluded.message_id, subject = excluded.subject,
             from_address = excluded.from_address, received_at = excluded.received_at,
             outcome = excluded.outcome, reason = excluded.reason,
             stored_message = excluded.stored_message, recorded_at = excluded.recorded_at,
             attempts = attempts + 1
         WHERE ledger.outcome <> 'imported'",
    )?
    .execute(named_params! {
        ":address_id": entry.address_id,
        ":server_id": entry.server_id,
        ":message_id": entry.message_id,
        ":subject": entry.subject,
        ":from_address": entry.from_address,
        ":received_at": entry.received_at,
        ":outcome": columns::word(&entry.outcome)?,
        ":reason": entry.reason,
        ":stored_message": entry.stored_message,
        ":recorded_at": entry.recorded_at,
    })?;
    Ok(())
}

/// Counts of all outcomes of an address.
pub fn totals(conn: &Connection, address_id: i64) -> rusqlite::Result<LedgerTotals> {
    let mut select = conn.prepare_cached(
        "SELECT outcome, count(*) FROM ledger WHERE address_id = ?1 GROUP BY outcome",
    )?;
    let mut rows = select.query([address_id])?;
    let mut totals = LedgerTotals::default();
    while let Some(row) = rows.next()? {
        totals.add(columns::get_word(row, 0)?, row.get(1)?);
    }
    Ok(totals)
}

/// Whether any message was seen in the folder that an address reads now: what a former folder had says nothing of it.
pub fn any_of_folder(conn: &Connection, address_id: i64) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM ledger l JOIN addresses a ON a.id = l.address_id
             WHERE l.address_id = ?1 AND l.server_id NOT LIKE 'former %'
               AND l.recorded_at >= coalesce(a.folder_since, 0))",
    )?
    .query_row([address_id], |row| row.get(0))
}

/// An address's ledger, newest received first; only the mail with `message_id`, and only one outcome, where given.
pub fn list(
    conn: &Connection,
    address_id: i64,
    message_id: Option<&str>,
    outcome: Option<Outcome>,
    offset: u32,
    limit: u32,
) -> rusqlite::Result<Vec<LedgerRow>> {
    let outcome = outcome.map(|outcome| columns::word(&outcome)).transpose()?;
    conn.prepare_cached(&listing(message_id.is_some(), outcome.is_some()))?
        .query_map(
            (address_id, message_id, outcome, limit, offset),
            read_listed,
        )?
        .collect()
}

/// One statement per combination, so that each has its index.
pub(super) fn listing(by_message_id: bool, by_outcome: bool) -> String {
    format!(
        "SELECT l.server_id, l.message_id, l.subject, l.from_address, l.received_at, l.outcome, l.reason,
             m.ticket_id, l.recorded_at
         FROM ledger l LEFT JOIN messages m ON m.id = l.stored_message
         WHERE l.address_id = ?1 AND {} AND {}
         ORDER BY l.received_at DESC, l.id DESC LIMIT ?4 OFFSET ?5",
        if by_message_id { "l.message_id = ?2" } else { "?2 IS NULL" },
        if by_outcome { "l.outcome = ?3" } else { "?3 IS NULL" },
    )
}

fn read_listed(row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
    Ok(LedgerRow {
        server_id: row.get(0)?,
        message_id: row.get(1)?,
        subject: row.get(2)?,
        from: row.get(3)?,
        received_at: row.get(4)?,
        outcome: columns::get_word(row, 5)?,
        reason: row.get(6)?,
        ticket_id: row.get(7)?,
        recorded_at: row.get(8)?,
    })
}

/// Which of `server_ids` are settled (neither failed nor left out as older than the connection), with outcome and
/// when that was written.
pub fn settled(
    conn: &Connection,
    address_id: i64,
    server_ids: &[String],
) -> rusqlite::Result<BTreeMap<String, (Outcome, Millis)>> {
    let mut select = conn.prepare_cached(
        "SELECT outcome, recorded_at FROM ledger
         WHERE address_id = ?1 AND server_id = ?2 AND outcome IN ('imported', 'duplicate')",
    )?;
    let mut settled = BTreeMap::new();
    for server_id in server_ids {
        let row = select
            .query_row((address_id, server_id), |row| {
                Ok((columns::get_word(row, 0)?, row.get(1)?))
            })
            .optional()?;
        if let Some(row) = row {
            settled.insert(server_id.clone(), row);
        }
    }
    Ok(settled)
}

/// When the `nth` newest message of an address was received; nothing when there are fewer.
pub fn received_nth_newest(
    conn: &Connection,
    address_id: i64,
    nth: u32,
) -> rusqlite::Result<Option<Millis>> {
    conn.prepare_cached(
        "SELECT received_at FROM ledger WHERE address_id = ?1 ORDER BY received_at DESC LIMIT 1 OFFSET ?2",
    )?
    .query_row((address_id, nth), |row| row.get(0))
    .optional()
}

/// Failed messages whose last attempt was before `at`, longest ago first, with their number of attempts.
pub fn failed_before(
    conn: &Connection,
    address_id: i64,
    at: Millis,
    limit: u32,
) -> rusqlite::Result<Vec<(LedgerEntry, u32)>> {
    conn.prepare_cached(FAILED_BEFORE)?
        .query_map((address_id, at, limit), |row| {
            let entry = LedgerEntry {
                address_id,
                server_id: row.get(0)?,
                message_id: row.get(1)?,
                subject: row.get(2)?,
                from_address: row.get(3)?,
                received_at: row.get(4)?,
                outcome: Outcome::Failed,
                reason: row.get(5)?,
                stored_message: row.get(6)?,
                recorded_at: row.get(7)?,
            };
            Ok((entry, row.get(8)?))
        })?
        .collect()
}

pub(super) const FAILED_BEFORE: &str =
    "SELECT server_id, message_id, subject, from_address, received_at, reason, stored_message, recorded_at, attempts
     FROM ledger WHERE address_id = ?1 AND outcome = 'failed' AND recorded_at < ?2
         AND server_id NOT LIKE 'former %'
     ORDER BY recorded_at LIMIT ?3";

/// Sets an address's messages so far apart: what the server calls by their ids from now on is something else, and none is
/// taken for one of the new.
pub fn set_apart(conn: &Connection, address_id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE ledger SET server_id = 'former ' || id || ' ' || server_id
         WHERE address_id = ?1 AND server_id NOT LIKE 'former %'",
    )?
    .execute([address_id])?;
    Ok(())
}

/// When the oldest message arrived that is not done with: it could not be fetched, or its mark was not taken yet.
pub fn oldest_open(conn: &Connection, address_id: i64) -> rusqlite::Result<Option<Millis>> {
    conn.prepare_cached(
        "SELECT min(received_at) FROM ledger l WHERE l.address_id = ?1 AND l.server_id NOT LIKE 'former %' AND (l.outcome = 'failed' OR EXISTS (
             SELECT 1 FROM marks m WHERE m.address_id = l.address_id AND m.server_id = l.server_id))",
    )?
    .query_row([address_id], |row| row.get(0))
}
