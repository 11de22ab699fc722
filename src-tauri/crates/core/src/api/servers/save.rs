//! Changing the servers of an address: each entry is tried at the real server first, and has its own result.
//!
//! Another host or login name is another place: ids of messages, cursors and marks of the former one mean nothing there,
//! even where both servers number their mail alike. Another port, another way to encrypt or to sign in is the same place.

use super::super::addresses::row_and_account;
use super::super::error::{ApiError, ErrorCode};
use super::super::imap::{no_registration, who_is};
use super::super::moving;
use super::super::smtp::{SmtpInput, smtp_server};
use super::super::view::{Direction, ServerSaved};
use super::reach::{Passwords, kept_apart};
use super::trying::{
    WayIn, WayOut, follow, has_own_secret, outbound_server, read_inbound, try_inbound, try_way_out,
};
use crate::account::{ImapAuth, ImapServer, Tls};
use crate::app::App;
use crate::provider::imap::ImapMailbox;
use crate::store::accounts;
use crate::store::addresses::{self, AddressRow, ProviderKind};
use crate::store::events::{self, EventKind};
use crate::store::folders::{self, NextFolder};
use crate::sync;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is to change about the servers of an address; nothing leaves a server as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ServersInput {
    /// The server that mail is read from.
    pub inbound: Option<InboundInput>,
    /// The server that takes mail.
    pub outbound: Option<SmtpInput>,
    /// Keep an entry although its try failed, with a warning that stays until a try succeeds.
    pub anyway: bool,
}

/// The server for incoming mail, as typed in. Without a password the address is signed in to as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct InboundInput {
    /// `host` or `host:port`; without a port 993, and 143 with STARTTLS.
    pub server: String,
    /// How the line is encrypted; nothing leaves it as it is.
    pub tls: Option<Tls>,
    /// Login name; nothing leaves it as it is.
    pub login: Option<String>,
}

/// Passwords that go with [`ServersInput`].
#[derive(Default)]
pub struct ServerPasswords {
    /// For reading, and for sending where that has no password of its own.
    pub inbound: Option<SecretString>,
    /// For sending alone.
    pub outbound: Option<SecretString>,
}

