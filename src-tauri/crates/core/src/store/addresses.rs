//! Addresses and, as one address has at most one, their connections.

use super::after_import::AfterImport;
use super::folders::NextFolder;
use super::{brands, columns, handoffs, own_tests};
use crate::Millis;
use crate::account::{EmailAddress, ImapServer, SmtpServer};
use crate::diagnosis::Finding;
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde::{Deserialize, Serialize};

/// How mail is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ProviderKind {
    /// Microsoft Graph.
    Graph,
    /// IMAP and SMTP.
    Imap,
    /// Exchange Web Services.
    Ews,
}

/// An address as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRow {
    /// Stable id.
    pub id: i64,
    /// The address as shown.
    pub address: String,
    /// The form to compare: [`EmailAddress::key`].
    pub address_key: String,
    /// Name of the brand it belongs to.
    pub brand: String,
    /// Whether mail without another sender leaves from here.
    pub is_default: bool,
    /// Whether it belongs to the practice tenant.
    pub sandbox: bool,
    /// How it is reached.
    pub provider: ProviderKind,
    /// The server, for IMAP.
    pub server: Option<ImapServer>,
    /// The server that takes mail, where the provider does not send by itself.
    pub outbound: Option<SmtpServer>,
    /// Who signed in.
    pub account_id: i64,
    /// The shared mailbox's address; nothing for the account's own.
    pub mailbox: Option<String>,
    /// Path of the folder that is read; nothing for the inbox.
    pub folder_path: Option<String>,
    /// The server's id of that folder.
    pub folder_id: String,
    /// Its name.
    pub folder_name: String,
    /// The folder that is read as soon as this one has been read to its end, after the person chose another.
    pub next_folder: Option<NextFolder>,
    /// Since when this folder is read; nothing: since the connection.
    pub folder_since: Option<Millis>,
    /// What becomes of mail on the server once it is imported.
    pub after_import: AfterImport,
    /// The server's id of the folder that it is moved to, also where it is deleted; [`super::after_import::FOR_GOOD`]
    /// where that was rehearsed. Deleting without any was chosen before the folder was noted.
    pub after_import_folder: Option<String>,
    /// Seconds between polls.
    pub poll_interval_s: u32,
    /// Category put on imported mail; empty for none.
    pub category: String,
    /// When it was connected: older mail comes by an import only.
    pub connected_at: Millis,
    /// The place in the folder's stream of changes.
    pub cursor: Option<String>,
    /// Whether the person paused it.
    pub paused: bool,
    /// Whether the person disconnected it.
    pub disconnected: bool,
    /// Until when disconnecting can be undone; nothing while connected.
    pub undo_until: Option<Millis>,
    /// When somebody last signed in for it.
    pub signed_in_at: Millis,
    /// Since when there is no network.
    pub offline_since: Option<Millis>,
    /// The last failure; nothing when well.
    pub cause: Option<Finding>,
    /// Failures in a row.
    pub failures: u32,
    /// When the first of them was.
    pub failing_since: Option<Millis>,
    /// The last successful poll.
    pub last_success_at: Option<Millis>,
    /// The next poll.
    pub next_poll_at: Option<Millis>,
    /// The server asked us not to come before this.
    pub wait_until: Option<Millis>,
    /// Requests "sync now" so far, from any process.
    pub wake_requested: i64,
    /// How many of them were served.
    pub wake_served: i64,
    /// What stands against the server for outgoing mail since it was saved.
    pub outbound_warning: Option<Finding>,
}

impl AddressRow {
    /// What its mail may be from: the address itself first, then the additional ones.
    pub fn senders(&self) -> Vec<EmailAddress> {
        let further = self.outbound.iter().flat_map(|server| server.from.clone());
        EmailAddress::parse(&self.address)
            .into_iter()
            .chain(further)
            .collect()
    }
}

