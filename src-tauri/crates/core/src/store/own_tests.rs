//! Test mails that an address sent to itself.

use super::{addresses, columns};
use crate::Millis;
use crate::diagnosis::Finding;
use rusqlite::{Connection, OptionalExtension};

/// A test mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnTest {
    /// Stable id.
    pub id: i64,
    /// When it was handed to the server.
    pub sent_at: Millis,
    /// When it was there.
    pub arrived_at: Option<Millis>,
    /// Milliseconds from sending to arrival.
    pub took_ms: Option<u32>,
    /// Whether it arrived in the inbox, and not in the folder that the address reads.
    pub in_inbox: bool,
    /// Why the server did not take it.
    pub refusal: Option<Finding>,
}

/// A test mail is about to be sent. Noted before it leaves, so that its arrival is never taken for a customer's mail.
/// Returns its id.
pub fn begin(
    conn: &Connection,
    address_id: i64,
    message_id: &str,
    token: &str,
    now: Millis,
) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO own_tests (address_id, message_id, token, sent_at) VALUES (?1, ?2, ?3, ?4)
         RETURNING id",
    )?
    .query_row((address_id, message_id, token, now), |row| row.get(0))
}

/// The server did not take it.
pub fn refused(conn: &Connection, id: i64, refusal: &Finding) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE own_tests SET refusal = ?2 WHERE id = ?1")?
        .execute((id, columns::json(refusal)?))?;
    Ok(())
}

/// It is there, in the folder that is read or in the inbox beside it, and the time was measured.
pub fn arrived(
    conn: &Connection,
    id: i64,
    at: Millis,
    took_ms: u32,
    in_inbox: bool,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE own_tests SET arrived_at = ?2, took_ms = ?3, in_inbox = ?4 WHERE id = ?1",
    )?
    .execute((id, at, took_ms, in_inbox))?;
    proven(conn, id)
}

/// A poll of an address came upon it: its arrival counts by the server's clock unless it was measured. In the folder of
/// another address it is no more than in the mailbox.
pub fn seen(
    conn: &Connection,
    id: i64,
    address_id: i64,
    received_at: Millis,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE own_tests SET
             in_inbox = CASE WHEN address_id = ?2 THEN 0 WHEN arrived_at IS NULL THEN 1 ELSE in_inbox END,
             arrived_at = coalesce(arrived_at, max(?3, sent_at)),
             took_ms = coalesce(took_ms, max(?3 - sent_at, 0))
         WHERE id = ?1",
    )?
    .execute((id, address_id, received_at))?;
    proven(conn, id)
}

fn proven(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    let address = conn
        .prepare_cached("SELECT address_id FROM own_tests WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    address.map_or(Ok(()), |address| addresses::default_if_only(conn, address))
}

/// When the present connection of an address was proven: a test mail that it sent to itself since somebody last signed
/// in for it has arrived. The latest such arrival.
pub fn proven_at(conn: &Connection, address_id: i64) -> rusqlite::Result<Option<Millis>> {
    conn.prepare_cached(
        "SELECT max(t.arrived_at) FROM own_tests t JOIN addresses a ON a.id = t.address_id
         WHERE t.address_id = ?1 AND t.sent_at >= a.signed_in_at AND t.refusal IS NULL",
    )?
    .query_row([address_id], |row| row.get(0))
}

/// The latest test of an address.
pub fn latest(conn: &Connection, address_id: i64) -> rusqlite::Result<Option<OwnTest>> {
    conn.prepare_cached(
        "SELECT id, sent_at, arrived_at, took_ms, refusal, in_inbox FROM own_tests
         WHERE address_id = ?1 ORDER BY id DESC LIMIT 1",
    )?
    .query_row([address_id], |row| {
        Ok(OwnTest {
            id: row.get(0)?,
            sent_at: row.get(1)?,
            arrived_at: row.get(2)?,
            took_ms: row.get(3)?,
            refusal: columns::get_optional_json(row, 4)?,
            in_inbox: row.get(5)?,
        })
    })
    .optional()
}

/// Whether a mail is one of our tests: by its Message-ID, or by the last word of its subject. Both are random, so
/// nobody else's mail can pass for one.
pub fn find(
    conn: &Connection,
    message_id: Option<&str>,
    subject: &str,
) -> rusqlite::Result<Option<i64>> {
    let token = subject.split_whitespace().next_back().unwrap_or_default();
    conn.prepare_cached(
        "SELECT id FROM own_tests WHERE message_id = ?1 OR token = ?2 ORDER BY id DESC LIMIT 1",
    )?
    .query_row((message_id, token), |row| row.get(0))
    .optional()
}
