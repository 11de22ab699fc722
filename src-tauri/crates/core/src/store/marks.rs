//! Marks (read, category, and moving or deleting) that the server has not yet taken.

use crate::Millis;
use rusqlite::Connection;

/// [`MarkRow::follow`] of a message that stays where it is.
pub const STAY: &str = r#"{"kind":"stay"}"#;

/// A mark to bring to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkRow {
    /// Stable id.
    pub id: i64,
    /// The server's id of the folder that the message was read from.
    pub folder_id: String,
    /// The server's id of the message.
    pub server_id: String,
    /// Category to add; nothing for none.
    pub category: Option<String>,
    /// What becomes of the message, once it is marked: the provider's own words, as JSON.
    pub follow: String,
    /// How often it was tried.
    pub attempts: u32,
}

/// A message is to be marked.
#[derive(Debug, Clone, Copy)]
pub struct NewMark<'a> {
    /// The server's id of the folder that it was read from.
    pub folder_id: &'a str,
    /// The server's id of the message.
    pub server_id: &'a str,
    /// Category to add; nothing for none.
    pub category: Option<&'a str>,
    /// As [`MarkRow::follow`].
    pub follow: &'a str,
}

/// Notes a mark; one that is waiting already takes the new values and is due at once.
pub fn add(conn: &Connection, address_id: i64, mark: &NewMark<'_>) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO marks (address_id, folder_id, server_id, category, follow) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (address_id, folder_id, server_id) DO UPDATE SET
             category = excluded.category, follow = excluded.follow, not_before = 0",
    )?
    .execute((
        address_id,
        mark.folder_id,
        mark.server_id,
        mark.category,
        mark.follow,
    ))?;
    Ok(())
}

/// Marks of an address that may be tried now, longest waiting first.
pub fn due(
    conn: &Connection,
    address_id: i64,
    now: Millis,
    limit: u32,
) -> rusqlite::Result<Vec<MarkRow>> {
    conn.prepare_cached(
        "SELECT id, folder_id, server_id, category, follow, attempts FROM marks
         WHERE address_id = ?1 AND not_before <= ?2 ORDER BY not_before, id LIMIT ?3",
    )?
    .query_map((address_id, now, limit), |row| {
        Ok(MarkRow {
            id: row.get(0)?,
            folder_id: row.get(1)?,
            server_id: row.get(2)?,
            category: row.get(3)?,
            follow: row.get(4)?,
            attempts: row.get(5)?,
        })
    })?
    .collect()
}

/// When the next mark of an address may be tried; nothing when none waits.
pub fn next_due(conn: &Connection, address_id: i64) -> rusqlite::Result<Option<Millis>> {
    conn.prepare_cached("SELECT min(not_before) FROM marks WHERE address_id = ?1")?
        .query_row([address_id], |row| row.get(0))
}

/// The server has taken the mark, or the message is gone.
pub fn done(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM marks WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

/// It did not work: counts the attempt, to be tried again from `not_before` on.
pub fn retry(conn: &Connection, id: i64, not_before: Millis) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE marks SET attempts = attempts + 1, not_before = ?2 WHERE id = ?1")?
        .execute((id, not_before))?;
    Ok(())
}

/// Marks of an address that wait after a refusal are due at once: somebody has looked into it, and asks again.
pub fn hurry(conn: &Connection, address_id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE marks SET not_before = 0 WHERE address_id = ?1")?
        .execute([address_id])?;
    Ok(())
}

/// How many marks of an address wait.
pub fn pending(conn: &Connection, address_id: i64) -> rusqlite::Result<u32> {
    conn.prepare_cached("SELECT count(*) FROM marks WHERE address_id = ?1")?
        .query_row([address_id], |row| row.get(0))
}

/// How often the most tried mark of an address was tried.
pub fn most_attempts(conn: &Connection, address_id: i64) -> rusqlite::Result<u32> {
    conn.prepare_cached("SELECT coalesce(max(attempts), 0) FROM marks WHERE address_id = ?1")?
        .query_row([address_id], |row| row.get(0))
}

/// Forgets what the server is still to be told: it knows the messages under other names from now on.
pub fn clear(conn: &Connection, address_id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM marks WHERE address_id = ?1")?
        .execute([address_id])?;
    Ok(())
}
