//! Connecting a mailbox by IMAP: with a password at once, with OAuth through the browser.

use super::addresses::{brand_name, not_found};
use super::connect::{
    add, again, beginning, connect_attempt, in_use, refuse_address_in_use, registration, same_place,
};
use super::error::{ApiError, ErrorCode};
use super::folders;
use super::host::{host_and_port, login_name, refuse_other_door};
use super::imports::check_newest;
use super::issuer::{IssuerInput, at_issuer};
use super::view::{AddressView, ConnectAttempt, ConnectChoices, ConnectRequest, Direction, Opens};
use crate::account::{EmailAddress, Identity, ImapAuth, ImapServer, Registration, Tls};
use crate::app::attempts::{self, Plan};
use crate::app::{self, App};
use crate::oauth::exchange;
use crate::store::addresses::AddressRow;
use crate::store::events::{self, EventKind};
use crate::store::{accounts, addresses, imports};
use crate::sync::{self, StepError};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use url::Url;

/// The server, the login name and the folder, as typed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct ImapInput {
    /// `host` or `host:port`; without a port 993, and 143 with STARTTLS.
    pub server: String,
    /// How the line is encrypted.
    pub tls: Tls,
    /// Login name.
    pub login: String,
    /// Path of the folder as the server writes it; nothing for the inbox.
    pub folder: Option<String>,
    /// Who issues the tokens for it; nothing for Entra.
    pub issuer: Option<IssuerInput>,
}

/// Signs in with a password, opens the folder, and connects the address. For an address that is connected with the
/// same server and login name already, the password is replaced and everything else stays.
///
/// # Errors
/// [`ErrorCode::InvalidAddress`], [`ErrorCode::OutOfRange`] for a server that is no host name and port,
/// [`ErrorCode::AddressInUse`], what keeps the keychain shut, and what the server said, with nothing stored.
pub async fn connect_imap(
    app: &App,
    address: &str,
    input: ImapInput,
    password: SecretString,
    choices: ConnectChoices,
) -> Result<AddressView, ApiError> {
    let address = parse_address(address)?;
    let server = server(&input, ImapAuth::Password)?;
    connect_by_password(
        app,
        (address, None),
        (server, input.folder),
        password,
        choices,
    )
    .await
}

async fn connect_by_password(
    app: &App,
    (address, reconnects): (EmailAddress, Option<i64>),
    (server, asked_path): (ImapServer, Option<String>),
    password: SecretString,
    choices: ConnectChoices,
) -> Result<AddressView, ApiError> {
    let newest = choices.import_newest.map(check_newest).transpose()?;
    let brand = brand_name(&choices.brand)?;
    let key = address.key();
    let known = app
        .context
        .store
        .read(move |db| addresses::by_key(db, &key))
        .await?
        .filter(|row| reconnects == Some(row.id) || is_same(row, &server));
    if known.is_none() {
        refuse_address_in_use(app, &address).await?;
    }
    let vault = app.context.connections.vault().await?;
    let path = match &known {
        Some(row) => row.folder_path.clone(),
        None => asked_path,
    };
    let provider =
        app.context
            .connections
            .imap_password_trial(&server, path.as_deref(), password.clone());
    let folder = provider
        .folder(path.as_deref())
        .await
        .map_err(StepError::Provider)?;
    let identity = who_is(&server);
    let registration = no_registration(&server)?;
    let now = app.context.clock.now();
    let asked = address.clone();
    let stored = app
        .context
        .store
        .write(move |tx| {
            let account = accounts::upsert(tx, &identity, &registration)?;
            let purpose = sync::password_purpose(account);
            let sealed = vault.seal(&purpose, password.expose_secret().as_bytes());
            accounts::save_tokens(tx, account, &sealed, &[])?;
            let id = match &known {
                Some(row) => {
                    again(tx, row.id, account, &identity, now)?;
                    row.id
                }
                None => {
                    if let Some(user) = addresses::user_of(tx, &address.key())? {
                        return Ok(Err(user));
                    }
                    let whose = (address.clone(), brand.as_str());
                    let place = (path.clone(), &folder);
                    let new = beginning(whose, Some(server.clone()), account, place, now);
                    add(tx, &new, &identity, now)?
                }
            };
            if let Some(newest) = newest {
                imports::start(tx, id, newest, now, now)?;
                let args = [("newest".to_owned(), newest.to_string())].into();
                events::add(tx, id, now, EventKind::ImportStarted, &args)?;
            }
            Ok(Ok((id, account)))
        })
        .await?;
    let (id, account) = stored.map_err(|user| in_use(&asked, &user))?;
    app.context.connections.forget(account);
    app.context.nudge.notify_one();
    app::address_view(app, id).await?.ok_or_else(not_found)
}