/// An address to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAddress {
    /// The address.
    pub address: EmailAddress,
    /// Name of its brand; a new name makes a new brand.
    pub brand: String,
    /// Whether it belongs to the practice tenant.
    pub sandbox: bool,
    /// How it is reached.
    pub provider: ProviderKind,
    /// The server, for IMAP.
    pub server: Option<ImapServer>,
    /// The server that takes mail, where the provider does not send by itself.
    pub outbound: Option<SmtpServer>,
    /// Who signed in.
    pub account_id: i64,
    /// The shared mailbox's address; nothing for the account's own.
    pub mailbox: Option<String>,
    /// Path of the folder to read; nothing for the inbox.
    pub folder_path: Option<String>,
    /// The server's id of that folder.
    pub folder_id: String,
    /// Its name.
    pub folder_name: String,
    /// Seconds between polls.
    pub poll_interval_s: u32,
    /// Category to put on imported mail; empty for none.
    pub category: String,
    /// Now, in whole seconds.
    pub connected_at: Millis,
    /// The place to start from.
    pub cursor: Option<String>,
    /// When to poll first.
    pub next_poll_at: Option<Millis>,
}

const COLUMNS: &str = "SELECT a.id, a.address, a.address_key, b.name, a.is_default, a.sandbox, a.provider,
    a.account_id, a.mailbox, a.folder_path, a.folder_id, a.folder_name, a.poll_interval_s, a.category,
    a.connected_at, a.cursor, a.paused, a.disconnected, a.offline_since, a.cause, a.failures,
    a.failing_since, a.last_success_at, a.next_poll_at, a.wake_requested, a.wake_served, a.wait_until,
    a.server, a.outbound, a.undo_until, a.signed_in_at, a.folder_next, a.folder_since, a.after_import,
    a.after_import_folder, a.outbound_warning
    FROM addresses a JOIN brands b ON b.id = a.brand_id";

fn read(row: &Row<'_>) -> rusqlite::Result<AddressRow> {
    Ok(AddressRow {
        id: row.get(0)?,
        address: row.get(1)?,
        address_key: row.get(2)?,
        brand: row.get(3)?,
        is_default: row.get(4)?,
        sandbox: row.get(5)?,
        provider: columns::get_word(row, 6)?,
        account_id: row.get(7)?,
        mailbox: row.get(8)?,
        folder_path: row.get(9)?,
        folder_id: row.get(10)?,
        folder_name: row.get(11)?,
        poll_interval_s: row.get(12)?,
        category: row.get(13)?,
        connected_at: row.get(14)?,
        cursor: row.get(15)?,
        paused: row.get(16)?,
        disconnected: row.get(17)?,
        offline_since: row.get(18)?,
        cause: columns::get_optional_json(row, 19)?,
        failures: row.get(20)?,
        failing_since: row.get(21)?,
        last_success_at: row.get(22)?,
        next_poll_at: row.get(23)?,
        wake_requested: row.get(24)?,
        wake_served: row.get(25)?,
        wait_until: row.get(26)?,
        server: columns::get_optional_json(row, 27)?,
        outbound: columns::get_optional_json(row, 28)?,
        undo_until: row.get(29)?,
        signed_in_at: row.get(30)?,
        next_folder: columns::get_optional_json(row, 31)?,
        folder_since: row.get(32)?,
        after_import: columns::get_json(row, 33)?,
        after_import_folder: row.get(34)?,
        outbound_warning: columns::get_optional_json(row, 35)?,
    })
}

