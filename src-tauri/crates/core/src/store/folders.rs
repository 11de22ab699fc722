//! The folder of an address that is read, and the one to read next.

use super::{columns, ledger};
use crate::Millis;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

/// A folder that the person chose, to be read as soon as the present one has been read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextFolder {
    /// Its path; nothing for the inbox.
    pub path: Option<String>,
    /// The server's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was chosen: older mail in it comes by an import only.
    pub since: Millis,
}

/// Another folder is to be read, or (nothing) the present one after all.
pub fn set_next(conn: &Connection, id: i64, next: Option<&NextFolder>) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET folder_next = ?2 WHERE id = ?1")?
        .execute((id, next.map(columns::json).transpose()?))?;
    Ok(())
}

/// The next folder is the one that is read from now on, from the instant it was chosen. `renumbered` where ids of
/// messages are the folder's own: those of the former folder are set apart, so that none is taken for one of the new
/// folder.
pub fn switch(
    conn: &Connection,
    id: i64,
    next: &NextFolder,
    renumbered: bool,
) -> rusqlite::Result<()> {
    if renumbered {
        ledger::set_apart(conn, id)?;
    }
    conn.prepare_cached(
        "UPDATE addresses SET folder_path = ?2, folder_id = ?3, folder_name = ?4, folder_since = ?5,
             folder_next = NULL, cursor = NULL
         WHERE id = ?1",
    )?
    .execute((id, &next.path, &next.id, &next.name, next.since))?;
    Ok(())
}

/// The folder is the same, but is called otherwise by now.
pub fn rename(conn: &Connection, id: i64, path: Option<&str>, name: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET folder_path = ?2, folder_name = ?3 WHERE id = ?1")?
        .execute((id, path, name))?;
    Ok(())
}