/// Tries the servers of `input`, keeps each one that took the sign-in, and says of each how it went. With
/// [`ServersInput::anyway`] the others are kept too, with a warning. All input is read before any server is asked.
///
/// Where the inbound server has another host or login name, or another port turns out to lead to another mailbox, reading
/// begins anew there ([`ServerSaved::fresh_start`]): some days before the newest mail that is here, with what is here known
/// again. Sending goes on as before, where it used the password of reading. An outbound server that was to take the password
/// typed for the inbound one is not tried, and has no result, where the inbound one is not kept.
///
/// # Errors
/// [`ErrorCode::NotFound`]; [`ErrorCode::WrongState`] for an address that is disconnected or not read by IMAP, or whose
/// servers somebody else changed meanwhile; [`ErrorCode::OutOfRange`] and [`ErrorCode::InvalidAddress`] for input that
/// cannot be; [`ErrorCode::PasswordNeeded`] where a stored password would go to another server, and
/// [`ErrorCode::NotExchange`] where Entra's tokens would leave Exchange Online; [`ErrorCode::SharedNeedsBrowser`] for a
/// password of a shared mailbox;
/// [`ErrorCode::ImportRunning`]; [`ErrorCode::AddressInUse`] for the login name of another connected address; what keeps
/// the keychain shut.
pub async fn save_servers(
    app: &App,
    id: i64,
    input: ServersInput,
    passwords: ServerPasswords,
) -> Result<Vec<ServerSaved>, ApiError> {
    let (row, account) = row_and_account(app, id).await?;
    let Some(before) = row.server.clone().filter(|_| !row.disconnected) else {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", &row.address));
    };
    app.context.connections.vault().await?;
    let own_secret = has_own_secret(app, id).await?;
    let available = |way_in: Option<&WayIn>| Passwords {
        typed: passwords.outbound.is_some(),
        own: own_secret,
        typed_for_both: way_in.is_some_and(|way| way.signs_in_anew),
    };
    let way_in = match &input.inbound {
        Some(typed) => {
            let password = passwords.inbound.clone();
            Some(read_inbound(app, &row, &account, &before, typed, password).await?)
        }
        None => None,
    };
    if let Some(typed) = &input.outbound {
        let inbound = way_in.as_ref().map_or(&before, |way| &way.server);
        outbound_server(&row, &account, typed, inbound, available(way_in.as_ref()))?;
    }
    let way_in = match way_in {
        Some(way) => Some(try_inbound(app, &row, &account, way).await?),
        None => None,
    };
    let kept = way_in.as_ref().filter(|way| way.is_kept(input.anyway));
    let inbound = kept.map_or(&before, |way| &way.server);
    let way_out = match &input.outbound {
        Some(typed) => match outbound_server(&row, &account, typed, inbound, available(kept)) {
            Ok(server) => {
                let way = WayOut {
                    server,
                    password: passwords.outbound,
                    finding: None,
                    asked: true,
                };
                let tried = try_way_out(app, &row, &account, kept, way, own_secret).await?;
                let mailbox = mailbox_password(app, &row, inbound, kept).await?;
                let password = kept_apart(tried.password, mailbox.filter(|_| !own_secret).as_ref());
                Some(WayOut { password, ..tried })
            }
            // What was typed for both did not open the mailbox, and the stored password does not go there.
            Err(error)
                if error.code == ErrorCode::PasswordNeeded
                    && way_in.is_some()
                    && kept.is_none() =>
            {
                None
            }
            Err(error) => return Err(error),
        },
        None => match kept {
            Some(way) => follow(app, &row, &account, way, own_secret).await?,
            None => None,
        },
    };
    let mut results = Vec::new();
    if let Some(way) = &way_in {
        results.push(ServerSaved {
            direction: Direction::Inbound,
            stored: kept.is_some(),
            fresh_start: kept.is_some() && way.moved,
            finding: way.finding.clone(),
        });
    }
    let outbound_kept = way_out
        .as_ref()
        .is_some_and(|way| way.finding.is_none() || input.anyway || !way.asked);
    // What follows by itself and works is nothing to tell.
    if let Some(way) = way_out
        .as_ref()
        .filter(|way| way.asked || way.finding.is_some())
    {
        results.push(ServerSaved {
            direction: Direction::Outbound,
            stored: outbound_kept,
            fresh_start: false,
            finding: way.finding.clone(),
        });
    }
    let moved = kept.is_some_and(|way| way.moved);
    let way_in = way_in.filter(|way| way.is_kept(input.anyway));
    let way_out = way_out.filter(|_| outbound_kept);
    if way_in.is_some() || way_out.is_some() {
        store(app, row, &before, way_in, way_out).await?;
        app.context.connections.forget(account.id);
        if moved {
            moving::forget_rehearsal(app, id);
        }
        app.context.nudge.notify_one();
    }
    Ok(results)
}

/// The password that the mailbox is read with from now on; nothing where that takes tokens.
async fn mailbox_password(
    app: &App,
    row: &AddressRow,
    inbound: &ImapServer,
    kept: Option<&WayIn>,
) -> Result<Option<SecretString>, ApiError> {
    match (inbound.auth, kept) {
        (ImapAuth::Token, _) => Ok(None),
        (ImapAuth::Password, Some(way)) => Ok(way.password.clone()),
        (ImapAuth::Password, None) => {
            let connections = &app.context.connections;
            Ok(Some(connections.stored_password(row.account_id).await?))
        }
    }
}