/// As [`connect_imap`], in two steps: the attempt signs in and opens the folder; [`super::finish_connect`] connects. The
/// password is kept in memory until then.
///
/// # Errors
/// As [`connect_imap`]; what the server said is the attempt's finding. [`ErrorCode::SharedNeedsBrowser`]: a shared
/// mailbox has no password that anybody should be asked for.
pub async fn begin_connect_password(
    app: &Arc<App>,
    request: ConnectRequest,
    input: ImapInput,
    password: SecretString,
) -> Result<ConnectAttempt, ApiError> {
    let address = parse_address(&request.address)?;
    if request.opens == Opens::Shared {
        return Err(ApiError::new(ErrorCode::SharedNeedsBrowser).arg("value", &address));
    }
    refuse_address_in_use(app, &address).await?;
    let server = server(&input, ImapAuth::Password)?;
    begin_password(app, address, None, (server, input.folder), password).await
}

/// Signs in to an address's server again with another password; [`super::finish_connect`] keeps it. Everything else
/// stays, and what arrived meanwhile is fetched.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::WrongState`] for an address that is not signed in to with a password, and what
/// keeps the keychain shut.
pub async fn reconnect_password(
    app: &Arc<App>,
    id: i64,
    password: SecretString,
) -> Result<ConnectAttempt, ApiError> {
    let row = app
        .context
        .store
        .read(move |db| addresses::get(db, id))
        .await?
        .ok_or_else(not_found)?;
    let server = row
        .server
        .filter(|server| server.auth == ImapAuth::Password)
        .ok_or_else(|| ApiError::new(ErrorCode::WrongState).arg("value", &row.address))?;
    let address = parse_address(&row.address)?;
    begin_password(app, address, Some(id), (server, row.folder_path), password).await
}

async fn begin_password(
    app: &Arc<App>,
    address: EmailAddress,
    reconnects: Option<i64>,
    imap: (ImapServer, Option<String>),
    password: SecretString,
) -> Result<ConnectAttempt, ApiError> {
    app.context.connections.vault().await?;
    let plan = Plan {
        address,
        opens: Opens::Own,
        registration: no_registration(&imap.0)?,
        words: crate::words::words("en").page.clone(),
        reconnects,
        sandbox: false,
        folder: None,
        imap: Some(imap),
        password: Some(password),
        further: None,
    };
    let id = attempts::start(app, plan, false);
    connect_attempt(app, &id)
}

/// Connects what an attempt with a password has proven.
///
/// # Errors
/// As [`connect_imap`].
pub(super) async fn finish(
    app: &App,
    plan: Plan,
    choices: ConnectChoices,
) -> Result<AddressView, ApiError> {
    let (Some((server, path)), Some(password)) = (plan.imap, plan.password) else {
        return Err(ApiError::new(ErrorCode::WrongState));
    };
    let path = match choices.folder.as_deref().map(str::trim) {
        None => path,
        Some("") => None,
        Some(wanted) => {
            let connections = &app.context.connections;
            let provider = connections.imap_password_trial(&server, None, password.clone());
            folders::find(&provider, wanted).await?.path
        }
    };
    let whom = (plan.address, plan.reconnects);
    connect_by_password(app, whom, (server, path), password, choices).await
}

