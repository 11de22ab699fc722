//! Connecting a mailbox by IMAP: with a password at once, with OAuth through the browser.

use super::addresses::{brand_name, not_found};
use super::connect::{
    CATEGORY, POLL_INTERVAL_S, add, again, connect_attempt, in_use, refuse_address_in_use,
    registration, same_place,
};
use super::error::{ApiError, ErrorCode};
use super::folders;
use super::imports::check_newest;
use super::view::{AddressView, ConnectAttempt, ConnectChoices, ConnectRequest, Opens};
use crate::account::{EmailAddress, Identity, ImapAuth, ImapServer, Issuer, Registration, Tls};
use crate::app::attempts::{self, Plan};
use crate::app::{self, App};
use crate::oauth::OUTLOOK;
use crate::oauth::flow::url_of;
use crate::store::addresses::{AddressRow, NewAddress, ProviderKind};
use crate::store::events::{self, EventKind};
use crate::store::{accounts, addresses, imports};
use crate::sync::{self, StepError};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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

/// A sign-in service that describes itself by OpenID discovery, as typed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct IssuerInput {
    /// Its identifier, an `https` URL, to the letter.
    pub issuer: String,
    /// Client id of the app registered there: a public client with PKCE, redirect to `http://127.0.0.1/`.
    pub client_id: String,
    /// Scopes to ask for; none takes `openid offline_access email`.
    pub scopes: Vec<String>,
    /// Further parameters of the sign-in and of the token request.
    pub parameters: BTreeMap<String, String>,
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
    let identity = Identity {
        tenant_id: String::new(),
        object_id: server.login.clone(),
        login_name: server.login.clone(),
        display_name: String::new(),
        primary: EmailAddress::parse(&server.login),
        aliases: Vec::new(),
    };
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
                    let new = NewAddress {
                        address: address.clone(),
                        brand: brand.clone(),
                        sandbox: false,
                        provider: ProviderKind::Imap,
                        server: Some(server.clone()),
                        outbound: None,
                        account_id: account,
                        mailbox: None,
                        folder_path: path.clone(),
                        folder_id: folder.id.clone(),
                        folder_name: folder.name.clone(),
                        poll_interval_s: POLL_INTERVAL_S,
                        category: CATEGORY.to_owned(),
                        connected_at: now - now.rem_euclid(1000),
                        cursor: None,
                        next_poll_at: Some(now),
                    };
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
/// As [`connect_imap`]; what the server said is the attempt's finding.
pub async fn begin_connect_password(
    app: &Arc<App>,
    request: ConnectRequest,
    input: ImapInput,
    password: SecretString,
) -> Result<ConnectAttempt, ApiError> {
    let address = parse_address(&request.address)?;
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

/// A password belongs to a server instead of an app registration.
fn no_registration(server: &ImapServer) -> Result<Registration, ApiError> {
    let place = place(server)?;
    Ok(Registration {
        authority: place.clone(),
        graph_url: place,
        tenant: String::new(),
        client_id: String::new(),
        issuer: None,
    })
}

/// As [`super::begin_connect`], for a mailbox read by IMAP: Exchange Online's, or that of any server with an issuer. The attempt is followed and finished
/// in the same way.
///
/// # Errors
/// As [`super::begin_connect`]; [`ErrorCode::OutOfRange`] for a server that is no host name and port, a scope or a
/// further parameter that cannot be; [`ErrorCode::InvalidIssuer`].
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
    app.context.connections.vault().await?;
    let plan = Plan {
        address,
        sandbox: app
            .sandbox()
            .is_some_and(|sandbox| same_place(&sandbox.authority, &registration.authority)),
        registration,
        words: crate::words::words(&request.language).page.clone(),
        reconnects: None,
        opens: Opens::Own,
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
    let graph_url =
        Url::parse(OUTLOOK).map_err(|error| ApiError::new(ErrorCode::Internal).because(error))?;
    Ok(Registration { graph_url, ..given })
}

/// Names that Mailroom sets itself in the sign-in and token requests (RFC 6749, RFC 7636, OpenID Connect Core 1.0).
const OWN_PARAMETERS: [&str; 14] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "nonce",
    "redirect_uri",
    "refresh_token",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// Checks an issuer as typed in.
pub(super) fn at_issuer(input: &IssuerInput) -> Result<Registration, ApiError> {
    let name = input.issuer.trim();
    let wrong = || ApiError::new(ErrorCode::InvalidIssuer).arg("value", name);
    let url = url_of(name).ok_or_else(wrong)?;
    let client_id = input.client_id.trim();
    if client_id.is_empty() || client_id.len() > 512 || client_id.chars().any(char::is_control) {
        return Err(ApiError::new(ErrorCode::InvalidClientId).arg("value", client_id));
    }
    let mut scopes = input.scopes.clone();
    if scopes.is_empty() {
        scopes = ["openid", "offline_access", "email"]
            .map(str::to_owned)
            .to_vec();
    }
    // RFC 6749 §3.3: visible ASCII without quotes and backslashes.
    let is_scope = |scope: &String| {
        !scope.is_empty()
            && scope
                .bytes()
                .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    };
    if let Some(scope) = scopes.iter().find(|scope| !is_scope(scope)) {
        return Err(ApiError::new(ErrorCode::OutOfRange).arg("value", scope));
    }
    let taken = |name: &&String| OWN_PARAMETERS.contains(&name.as_str());
    if let Some(name) = input.parameters.keys().find(taken) {
        return Err(ApiError::new(ErrorCode::OutOfRange).arg("value", name));
    }
    Ok(Registration {
        authority: url.clone(),
        graph_url: url,
        tenant: String::new(),
        client_id: client_id.to_owned(),
        issuer: Some(Issuer {
            name: name.to_owned(),
            scopes,
            parameters: input.parameters.clone(),
        }),
    })
}

fn parse_address(text: &str) -> Result<EmailAddress, ApiError> {
    EmailAddress::parse(text)
        .ok_or_else(|| ApiError::new(ErrorCode::InvalidAddress).arg("value", text))
}

fn is_same(row: &AddressRow, server: &ImapServer) -> bool {
    !row.disconnected && row.server.as_ref() == Some(server)
}

fn server(input: &ImapInput, auth: ImapAuth) -> Result<ImapServer, ApiError> {
    let wrong = || ApiError::new(ErrorCode::OutOfRange).arg("value", &input.server);
    let login = input.login.trim();
    if login.is_empty() || login.chars().any(char::is_control) {
        return Err(ApiError::new(ErrorCode::OutOfRange).arg("value", login));
    }
    // `https` makes the parser check and normalise the host; the scheme goes no further.
    let url = Url::parse(&format!("https://{}/", input.server.trim())).map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.username().is_empty() && url.query().is_none();
    let host = url.host_str().filter(|_| bare).ok_or_else(wrong)?;
    // The parser drops the port 443, which nobody reads mail at.
    let port = url.port().unwrap_or(match input.tls {
        Tls::Implicit => 993,
        Tls::StartTls => 143,
    });
    Ok(ImapServer {
        host: host.trim_matches(['[', ']']).to_owned(),
        port,
        tls: input.tls,
        login: login.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, u16)> {
        let input = ImapInput {
            server: text.to_owned(),
            login: "kim".to_owned(),
            ..ImapInput::default()
        };
        let server = server(&input, ImapAuth::Password).ok()?;
        place(&server).ok()?;
        Some((server.host, server.port))
    }

    #[test]
    fn an_issuer_is_checked_before_the_browser_opens() {
        let input = |issuer: &str, scope: &str, parameter: &str| IssuerInput {
            issuer: issuer.to_owned(),
            client_id: "mailroom".to_owned(),
            scopes: vec!["openid".to_owned(), scope.to_owned()],
            parameters: [(parameter.to_owned(), "x".to_owned())].into(),
        };
        let fine = "https://id.contoso.example/realm";
        let registration = at_issuer(&input(
            fine,
            "https://mail.contoso.example/imap",
            "resource",
        ));
        assert_eq!(registration.unwrap().issuer.unwrap().name, fine);
        for (issuer, scope, parameter, code) in [
            (
                "id.contoso.example",
                "mail",
                "resource",
                ErrorCode::InvalidIssuer,
            ),
            (
                "http://id.contoso.example",
                "mail",
                "resource",
                ErrorCode::InvalidIssuer,
            ),
            (
                "https://kim@id.contoso.example",
                "mail",
                "resource",
                ErrorCode::InvalidIssuer,
            ),
            (
                "https://id.contoso.example/?a",
                "mail",
                "resource",
                ErrorCode::InvalidIssuer,
            ),
            (fine, "two scopes", "resource", ErrorCode::OutOfRange),
            (fine, "mail", "redirect_uri", ErrorCode::OutOfRange),
        ] {
            let refused = at_issuer(&input(issuer, scope, parameter)).unwrap_err();
            assert_eq!(refused.code, code, "{issuer} {scope} {parameter}");
        }
    }

    #[test]
    fn a_server_is_a_host_and_perhaps_a_port() {
        for (text, host, port) in [
            ("mail.contoso.example", "mail.contoso.example", 993),
            ("Mail.Contoso.example:9993", "mail.contoso.example", 9993),
            ("127.0.0.1:1143", "127.0.0.1", 1143),
            ("[::1]:1143", "::1", 1143),
        ] {
            assert_eq!(read(text), Some((host.to_owned(), port)), "{text}");
        }
        for text in [
            "",
            "a b",
            "kim@mail.contoso.example",
            "host/path",
            "host:99999",
            "host?x",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
