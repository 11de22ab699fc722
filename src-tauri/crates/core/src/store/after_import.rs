//! What becomes of mail on the server once it is imported.

use super::{columns, marks};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

/// Stands for the folder of mail that is removed for good. No folder has this id.
pub const FOR_GOOD: &str = "";

/// What becomes of mail on the server once it is imported. Mail that was there already (a duplicate), was left out or
/// could not be read is never moved and never deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum AfterImport {
    /// Nothing: neither read nor category.
    Leave,
    /// It is marked read and gets the category.
    #[default]
    Read,
    /// It is marked, then moved.
    Move {
        /// Path of the folder.
        folder: String,
    },
    /// It is marked, then deleted as mail programs do: where there is a folder for deleted mail, it goes there.
    Delete,
}

impl AfterImport {
    /// Whether mail leaves its folder.
    pub fn takes_away(&self) -> bool {
        match self {
            Self::Leave | Self::Read => false,
            Self::Move { .. } | Self::Delete => true,
        }
    }
}

/// Chooses what becomes of mail imported from now on; `folder_id` is that of the folder to move to, and `moving` the
/// mark that does it. Mail that waits to be moved or deleted follows a milder choice: it stays, or it is moved to the
/// new folder; whoever leaves mail untouched has nothing that waits. What waits to be deleted goes to the folder that a
/// later choice to delete names. What waits to be marked only is not deleted by a later choice.
pub fn set(
    conn: &Connection,
    id: i64,
    choice: &AfterImport,
    folder_id: Option<&str>,
    moving: Option<&str>,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE addresses SET after_import = ?2, after_import_folder = ?3 WHERE id = ?1",
    )?
    .execute((id, columns::json(choice)?, folder_id))?;
    let follow = match choice {
        AfterImport::Leave => return marks::clear(conn, id),
        AfterImport::Read => marks::STAY,
        AfterImport::Move { .. } => moving.unwrap_or(marks::STAY),
        AfterImport::Delete => {
            if let Some(moving) = moving.filter(|_| folder_id != Some(FOR_GOOD)) {
                conn.prepare_cached(
                    r#"UPDATE marks SET follow = ?2, not_before = 0 WHERE address_id = ?1
                         AND (follow LIKE '{"kind":"delete"%' OR follow LIKE '{"kind":"remove"%')"#,
                )?
                .execute((id, moving))?;
            }
            return Ok(());
        }
    };
    conn.prepare_cached(
        "UPDATE marks SET follow = ?2, not_before = 0 WHERE address_id = ?1 AND follow <> ?3",
    )?
    .execute((id, follow, marks::STAY))?;
    Ok(())
}

/// The server's ids of imported mail of an address, newest first: what a choice for older mail is about. Mail of
/// folders that were read earlier may be among it; it is left alone on the server.
pub fn imported(conn: &Connection, id: i64) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached(
        "SELECT server_id FROM ledger WHERE address_id = ?1 AND outcome = 'imported'
             AND server_id NOT LIKE 'former %'
         ORDER BY received_at DESC, id DESC",
    )?
    .query_map([id], |row| row.get(0))?
    .collect()
}

/// Other addresses of the same mailbox whose imported mail is moved to the folder `folder_id`, which `id` reads. What they
/// moved there has its ticket.
pub fn moving_to(conn: &Connection, id: i64, folder_id: &str) -> rusqlite::Result<Vec<i64>> {
    conn.prepare_cached(
        "SELECT other.id FROM addresses other JOIN addresses own ON own.id = ?1
         WHERE other.id <> own.id AND other.after_import_folder = ?2
             AND (other.server IS NULL AND own.server IS NULL
                 OR lower(json_extract(other.server, '$.host')) = lower(json_extract(own.server, '$.host'))
                     AND json_extract(other.server, '$.login') = json_extract(own.server, '$.login'))",
    )?
    .query_map((id, folder_id), |row| row.get(0))?
    .collect()
}
