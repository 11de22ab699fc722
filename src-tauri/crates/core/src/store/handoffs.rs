//! Fixes that were handed over to somebody else and are waited for.

use super::{accounts, addresses, columns};
use crate::Millis;
use crate::account::{EmailAddress, ImapAuth, Registration};
use crate::diagnosis::handoff::{HandOffKind, Mailed, Values, covers};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

/// A hand-off as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOffRow {
    /// Stable id.
    pub id: i64,
    /// The address that it is about.
    pub address: String,
    /// The connected address of this name, where there is one.
    pub address_id: Option<i64>,
    /// With whom.
    pub kind: HandOffKind,
    /// The finding's code.
    pub code: String,
    /// The finding's values.
    pub args: Values,
    /// Whether only sending shows that it is mended.
    pub by_sending: bool,
    /// As which app, and where.
    pub registration: Registration,
    /// Scopes asked for.
    pub scopes: Vec<String>,
    /// Random text in the link's `state`.
    pub state: String,
    /// Whether the admin refused.
    pub denied: bool,
    /// Since when somebody is waited for.
    pub asked_at: Millis,
    /// When it was last looked whether it is done.
    pub checked_at: Option<Millis>,
    /// How it was last mailed.
    pub mailed: Option<Mailed>,
}

/// A hand-off to be kept.
#[derive(Debug, Clone)]
pub struct NewHandOff {
    /// The address that it is about.
    pub address: EmailAddress,
    /// With whom.
    pub kind: HandOffKind,
    /// The finding's code.
    pub code: String,
    /// The finding's values.
    pub args: Values,
    /// Whether only sending shows that it is mended.
    pub by_sending: bool,
    /// As which app, and where.
    pub registration: Registration,
    /// Scopes asked for.
    pub scopes: Vec<String>,
    /// Random text for the link's `state`.
    pub state: String,
}

impl NewHandOff {
    /// All that an approval mends is one topic; everything else is its own.
    fn topic(&self) -> String {
        match self.kind {
            HandOffKind::Approval => "approval".to_owned(),
            HandOffKind::Mailbox | HandOffKind::Tenant | HandOffKind::Registration => {
                self.code.to_ascii_lowercase()
            }
        }
    }
}

const COLUMNS: &str =
    "SELECT h.id, h.address, a.id, h.kind, h.code, h.args, h.by_sending, h.registration, h.scopes,
    h.state, h.denied, h.asked_at, h.checked_at, h.mailed
    FROM handoffs h LEFT JOIN addresses a ON a.address_key = h.address_key";

fn read(row: &Row<'_>) -> rusqlite::Result<HandOffRow> {
    let mailed: Option<String> = row.get(13)?;
    Ok(HandOffRow {
        id: row.get(0)?,
        address: row.get(1)?,
        address_id: row.get(2)?,
        kind: columns::get_word(row, 3)?,
        code: row.get(4)?,
        args: columns::get_json(row, 5)?,
        by_sending: row.get(6)?,
        registration: columns::get_json(row, 7)?,
        scopes: columns::get_json(row, 8)?,
        state: row.get(9)?,
        denied: row.get(10)?,
        asked_at: row.get(11)?,
        checked_at: row.get(12)?,
        mailed: mailed.map(|_| columns::get_json(row, 13)).transpose()?,
    })
}

/// Notes that somebody was asked. Asking again for the same keeps since when, unless the admin refused meanwhile or the
/// app is another one. Returns the id.
pub fn ask(conn: &Connection, new: &NewHandOff, now: Millis) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO handoffs (address, address_key, topic, kind, code, args, by_sending, registration, scopes,
             state, asked_at)
         VALUES (:address, :key, :topic, :kind, :code, :args, :by_sending, :registration, :scopes, :state, :now)
         ON CONFLICT (address_key, topic) DO UPDATE SET
             asked_at = CASE WHEN denied OR registration <> excluded.registration
                 THEN excluded.asked_at ELSE asked_at END,
             state = CASE WHEN denied OR registration <> excluded.registration
                 THEN excluded.state ELSE state END,
             kind = excluded.kind, code = excluded.code, args = excluded.args,
             registration = excluded.registration, scopes = excluded.scopes, denied = 0
         RETURNING id",
    )?
    .query_row(
        named_params! {
            ":address": new.address.as_str(),
            ":key": new.address.key(),
            ":topic": new.topic(),
            ":kind": columns::word(&new.kind)?,
            ":code": new.code,
            ":args": columns::json(&new.args)?,
            ":by_sending": new.by_sending,
            ":registration": columns::json(&new.registration)?,
            ":scopes": columns::json(&new.scopes)?,
            ":state": new.state,
            ":now": now,
        },
        |row| row.get(0),
    )
}

