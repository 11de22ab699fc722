//! The timeline of an address.

use super::columns;
use crate::Millis;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One entry of an address's timeline. Shells have words per `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct EventView {
    /// When.
    #[cfg_attr(feature = "bindings", ts(type = "number"))]
    pub at: Millis,
    /// What happened.
    pub kind: EventKind,
    /// Values for the words.
    pub args: std::collections::BTreeMap<String, String>,
}

/// What can stand in a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum EventKind {
    /// Connected. `login`
    Connected,
    /// Disconnected by the person.
    Disconnected,
    /// Disconnecting was undone.
    DisconnectUndone,
    /// Signed in again. `login`
    Reconnected,
    /// Paused by the person.
    Paused,
    /// Resumed by the person.
    Resumed,
    /// An import began. `newest`
    ImportStarted,
    /// An import was paused.
    ImportPaused,
    /// An import went on.
    ImportResumed,
    /// An import was cancelled. `imported`
    ImportCancelled,
    /// An import ended. `found`, `imported`, `duplicate`, `skipped`, `failed`
    ImportDone,
    /// A poll brought messages. `count`
    Fetched,
    /// A poll failed. `code`
    PollFailed,
    /// Polling works again. `after_s`
    Recovered,
    /// The network went away.
    WentOffline,
    /// The network is back. `after_s`
    CameOnline,
    /// The computer slept. `seconds`
    Slept,
    /// The server asked us to wait. `seconds`
    Throttled,
    /// The server forgot our cursor; everything was compared again.
    CursorExpired,
    /// Settings were changed.
    SettingsChanged,
    /// Another server, or the same one otherwise, is read from now on. `from`, `to`, `marks` (that wait no more)
    ServerChanged,
    /// Another folder is read from now on. `from`, `to`
    FolderChanged,
    /// The folder that is read is called otherwise by now. `from`, `to`
    FolderRenamed,
    /// Another choice of what becomes of mail on the server. `choice` (`leave`, `read`, `move`, `delete`), `folder`
    AfterImportChanged,
    /// A message could not be fetched. `subject`, `code`
    MessageFailed,
    /// The server did not take a mark. `code`
    MarkFailed,
    /// Somebody else was asked to mend something. `code`
    AdminAsked,
    /// The request left as a mail. `from`, `to`
    AdminMailed,
}

/// The most that is kept per address.
const KEPT: u32 = 1_000;

/// Adds an entry; the oldest beyond a thousand leaves.
pub fn add(
    conn: &Connection,
    address_id: i64,
    at: Millis,
    kind: EventKind,
    args: &BTreeMap<String, String>,
) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO events (address_id, at, kind, args) VALUES (?1, ?2, ?3, ?4)")?
        .execute((address_id, at, columns::word(&kind)?, columns::json(args)?))?;
    conn.prepare_cached(
        "DELETE FROM events WHERE address_id = ?1 AND id <=
             (SELECT id FROM events WHERE address_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute((address_id, KEPT))?;
    Ok(())
}

/// The newest entries, newest first.
pub fn list(conn: &Connection, address_id: i64, limit: u32) -> rusqlite::Result<Vec<EventView>> {
    conn.prepare_cached(
        "SELECT at, kind, args FROM events WHERE address_id = ?1 ORDER BY id DESC LIMIT ?2",
    )?
    .query_map((address_id, limit), |row| {
        Ok(EventView {
            at: row.get(0)?,
            kind: columns::get_word(row, 1)?,
            args: columns::get_json(row, 2)?,
        })
    })?
    .collect()
}

/// The newest entry of a kind.
pub fn last_of(
    conn: &Connection,
    address_id: i64,
    kind: EventKind,
) -> rusqlite::Result<Option<EventView>> {
    conn.prepare_cached(
        "SELECT at, kind, args FROM events WHERE address_id = ?1 AND kind = ?2 ORDER BY id DESC LIMIT 1",
    )?
    .query_row((address_id, columns::word(&kind)?), |row| {
        Ok(EventView {
            at: row.get(0)?,
            kind: columns::get_word(row, 1)?,
            args: columns::get_json(row, 2)?,
        })
    })
    .optional()
}