/// Connects an address and returns its id. A disconnected row of the same address is taken up again, with
/// its tickets and its ledger; one that is connected is an error ([`rusqlite::Error::QueryReturnedNoRows`]):
/// ask [`user_of`] first.
pub fn insert(conn: &Connection, new: &NewAddress) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO addresses (address, address_key, brand_id, sandbox, provider, account_id, mailbox,
             folder_path, folder_id, folder_name, poll_interval_s, category, connected_at, cursor, next_poll_at,
             server, outbound, signed_in_at)
         VALUES (:address, :address_key, :brand_id, :sandbox, :provider, :account_id, :mailbox,
             :folder_path, :folder_id, :folder_name, :poll_interval_s, :category, :connected_at, :cursor,
             :next_poll_at, :server, :outbound, :connected_at)
         ON CONFLICT (address_key) DO UPDATE SET
             address = excluded.address, brand_id = excluded.brand_id, sandbox = excluded.sandbox,
             provider = excluded.provider, server = excluded.server, outbound = excluded.outbound,
             outbound_secret = NULL, outbound_warning = NULL, account_id = excluded.account_id, mailbox = excluded.mailbox,
             folder_path = excluded.folder_path, folder_id = excluded.folder_id,
             folder_name = excluded.folder_name, poll_interval_s = excluded.poll_interval_s,
             category = excluded.category, connected_at = excluded.connected_at, cursor = excluded.cursor,
             next_poll_at = excluded.next_poll_at, signed_in_at = excluded.signed_in_at, paused = 0,
             disconnected = 0, undo_until = NULL, offline_since = NULL, cause = NULL, failures = 0,
             failing_since = NULL, folder_next = NULL, folder_since = NULL
         WHERE addresses.disconnected = 1
         RETURNING id",
    )?
    .query_row(
        named_params! {
            ":address": new.address.as_str(),
            ":address_key": new.address.key(),
            ":brand_id": brands::ensure(conn, &new.brand)?,
            ":sandbox": new.sandbox,
            ":provider": columns::word(&new.provider)?,
            ":account_id": new.account_id,
            ":mailbox": new.mailbox,
            ":folder_path": new.folder_path,
            ":folder_id": new.folder_id,
            ":folder_name": new.folder_name,
            ":poll_interval_s": new.poll_interval_s,
            ":category": new.category,
            ":connected_at": new.connected_at,
            ":cursor": new.cursor,
            ":next_poll_at": new.next_poll_at,
            ":server": new.server.as_ref().map(columns::json).transpose()?,
            ":outbound": new.outbound.as_ref().map(columns::json).transpose()?,
        },
        |row| row.get(0),
    )
}

/// All addresses, by brand and name.
pub fn all(conn: &Connection) -> rusqlite::Result<Vec<AddressRow>> {
    conn.prepare_cached(&format!("{COLUMNS} ORDER BY b.name, a.address_key"))?
        .query_map([], read)?
        .collect()
}

/// One address.
pub fn get(conn: &Connection, id: i64) -> rusqlite::Result<Option<AddressRow>> {
    conn.prepare_cached(&format!("{COLUMNS} WHERE a.id = ?1"))?
        .query_row([id], read)
        .optional()
}

/// One address by [`EmailAddress::key`].
pub fn by_key(conn: &Connection, key: &str) -> rusqlite::Result<Option<AddressRow>> {
    conn.prepare_cached(&format!("{COLUMNS} WHERE a.address_key = ?1"))?
        .query_row([key], read)
        .optional()
}

/// Who uses `key` already, and how: a connected address as its `connection` or as an `alias`, or somebody of the
/// team as an `agent` (then the name, or the address where there is none). Disconnected addresses use nothing.
pub fn user_of(conn: &Connection, key: &str) -> rusqlite::Result<Option<(String, String)>> {
    conn.prepare_cached(
        "SELECT address, 'connection' FROM addresses WHERE address_key = ?1 AND disconnected = 0
         UNION ALL
         SELECT a.address, 'alias' FROM aliases l JOIN addresses a ON a.id = l.address_id
         WHERE l.address_key = ?1 AND a.disconnected = 0
         UNION ALL
         SELECT iif(name = '', address, name), 'agent' FROM agents WHERE address_key = ?1
         LIMIT 1",
    )?
    .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}

/// Changes what can be changed later.
pub fn set_settings(
    conn: &Connection,
    id: i64,
    brand: &str,
    poll_interval_s: u32,
    category: &str,
) -> rusqlite::Result<()> {
    let brand_id = brands::ensure(conn, brand)?;
    conn.prepare_cached(
        "UPDATE addresses SET brand_id = ?2, poll_interval_s = ?3, category = ?4 WHERE id = ?1",
    )?
    .execute((id, brand_id, poll_interval_s, category))?;
    Ok(())
}

/// Changes the server that takes mail; nothing stands against it. Its own sealed password stays where none is given, and
/// goes with the server; without one the account's sign-in is used.
pub fn set_outbound(
    conn: &Connection,
    id: i64,
    outbound: Option<&SmtpServer>,
    secret: Option<&[u8]>,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE addresses SET outbound = ?2, outbound_warning = NULL,
             outbound_secret = iif(?2 IS NULL, NULL, coalesce(?3, outbound_secret))
         WHERE id = ?1",
    )?
    .execute((id, outbound.map(columns::json).transpose()?, secret))?;
    Ok(())
}

