//! Addresses that fell silent, and what is still to be told about it. A change of state turns the news around: what was
//! not told yet needs no telling any more, what was told must be taken back.

use super::columns;
use crate::Millis;
use rusqlite::{Connection, Row};

/// An address that is silent, or that speaks again and somebody does not know yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilenceRow {
    /// The address.
    pub address_id: i64,
    /// Silent; otherwise polls work again.
    pub silent: bool,
    /// When that changed.
    pub changed_at: Millis,
    /// A notice is due.
    pub notice_due: bool,
    /// A mail to the failure list is due.
    pub mail_due: bool,
}

fn read(row: &Row<'_>) -> rusqlite::Result<SilenceRow> {
    Ok(SilenceRow {
        address_id: row.get(0)?,
        silent: row.get(1)?,
        changed_at: row.get(2)?,
        notice_due: row.get(3)?,
        mail_due: row.get(4)?,
    })
}

/// All of them.
pub fn all(conn: &Connection) -> rusqlite::Result<Vec<SilenceRow>> {
    conn.prepare_cached(
        "SELECT address_id, silent, changed_at, notice_due, mail_due FROM silences ORDER BY address_id",
    )?
    .query_map([], read)?
    .collect()
}

/// Whether this address is silent.
pub fn is_silent(conn: &Connection, address_id: i64) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM silences WHERE address_id = ?1 AND silent = 1)",
    )?
    .query_row([address_id], |row| row.get(0))
}

/// The address fell silent, or (`false`) speaks again.
pub fn change(
    conn: &Connection,
    address_id: i64,
    silent: bool,
    now: Millis,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO silences (address_id, silent, changed_at, notice_due, mail_due) VALUES (?1, ?2, ?3, 1, 1)
         ON CONFLICT (address_id) DO UPDATE SET silent = excluded.silent, changed_at = excluded.changed_at,
             notice_due = 1 - notice_due, mail_due = 1 - mail_due
         WHERE silent <> excluded.silent",
    )?
    .execute((address_id, silent, now))?;
    sweep(conn)
}

/// The person paused or disconnected it: there is nothing to tell.
pub fn remove(conn: &Connection, address_id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM silences WHERE address_id = ?1")?
        .execute([address_id])?;
    Ok(())
}

/// Notices about these were given.
pub fn noticed(conn: &Connection, address_ids: &[i64]) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE silences SET notice_due = 0 WHERE address_id IN (SELECT value FROM json_each(?1))",
    )?
    .execute([columns::json(&address_ids)?])?;
    sweep(conn)
}

/// A mail about these leaves now, or (`due`) did not leave after all. Those that speak again stay until then, so that a
/// refused mail can be tried again.
pub fn set_mail_due(conn: &Connection, rows: &[SilenceRow], due: bool) -> rusqlite::Result<()> {
    let mut update = conn.prepare_cached(
        "INSERT INTO silences (address_id, silent, changed_at, notice_due, mail_due) VALUES (?1, ?2, ?3, 0, ?4)
         ON CONFLICT (address_id) DO UPDATE SET mail_due = excluded.mail_due WHERE silent = excluded.silent",
    )?;
    for row in rows {
        update.execute((row.address_id, row.silent, row.changed_at, due))?;
    }
    sweep(conn)
}

/// What speaks and of which everything is told, leaves.
fn sweep(conn: &Connection) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "DELETE FROM silences WHERE silent = 0 AND notice_due = 0 AND mail_due = 0",
    )?
    .execute([])?;
    Ok(())
}