/// All hand-offs, oldest first.
pub fn all(conn: &Connection) -> rusqlite::Result<Vec<HandOffRow>> {
    conn.prepare_cached(&format!("{COLUMNS} ORDER BY h.asked_at, h.id"))?
        .query_map([], read)?
        .collect()
}

/// One hand-off.
pub fn get(conn: &Connection, id: i64) -> rusqlite::Result<Option<HandOffRow>> {
    conn.prepare_cached(&format!("{COLUMNS} WHERE h.id = ?1"))?
        .query_row([id], read)
        .optional()
}

/// The hand-offs about an address, by [`EmailAddress::key`], oldest first.
pub fn of_address(conn: &Connection, key: &str) -> rusqlite::Result<Vec<HandOffRow>> {
    conn.prepare_cached(&format!(
        "{COLUMNS} WHERE h.address_key = ?1 ORDER BY h.asked_at, h.id"
    ))?
    .query_map([key], read)?
    .collect()
}

/// The request for approval for an address, by [`EmailAddress::key`].
pub fn approval_of(conn: &Connection, key: &str) -> rusqlite::Result<Option<HandOffRow>> {
    conn.prepare_cached(&format!(
        "{COLUMNS} WHERE h.address_key = ?1 AND h.topic = 'approval'"
    ))?
    .query_row([key], read)
    .optional()
}

/// It was looked whether it is done; not yet.
pub fn set_checked(conn: &Connection, id: i64, now: Millis) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE handoffs SET checked_at = ?2 WHERE id = ?1")?
        .execute((id, now))?;
    Ok(())
}

/// The admin refused the approval for an address.
pub fn set_denied(conn: &Connection, key: &str, now: Millis) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE handoffs SET denied = 1, checked_at = ?2 WHERE address_key = ?1 AND topic = 'approval'",
    )?
    .execute((key, now))?;
    Ok(())
}

/// Notes, or takes back, that it was mailed.
pub fn set_mailed(conn: &Connection, id: i64, mailed: Option<&Mailed>) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE handoffs SET mailed = ?2 WHERE id = ?1")?
        .execute((id, mailed.map(columns::json).transpose()?))?;
    Ok(())
}

/// Nobody waits any more: done, or given up. Returns whether somebody did.
pub fn remove(conn: &Connection, id: i64) -> rusqlite::Result<bool> {
    let removed = conn
        .prepare_cached("DELETE FROM handoffs WHERE id = ?1")?
        .execute([id])?;
    Ok(removed > 0)
}

/// Mail is read from the address: what stood in the way of that is not waited for any more. An approval asked for more
/// than reading needs goes on being waited for until that is granted.
pub fn settle(conn: &Connection, address_id: i64) -> rusqlite::Result<()> {
    settle_what(conn, address_id, false)
}

/// The address sent a mail: what stood in the way of that is not waited for any more.
pub fn settle_sending(conn: &Connection, address_id: i64) -> rusqlite::Result<()> {
    settle_what(conn, address_id, true)
}

fn settle_what(conn: &Connection, address_id: i64, by_sending: bool) -> rusqlite::Result<()> {
    let waiting: Vec<HandOffRow> = conn
        .prepare_cached(&format!("{COLUMNS} WHERE a.id = ?1 AND h.by_sending = ?2"))?
        .query_map((address_id, by_sending), read)?
        .collect::<Result<_, _>>()?;
    for row in waiting {
        if is_granted(conn, &row)? {
            remove(conn, row.id)?;
        }
    }
    Ok(())
}

/// Whether nothing that `row` asks an approval for is missing: every permission of it was granted to the account that the
/// address is read with. Where a password opens the mailbox, no permission is needed any more; what is no approval asks
/// for none. Without a connected address nobody knows, and it is missing.
pub fn is_granted(conn: &Connection, row: &HandOffRow) -> rusqlite::Result<bool> {
    if row.kind != HandOffKind::Approval {
        return Ok(true);
    }
    let address = match row.address_id {
        Some(id) => addresses::get(conn, id)?,
        None => None,
    };
    let Some(address) = address else {
        return Ok(false);
    };
    if address.server.map(|server| server.auth) == Some(ImapAuth::Password) {
        return Ok(true);
    }
    let account = accounts::get(conn, address.account_id)?;
    Ok(account.is_some_and(|account| covers(&account.scopes, &row.scopes)))
}
