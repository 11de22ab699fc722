//! From a password to a sign-in in the browser, on an address that is connected already: folder, brand, settings, tickets
//! and ledger stay, and no mail becomes a ticket twice.
//!
//! At the same IMAP server the numbers of the messages stay, and so does the cursor. Graph knows other names for them:
//! there reading begins at the last success, and what is here already is known again by its fingerprint.

use super::addresses::{not_found, row_and_account};
use super::connect::{connect_attempt, other_addresses, registration};
use super::error::{ApiError, ErrorCode};
use super::host::refuse_other_door;
use super::imap::for_outlook;
use super::issuer::{IssuerInput, at_issuer};
use super::moving;
use super::view::{ConnectAttempt, Direction, Opens, RegistrationInput};
use crate::Millis;
use crate::account::{EmailAddress, ImapAuth, ImapServer, SmtpServer};
use crate::app::App;
use crate::app::attempts::{self, Plan, Proven};
use crate::provider::Folder;
use crate::store::addresses;
use crate::store::addresses::{AddressRow, ProviderKind};
use crate::sync::StepError;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What takes the place of the password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "by")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum ConvertTo {
    /// Tokens at the same IMAP server: Entra's, of this registration or of this build's own.
    ImapToken(Option<RegistrationInput>),
    /// Tokens at the same IMAP server, of this issuer.
    ImapIssuer(IssuerInput),
    /// Microsoft Graph, with this registration or this build's own.
    Graph(Option<RegistrationInput>),
}

/// Opens the browser to sign in for an address that was connected with a password. The attempt is followed and finished
/// like any other; until it is finished, nothing changes.
///
/// # Errors
/// [`ErrorCode::NotFound`]; [`ErrorCode::WrongState`] for an address without a password and a disconnected one;
/// [`ErrorCode::ImportRunning`]; [`ErrorCode::NotExchange`] for Entra's tokens elsewhere; [`ErrorCode::RegistrationNeeded`]
/// and what else [`super::begin_connect`] and [`super::begin_connect_imap`] say of wrong input.
pub async fn convert_to_oauth(
    app: &Arc<App>,
    id: i64,
    to: ConvertTo,
    private_window: bool,
    language: &str,
) -> Result<ConnectAttempt, ApiError> {
    let (row, _) = row_and_account(app, id).await?;
    let by_password = row
        .server
        .clone()
        .filter(|server| server.auth == ImapAuth::Password);
    let Some(server) = by_password.filter(|_| !row.disconnected) else {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", &row.address));
    };
    moving::refuse_while_importing(app, &row).await?;
    let entra = |input: Option<RegistrationInput>| match &input {
        Some(input) => registration(input, app.any_endpoint),
        None => app
            .own_registration
            .clone()
            .ok_or_else(|| ApiError::new(ErrorCode::RegistrationNeeded)),
    };
    let token = ImapServer {
        auth: ImapAuth::Token,
        ..server
    };
    let path = row.folder_path;
    let (registration, folder, imap) = match to {
        ConvertTo::ImapToken(input) => (for_outlook(entra(input)?)?, None, Some((token, path))),
        ConvertTo::ImapIssuer(issuer) => (at_issuer(&issuer)?, None, Some((token, path))),
        ConvertTo::Graph(input) => (entra(input)?, path, None),
    };
    if let Some((server, _)) = &imap {
        refuse_other_door(&registration, &server.host, Direction::Inbound)?;
    }
    app.context.connections.vault().await?;
    let plan = Plan {
        address: EmailAddress::parse(&row.address).ok_or_else(not_found)?,
        sandbox: row.sandbox,
        registration,
        words: crate::words::words(language).page.clone(),
        reconnects: Some(id),
        opens: Opens::Own,
        folder,
        imap,
        password: None,
        further: None,
    };
    let id = attempts::start(app, plan, private_window);
    connect_attempt(app, &id)
}

/// What changes about an address when its new sign-in is stored.
pub(super) struct Change {
    provider: ProviderKind,
    server: Option<ImapServer>,
    outbound: Option<SmtpServer>,
    graph: Option<GraphPlace>,
}

/// Where Graph goes on.
struct GraphPlace {
    folder: Folder,
    cursor: String,
    aliases: Vec<EmailAddress>,
}

/// What finishing the attempt of `plan` changes; nothing for a new address and for one that only signs in again.
///
/// # Errors
/// [`ErrorCode::ImportRunning`] for an import that began meanwhile; what the server says of the folder.
pub(super) async fn change(
    app: &App,
    plan: &Plan,
    proven: &Proven,
) -> Result<Option<Change>, ApiError> {
    let Some(id) = plan.reconnects else {
        return Ok(None);
    };
    let (row, _) = row_and_account(app, id).await?;
    let by_password = |server: &ImapServer| server.auth == ImapAuth::Password;
    if !row.server.as_ref().is_some_and(by_password) {
        return Ok(None);
    }
    moving::refuse_while_importing(app, &row).await?;
    if let Some((server, _)) = &plan.imap {
        return Ok(Some(Change {
            provider: ProviderKind::Imap,
            outbound: row.outbound.clone().map(|out| same_sign_in(out, &row)),
            server: Some(server.clone()),
            graph: None,
        }));
    }
    let provider = attempts::trial(app, plan, &proven.tokens);
    let folder = proven.folder.clone();
    let since = app
        .context
        .store
        .read(move |db| moving::since_success(db, id));
    // Older mail comes by an import only, whatever was left to do.
    let since = since.await?.max(row.connected_at);
    let cursor = provider
        .cursor_since(&folder.id, since)
        .map_err(StepError::Provider)?;
    Ok(Some(Change {
        provider: ProviderKind::Graph,
        server: None,
        outbound: None,
        graph: Some(GraphPlace {
            folder,
            cursor: cursor.0,
            aliases: other_addresses(&plan.address, &proven.identity),
        }),
    }))
}

/// Sending used the password of reading, which is gone: it uses the tokens of reading now.
fn same_sign_in(out: SmtpServer, row: &AddressRow) -> SmtpServer {
    let same = row.server.as_ref().map(|server| &server.login) == Some(&out.login);
    match same {
        true => SmtpServer {
            auth: ImapAuth::Token,
            ..out
        },
        false => out,
    }
}

/// Writes `change` in the transaction that stores the new sign-in.
pub(super) fn write(
    tx: &Connection,
    id: i64,
    change: &Change,
    now: Millis,
) -> rusqlite::Result<()> {
    let own_password = addresses::outbound_secret(tx, id)?;
    addresses::set_way(tx, id, change.provider, change.server.as_ref())?;
    match (&change.outbound, own_password) {
        // A password for sending alone stays what it is.
        (Some(_), Some(_)) => {}
        (outbound, _) => addresses::set_outbound(tx, id, outbound.as_ref(), None)?,
    }
    if let Some(graph) = &change.graph {
        addresses::set_folder(tx, id, &graph.folder.id, &graph.folder.name)?;
        if let Some(row) = addresses::get(tx, id)? {
            moving::write(tx, &row, &graph.cursor, now)?;
        }
        addresses::replace_aliases(tx, id, &graph.aliases)?;
    }
    Ok(())
}
