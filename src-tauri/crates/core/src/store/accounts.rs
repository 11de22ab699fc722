//! Accounts: the people (or service accounts) that signed in, with their sealed tokens.

use super::columns;
use crate::account::{EmailAddress, Identity, Registration};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

/// A person or service account under one app registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Stable id.
    pub id: i64,
    /// Who it is.
    pub identity: Identity,
    /// What they signed in with.
    pub registration: Registration,
    /// Scopes that were granted.
    pub scopes: Vec<String>,
}

/// Notes who signed in; the same `tid` + `oid` under the same registration is the same account, whatever
/// its names are by now. Returns its id; tokens and scopes stay as they are.
pub fn upsert(
    conn: &Connection,
    identity: &Identity,
    registration: &Registration,
) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO accounts
             (tenant_id, object_id, login_name, display_name, primary_address, aliases, registration)
         VALUES (:tenant_id, :object_id, :login_name, :display_name, :primary_address, :aliases, :registration)
         ON CONFLICT (tenant_id, object_id, registration) DO UPDATE SET
             login_name = excluded.login_name, display_name = excluded.display_name,
             primary_address = excluded.primary_address, aliases = excluded.aliases
         RETURNING id",
    )?
    .query_row(
        named_params! {
            ":tenant_id": identity.tenant_id,
            ":object_id": identity.object_id,
            ":login_name": identity.login_name,
            ":display_name": identity.display_name,
            ":primary_address": identity.primary.as_ref().map(EmailAddress::as_str),
            ":aliases": columns::json(&identity.aliases)?,
            ":registration": columns::json(registration)?,
        },
        |row| row.get(0),
    )
}

/// Whether any sign-in is stored.
pub fn any_tokens(conn: &Connection) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM accounts WHERE tokens IS NOT NULL)")?
        .query_row([], |row| row.get(0))
}

/// One account.
pub fn get(conn: &Connection, id: i64) -> rusqlite::Result<Option<AccountRow>> {
    conn.prepare_cached(
        "SELECT id, tenant_id, object_id, login_name, display_name, primary_address, aliases, registration, scopes
         FROM accounts WHERE id = ?1",
    )?
    .query_row([id], read)
    .optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    let primary: Option<String> = row.get(5)?;
    Ok(AccountRow {
        id: row.get(0)?,
        identity: Identity {
            tenant_id: row.get(1)?,
            object_id: row.get(2)?,
            login_name: row.get(3)?,
            display_name: row.get(4)?,
            primary: primary.as_deref().and_then(EmailAddress::parse),
            aliases: columns::get_json(row, 6)?,
        },
        registration: columns::get_json(row, 7)?,
        scopes: columns::get_json(row, 8)?,
    })
}

/// Keeps tokens (sealed) and the scopes that came with them.
pub fn save_tokens(
    conn: &Connection,
    id: i64,
    sealed: &[u8],
    scopes: &[String],
) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE accounts SET tokens = ?2, scopes = ?3 WHERE id = ?1")?
        .execute((id, sealed, columns::json(&scopes)?))?;
    Ok(())
}

/// The sealed tokens, if there are any.
pub fn load_tokens(conn: &Connection, id: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    Ok(conn
        .prepare_cached("SELECT tokens FROM accounts WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .flatten())
}

/// Accounts with a sign-in that no address uses: none that is connected, and none whose disconnecting can be undone.
pub fn unused(conn: &Connection) -> rusqlite::Result<Vec<i64>> {
    conn.prepare_cached(
        "SELECT id FROM accounts WHERE tokens IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM addresses a
             WHERE a.account_id = accounts.id AND (a.disconnected = 0 OR a.undo_until IS NOT NULL))",
    )?
    .query_map([], |row| row.get(0))?
    .collect()
}

/// Removes the tokens; who signed in stays known.
pub fn forget_tokens(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE accounts SET tokens = NULL, scopes = '[]' WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}
