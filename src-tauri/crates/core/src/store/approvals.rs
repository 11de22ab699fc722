//! Requests for approval that wait for a tenant's admin.

use super::columns;
use crate::Millis;
use crate::account::{EmailAddress, Registration};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

/// A request for approval as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRow {
    /// Stable id.
    pub id: i64,
    /// The address that is to be connected.
    pub address: String,
    /// The connected address of this name, where there is one.
    pub address_id: Option<i64>,
    /// As which app, and where.
    pub registration: Registration,
    /// Scopes asked for.
    pub scopes: Vec<String>,
    /// Random text in the link's `state`.
    pub state: String,
    /// Whether the admin refused.
    pub denied: bool,
    /// Since when the admin is waited for.
    pub asked_at: Millis,
    /// When it was last looked whether approval is there.
    pub checked_at: Option<Millis>,
}

const COLUMNS: &str =
    "SELECT p.id, p.address, a.id, p.registration, p.scopes, p.state, p.denied, p.asked_at,
    p.checked_at
    FROM approvals p LEFT JOIN addresses a ON a.address_key = p.address_key";

fn read(row: &Row<'_>) -> rusqlite::Result<ApprovalRow> {
    Ok(ApprovalRow {
        id: row.get(0)?,
        address: row.get(1)?,
        address_id: row.get(2)?,
        registration: columns::get_json(row, 3)?,
        scopes: columns::get_json(row, 4)?,
        state: row.get(5)?,
        denied: row.get(6)?,
        asked_at: row.get(7)?,
        checked_at: row.get(8)?,
    })
}

/// Notes that an admin was asked. Asking again for the same address keeps since when, unless the admin refused
/// meanwhile or the app is another one. Returns the id.
pub fn ask(
    conn: &Connection,
    address: &EmailAddress,
    registration: &Registration,
    scopes: &[String],
    state: &str,
    now: Millis,
) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO approvals (address, address_key, registration, scopes, state, asked_at)
         VALUES (:address, :key, :registration, :scopes, :state, :now)
         ON CONFLICT (address_key) DO UPDATE SET
             asked_at = CASE WHEN denied OR registration <> excluded.registration
                 THEN excluded.asked_at ELSE asked_at END,
             state = CASE WHEN denied OR registration <> excluded.registration
                 THEN excluded.state ELSE state END,
             registration = excluded.registration, scopes = excluded.scopes, denied = 0
         RETURNING id",
    )?
    .query_row(
        named_params! {
            ":address": address.as_str(),
            ":key": address.key(),
            ":registration": columns::json(registration)?,
            ":scopes": columns::json(&scopes)?,
            ":state": state,
            ":now": now,
        },
        |row| row.get(0),
    )
}

/// All requests, oldest first.
pub fn all(conn: &Connection) -> rusqlite::Result<Vec<ApprovalRow>> {
    conn.prepare_cached(&format!("{COLUMNS} ORDER BY p.asked_at, p.id"))?
        .query_map([], read)?
        .collect()
}

/// One request.
pub fn get(conn: &Connection, id: i64) -> rusqlite::Result<Option<ApprovalRow>> {
    conn.prepare_cached(&format!("{COLUMNS} WHERE p.id = ?1"))?
        .query_row([id], read)
        .optional()
}

/// The request for an address, by [`EmailAddress::key`].
pub fn of_address(conn: &Connection, key: &str) -> rusqlite::Result<Option<ApprovalRow>> {
    conn.prepare_cached(&format!("{COLUMNS} WHERE p.address_key = ?1"))?
        .query_row([key], read)
        .optional()
}

/// It was looked whether approval is there; not yet.
pub fn set_checked(conn: &Connection, id: i64, now: Millis) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE approvals SET checked_at = ?2 WHERE id = ?1")?
        .execute((id, now))?;
    Ok(())
}

/// The admin refused.
pub fn set_denied(conn: &Connection, key: &str, now: Millis) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE approvals SET denied = 1, checked_at = ?2 WHERE address_key = ?1")?
        .execute((key, now))?;
    Ok(())
}

/// Nobody waits any more: approved, or given up. Returns whether somebody did.
pub fn remove(conn: &Connection, id: i64) -> rusqlite::Result<bool> {
    let removed = conn
        .prepare_cached("DELETE FROM approvals WHERE id = ?1")?
        .execute([id])?;
    Ok(removed > 0)
}

/// The address works: nobody waits any more.
pub fn settle(conn: &Connection, address_id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "DELETE FROM approvals
         WHERE address_key = (SELECT address_key FROM addresses WHERE id = ?1)",
    )?
    .execute([address_id])?;
    Ok(())
}
