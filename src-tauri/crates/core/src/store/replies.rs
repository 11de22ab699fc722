//! Replies that were handed over, until it is known whether they left.

use crate::Millis;
use rusqlite::Connection;

/// A reply is about to be handed over. Noted before it leaves, so that a crash does not make anybody send it twice.
pub fn begin(
    conn: &Connection,
    ticket_id: i64,
    message_id: &str,
    now: Millis,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO replies (message_id, ticket_id, begun_at) VALUES (?1, ?2, ?3)",
    )?
    .execute((message_id, ticket_id, now))?;
    Ok(())
}

/// What became of a reply is known.
pub fn settle(conn: &Connection, message_id: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM replies WHERE message_id = ?1")?
        .execute([message_id])?;
    Ok(())
}

/// What became of all replies to a ticket does not matter any more.
pub fn forget(conn: &Connection, ticket_id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM replies WHERE ticket_id = ?1")?
        .execute([ticket_id])?;
    Ok(())
}

/// When the newest reply to a ticket was handed over of which nobody knows whether it left. One that came back by the
/// server, into the ticket, is known.
pub fn doubtful(conn: &Connection, ticket_id: i64) -> rusqlite::Result<Option<Millis>> {
    conn.prepare_cached(
        "SELECT max(begun_at) FROM replies r WHERE r.ticket_id = ?1 AND NOT EXISTS
             (SELECT 1 FROM messages m WHERE m.message_id = r.message_id)",
    )?
    .query_row([ticket_id], |row| row.get(0))
}
