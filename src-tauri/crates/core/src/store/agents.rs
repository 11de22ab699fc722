//! Agents: the people of the team. A mailbox of one of them is not connected by mistake.

use crate::Millis;
use crate::account::EmailAddress;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

/// Somebody of the team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct AgentView {
    /// Stable id.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub id: i64,
    /// Their name; may be empty.
    pub name: String,
    /// Their own address.
    pub address: String,
    /// When they were added.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub added_at: Millis,
}

/// Everybody, by name and address.
pub fn all(conn: &Connection) -> rusqlite::Result<Vec<AgentView>> {
    conn.prepare_cached(
        "SELECT id, name, address, added_at FROM agents ORDER BY name COLLATE NOCASE, address_key",
    )?
    .query_map([], |row| {
        Ok(AgentView {
            id: row.get(0)?,
            name: row.get(1)?,
            address: row.get(2)?,
            added_at: row.get(3)?,
        })
    })?
    .collect()
}

/// Adds somebody, or gives the one with this address another name. Returns their id.
pub fn put(
    conn: &Connection,
    name: &str,
    address: &EmailAddress,
    now: Millis,
) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO agents (name, address, address_key, added_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (address_key) DO UPDATE SET name = excluded.name, address = excluded.address
         RETURNING id",
    )?
    .query_row((name, address.as_str(), address.key(), now), |row| {
        row.get(0)
    })
}

/// The id of the one with this address ([`EmailAddress::key`]).
pub fn by_key(conn: &Connection, key: &str) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT id FROM agents WHERE address_key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

/// Removes somebody; says whether they were there.
pub fn remove(conn: &Connection, id: i64) -> rusqlite::Result<bool> {
    let removed = conn
        .prepare_cached("DELETE FROM agents WHERE id = ?1")?
        .execute([id])?;
    Ok(removed > 0)
}