/// The sealed password for sending alone, where there is one.
pub fn outbound_secret(conn: &Connection, id: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    conn.prepare_cached("SELECT outbound_secret FROM addresses WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
}

/// Notes what stands against the server that takes mail, or (nothing) that it took the sign-in.
pub fn set_outbound_warning(
    conn: &Connection,
    id: i64,
    warning: Option<&Finding>,
) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET outbound_warning = ?2 WHERE id = ?1")?
        .execute((id, warning.map(columns::json).transpose()?))?;
    Ok(())
}

/// Changes who signs in for the address.
pub fn set_account(conn: &Connection, id: i64, account_id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET account_id = ?2 WHERE id = ?1")?
        .execute((id, account_id))?;
    Ok(())
}

/// Changes how the mailbox is reached. Nothing else about the address changes.
pub fn set_way(
    conn: &Connection,
    id: i64,
    provider: ProviderKind,
    server: Option<&ImapServer>,
) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET provider = ?2, server = ?3 WHERE id = ?1")?
        .execute((
            id,
            columns::word(&provider)?,
            server.map(columns::json).transpose()?,
        ))?;
    Ok(())
}

/// Notes under which id and name the server knows the folder.
pub fn set_folder(conn: &Connection, id: i64, folder: &str, name: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET folder_id = ?2, folder_name = ?3 WHERE id = ?1")?
        .execute((id, folder, name))?;
    Ok(())
}

/// Pauses or resumes.
pub fn set_paused(conn: &Connection, id: i64, paused: bool) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET paused = ?2 WHERE id = ?1")?
        .execute((id, paused))?;
    Ok(())
}

/// Disconnects. Everything stays as it is; [`undo_disconnect`] is possible before `undo_until`.
pub fn disconnect(conn: &Connection, id: i64, undo_until: Millis) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET disconnected = 1, undo_until = ?2 WHERE id = ?1")?
        .execute((id, undo_until))?;
    Ok(())
}

/// Connects again exactly as it was, and lets it be polled at once.
pub fn undo_disconnect(conn: &Connection, id: i64, now: Millis) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE addresses SET disconnected = 0, undo_until = NULL, next_poll_at = ?2 WHERE id = ?1",
    )?
    .execute((id, now))?;
    Ok(())
}

/// Whether [`end_undo`] has anything to do.
pub fn is_undo_over(conn: &Connection, now: Millis, longest: Millis) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM addresses WHERE undo_until <= ?1 OR undo_until > ?2)",
    )?
    .query_row((now, now + longest), |row| row.get(0))
}

/// Disconnecting cannot be undone any more where its time is over: `now` is behind it, or so far before it that the
/// clock was set back. The password for sending goes with it.
pub fn end_undo(conn: &Connection, now: Millis, longest: Millis) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE addresses SET undo_until = NULL, outbound_secret = NULL WHERE undo_until <= ?1 OR undo_until > ?2",
    )?
    .execute((now, now + longest))?;
    Ok(())
}

/// Signed in again: `account_id` reads this address from now on, from the same cursor, with a clean slate.
pub fn reconnect(conn: &Connection, id: i64, account_id: i64, now: Millis) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE addresses SET account_id = ?2, next_poll_at = ?3, signed_in_at = ?3, disconnected = 0,
             undo_until = NULL, offline_since = NULL, cause = NULL, failures = 0, failing_since = NULL
         WHERE id = ?1",
    )?
    .execute((id, account_id, now))?;
    handoffs::settle(conn, id)
}

/// Moves the cursor; in the same transaction as the messages before it.
pub fn set_cursor(conn: &Connection, id: i64, cursor: Option<&str>) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET cursor = ?2 WHERE id = ?1")?
        .execute((id, cursor))?;
    Ok(())
}