/// Who signs in with a password: nothing is known of them but the login name.
pub(super) fn who_is(server: &ImapServer) -> Identity {
    Identity {
        tenant_id: String::new(),
        object_id: server.login.clone(),
        login_name: server.login.clone(),
        display_name: String::new(),
        primary: EmailAddress::parse(&server.login),
        aliases: Vec::new(),
    }
}

/// A password belongs to a server instead of an app registration.
pub(super) fn no_registration(server: &ImapServer) -> Result<Registration, ApiError> {
    let place = place(server)?;
    Ok(Registration {
        authority: place.clone(),
        graph_url: place,
        tenant: String::new(),
        client_id: String::new(),
        issuer: None,
    })
}

/// As [`super::begin_connect`], for a mailbox read by IMAP: Exchange Online's, or that of any server with an issuer. The
/// attempt is followed and finished in the same way.
///
/// # Errors
/// As [`super::begin_connect`]; [`ErrorCode::OutOfRange`] for a server that is no host name and port, a scope or a
/// further parameter that cannot be; [`ErrorCode::InvalidIssuer`]; [`ErrorCode::NotExchange`] where the sign-in is
/// Microsoft's and the server is not.
pub async fn begin_connect_imap(
    app: &Arc<App>,
    request: ConnectRequest,
    input: ImapInput,
) -> Result<ConnectAttempt, ApiError> {
    let address = parse_address(&request.address)?;
    refuse_address_in_use(app, &address).await?;
    let server = server(&input, ImapAuth::Token)?;
    let registration = match (&input.issuer, &request.registration) {
        (Some(issuer), _) => at_issuer(issuer)?,
        (None, Some(given)) => for_outlook(registration(given, app.any_endpoint)?)?,
        (None, None) => for_outlook(
            app.own_registration
                .clone()
                .ok_or_else(|| ApiError::new(ErrorCode::RegistrationNeeded))?,
        )?,
    };
    refuse_other_door(&registration, &server.host, Direction::Inbound)?;
    app.context.connections.vault().await?;
    let plan = Plan {
        address,
        sandbox: app
            .sandbox()
            .is_some_and(|sandbox| same_place(&sandbox.authority, &registration.authority)),
        registration,
        words: crate::words::words(&request.language).page.clone(),
        reconnects: None,
        opens: request.opens,
        folder: None,
        imap: Some((server, input.folder)),
        password: None,
        further: None,
    };
    let id = attempts::start(app, plan, request.private_window);
    connect_attempt(app, &id)
}

/// A token is for one resource, and this one is not for Graph.
pub(super) fn for_outlook(given: Registration) -> Result<Registration, ApiError> {
    exchange::registration(given).map_err(|error| ApiError::new(ErrorCode::Internal).because(error))
}

fn parse_address(text: &str) -> Result<EmailAddress, ApiError> {
    EmailAddress::parse(text)
        .ok_or_else(|| ApiError::new(ErrorCode::InvalidAddress).arg("value", text))
}

fn is_same(row: &AddressRow, server: &ImapServer) -> bool {
    !row.disconnected && row.server.as_ref() == Some(server)
}

fn server(input: &ImapInput, auth: ImapAuth) -> Result<ImapServer, ApiError> {
    let (host, port) = host_and_port(&input.server)?;
    let port = port.unwrap_or(match input.tls {
        Tls::Implicit => 993,
        Tls::StartTls => 143,
    });
    Ok(ImapServer {
        host,
        port,
        tls: input.tls,
        login: login_name(&input.login)?,
        auth,
    })
}

fn place(server: &ImapServer) -> Result<Url, ApiError> {
    let host = match server.host.contains(':') {
        true => format!("[{}]", server.host),
        false => server.host.clone(),
    };
    Url::parse(&format!("imaps://{host}:{}/", server.port))
        .map_err(|error| ApiError::new(ErrorCode::OutOfRange).because(error))
}
