//! Where the mail of an address is read. Ids of messages, cursors and marks mean something there only: another server may
//! call another message by the same numbers.

use super::addresses::{AddressRow, NewAddress, ProviderKind};
use super::{imports, ledger, marks};
use crate::Millis;
use crate::account::ImapServer;
use rusqlite::Connection;

/// Where mail is read, as far as ids of messages depend on it: another port or another way to encrypt or to sign in leads
/// to the same mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    provider: ProviderKind,
    /// Host and login name.
    server: Option<(String, String)>,
    mailbox: Option<String>,
}

impl Origin {
    /// Where an address is read.
    pub fn of(row: &AddressRow) -> Self {
        Self::new(row.provider, row.server.as_ref(), row.mailbox.as_ref())
    }

    /// Where an address is to be read.
    pub fn of_new(new: &NewAddress) -> Self {
        Self::new(new.provider, new.server.as_ref(), new.mailbox.as_ref())
    }

    fn new(provider: ProviderKind, server: Option<&ImapServer>, mailbox: Option<&String>) -> Self {
        Self {
            provider,
            server: server.map(|server| (server.host.clone(), server.login.clone())),
            mailbox: mailbox.cloned(),
        }
    }
}

/// The address is read elsewhere from now on. What is known of its messages so far is set apart, an import that is under
/// way ends, and what the former server was still to be told is forgotten: how many marks that were is returned. There is
/// no cursor any more, and no folder waits to be read.
pub fn leave(conn: &Connection, id: i64, now: Millis) -> rusqlite::Result<u32> {
    let waiting = marks::pending(conn, id)?;
    marks::clear(conn, id)?;
    ledger::set_apart(conn, id)?;
    imports::set_apart(conn, id, now)?;
    conn.prepare_cached(
        "UPDATE addresses SET cursor = NULL, folder_next = NULL, wait_until = NULL WHERE id = ?1",
    )?
    .execute([id])?;
    Ok(waiting)
}