/// A poll went well: cause, failures and being offline are over.
pub fn record_success(
    conn: &Connection,
    id: i64,
    now: Millis,
    next_poll_at: Option<Millis>,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE addresses SET last_success_at = ?2, next_poll_at = ?3, cause = NULL, failures = 0,
             failing_since = NULL, offline_since = NULL
         WHERE id = ?1",
    )?
    .execute((id, now, next_poll_at))?;
    handoffs::settle(conn, id)
}

/// A step failed: counts, keeps when the first failure was, and notes the cause where one is given (a failure
/// that is no news leaves the former cause).
pub fn record_failure(
    conn: &Connection,
    id: i64,
    now: Millis,
    cause: Option<&Finding>,
    next_poll_at: Option<Millis>,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE addresses SET cause = coalesce(?3, cause), next_poll_at = ?4, failures = failures + 1,
             failing_since = coalesce(failing_since, ?2)
         WHERE id = ?1",
    )?
    .execute((id, now, cause.map(columns::json).transpose()?, next_poll_at))?;
    Ok(())
}

/// Notes since when there is no network, or (nothing) that it is back.
pub fn set_offline_since(
    conn: &Connection,
    id: i64,
    since: Option<Millis>,
) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET offline_since = ?2 WHERE id = ?1")?
        .execute((id, since))?;
    Ok(())
}

/// The server asked us not to come before `until`, for whatever purpose.
pub fn set_wait_until(conn: &Connection, id: i64, until: Millis) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET wait_until = ?2 WHERE id = ?1")?
        .execute((id, until))?;
    Ok(())
}

/// The server was reached and all is well: what stood against it is over. The plan for the next poll stays.
pub fn record_recovery(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE addresses SET cause = NULL, failures = 0, failing_since = NULL, offline_since = NULL WHERE id = ?1",
    )?
    .execute([id])?;
    handoffs::settle(conn, id)
}

/// Plans the next poll.
pub fn set_next_poll(
    conn: &Connection,
    id: i64,
    next_poll_at: Option<Millis>,
) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET next_poll_at = ?2 WHERE id = ?1")?
        .execute((id, next_poll_at))?;
    Ok(())
}

/// Asks whichever process polls to sync now.
pub fn request_wake(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET wake_requested = wake_requested + 1 WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

/// Requests up to number `upto` (the `wake_requested` read before the poll) were served.
pub fn serve_wake(conn: &Connection, id: i64, upto: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE addresses SET wake_served = max(wake_served, min(?2, wake_requested)) WHERE id = ?1",
    )?
    .execute((id, upto))?;
    Ok(())
}

/// The address's other names.
pub fn aliases(conn: &Connection, id: i64) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached("SELECT address FROM aliases WHERE address_id = ?1 ORDER BY address_key")?
        .query_map([id], |row| row.get(0))?
        .collect()
}

/// Replaces the address's other names.
pub fn replace_aliases(
    conn: &Connection,
    id: i64,
    aliases: &[EmailAddress],
) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM aliases WHERE address_id = ?1")?
        .execute([id])?;
    let mut insert = conn.prepare_cached(
        "INSERT INTO aliases (address_id, address_key, address) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
    )?;
    for alias in aliases {
        insert.execute((id, alias.key(), alias.as_str()))?;
    }
    Ok(())
}

/// Makes this address the default, and no other.
pub fn make_default(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    clear_default(conn)?;
    conn.prepare_cached("UPDATE addresses SET is_default = 1 WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

/// An address that has proven itself becomes the default where no connected address is one and no other could be: the
/// only address of a fresh installation.
pub fn default_if_only(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    if is_only(conn, id)? && own_tests::proven_at(conn, id)?.is_some() {
        make_default(conn, id)?;
    }
    Ok(())
}

/// Whether this is the only connected address, and not the default yet.
pub fn is_only(conn: &Connection, id: i64) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT NOT EXISTS (SELECT 1 FROM addresses WHERE disconnected = 0 AND id <> ?1)
            AND EXISTS (SELECT 1 FROM addresses WHERE disconnected = 0 AND id = ?1 AND is_default = 0)",
    )?
    .query_row([id], |row| row.get(0))
}

/// Leaves no address the default.
pub fn clear_default(conn: &Connection) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE addresses SET is_default = 0 WHERE is_default = 1")?
        .execute([])?;
    Ok(())
}