/// Writes what is kept in one transaction.
async fn store(
    app: &App,
    row: AddressRow,
    before: &ImapServer,
    way_in: Option<WayIn>,
    way_out: Option<WayOut>,
) -> Result<(), ApiError> {
    let vault = app.context.connections.vault().await?;
    let now = app.context.clock.now();
    let (id, value, before) = (row.id, row.address, before.clone());
    let registration = match &way_in {
        Some(way) => Some(no_registration(&way.server)?),
        None => None,
    };
    let stored = app
        .context
        .store
        .write(move |tx| {
            let unchanged =
                |row: &AddressRow| !row.disconnected && row.server.as_ref() == Some(&before);
            let Some(row) = addresses::get(tx, id)?.filter(unchanged) else {
                return Ok(Err(ErrorCode::WrongState));
            };
            if let (Some(way), Some(registration)) = (&way_in, &registration) {
                if way.moved && moving::is_importing(tx, id)? {
                    return Ok(Err(ErrorCode::ImportRunning));
                }
                let account = match &way.password {
                    Some(password) => {
                        let account = accounts::upsert(tx, &who_is(&way.server), registration)?;
                        let purpose = sync::password_purpose(account);
                        let sealed = vault.seal(&purpose, password.expose_secret().as_bytes());
                        accounts::save_tokens(tx, account, &sealed, &[])?;
                        account
                    }
                    None => row.account_id,
                };
                store_inbound(tx, &row, &before, way, account, now)?;
            }
            if let Some(way) = &way_out {
                let purpose = sync::outbound_purpose(id);
                let seal =
                    |text: &SecretString| vault.seal(&purpose, text.expose_secret().as_bytes());
                let sealed = way.password.as_ref().map(seal);
                addresses::set_outbound(tx, id, Some(&way.server), sealed.as_deref())?;
                addresses::set_outbound_warning(tx, id, way.finding.as_ref())?;
                if way.asked {
                    events::add(tx, id, now, EventKind::SettingsChanged, &BTreeMap::new())?;
                }
            }
            Ok(Ok(()))
        })
        .await?;
    stored.map_err(|code| ApiError::new(code).arg("value", value))
}

fn store_inbound(
    tx: &rusqlite::Connection,
    row: &AddressRow,
    before: &ImapServer,
    way: &WayIn,
    account: i64,
    now: crate::Millis,
) -> rusqlite::Result<()> {
    let id = row.id;
    let mut forgotten = 0;
    if way.moved {
        let since = moving::since_newest(tx, row)?;
        let next = NextFolder {
            path: way.path.clone(),
            id: way.folder.id.clone(),
            name: way.folder.name.clone(),
            since: row.folder_since.unwrap_or(row.connected_at),
        };
        folders::switch(tx, id, &next, true)?;
        let cursor = ImapMailbox::cursor_since(&way.folder.id, since);
        forgotten = moving::write(tx, row, &cursor.0, now)?;
    }
    addresses::set_way(tx, id, ProviderKind::Imap, Some(&way.server))?;
    addresses::set_account(tx, id, account)?;
    match &way.finding {
        Some(finding) => addresses::record_failure(tx, id, now, Some(finding), Some(now))?,
        None if way.moved || way.signs_in_anew => addresses::reconnect(tx, id, account, now)?,
        None => {
            addresses::record_recovery(tx, id)?;
            addresses::set_next_poll(tx, id, Some(now))?;
        }
    }
    let named = |server: &ImapServer| format!("{}:{} ({})", server.host, server.port, server.login);
    let args = [
        ("from", named(before)),
        ("to", named(&way.server)),
        ("marks", forgotten.to_string()),
    ];
    let args = args.map(|(name, value)| (name.to_owned(), value));
    events::add(tx, id, now, EventKind::ServerChanged, &args.into())
}

/// As [`super::super::smtp::set_outbound`] reads it: whether `input` can be a server at all, before anybody signs in.
///
/// # Errors
/// [`ErrorCode::OutOfRange`], [`ErrorCode::InvalidAddress`].
pub fn check_outbound(input: &SmtpInput) -> Result<(), ApiError> {
    let nobody = ImapServer {
        host: String::new(),
        port: 993,
        tls: Tls::Implicit,
        login: "nobody".to_owned(),
        auth: ImapAuth::Token,
    };
    smtp_server(input, &nobody, false).map(drop)
}
