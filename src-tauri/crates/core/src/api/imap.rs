//! Connecting a mailbox by IMAP: with a password at once, with OAuth through the browser.

use super::addresses::{brand_name, not_found};
use super::connect::{
    CATEGORY, POLL_INTERVAL_S, add, again, connect_attempt, in_use, refuse_address_in_use,
    registration, same_place,
};
use super::error::{ApiError, ErrorCode};
use super::imports::check_newest;
use super::view::{AddressView, ConnectAttempt, ConnectChoices, ConnectRequest};
use crate::account::{EmailAddress, Identity, ImapAuth, ImapServer, Registration, Tls};
use crate::app::attempts::{self, Plan};
use crate::app::{self, App};
use crate::oauth::OUTLOOK;
use crate::store::addresses::{AddressRow, NewAddress, ProviderKind};
use crate::store::events::{self, EventKind};
use crate::store::{accounts, addresses, imports};
use crate::sync::{self, StepError};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use url::Url;

/// The server, the login name and the folder, as typed in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImapInput {
    /// `host` or `host:port`; without a port 993, and 143 with STARTTLS.
    pub server: String,
    /// How the line is encrypted.
    pub tls: Tls,
    /// Login name.
    pub login: String,
    /// Path of the folder as the server writes it; nothing for the inbox.
    pub folder: Option<String>,
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
    let newest = choices.import_newest.map(check_newest).transpose()?;
    let brand = brand_name(&choices.brand)?;
    let key = address.key();
    let known = app
        .context
        .store
        .read(move |db| addresses::by_key(db, &key))
        .await?
        .filter(|row| is_same(row, &server));
    if known.is_none() {
        refuse_address_in_use(app, &address).await?;
    }
    let vault = app.context.connections.vault().await?;
    let path = match &known {
        Some(row) => row.folder_path.clone(),
        None => input.folder,
    };
    let provider =
        app.context
            .connections
            .imap_password_trial(&server, path.as_deref(), password.clone());
    let folder = provider
        .folder(path.as_deref())
        .await
        .map_err(StepError::Provider)?;
    let place = place(&server)?;
    let identity = Identity {
        tenant_id: String::new(),
        object_id: server.login.clone(),
        login_name: server.login.clone(),
        display_name: String::new(),
        primary: EmailAddress::parse(&server.login),
        aliases: Vec::new(),
    };
    // A password belongs to a server instead of an app registration.
    let registration = Registration {
        authority: place.clone(),
        graph_url: place,
        tenant: String::new(),
        client_id: String::new(),
        issuer: None,
    };
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

/// As [`super::begin_connect`], for a mailbox of Exchange Online read by IMAP. The attempt is followed and finished
/// in the same way.
///
/// # Errors
/// As [`super::begin_connect`], and [`ErrorCode::OutOfRange`] for a server that is no host name and port.
pub async fn begin_connect_imap(
    app: &Arc<App>,
    request: ConnectRequest,
    input: ImapInput,
) -> Result<ConnectAttempt, ApiError> {
    let address = parse_address(&request.address)?;
    refuse_address_in_use(app, &address).await?;
    let server = server(&input, ImapAuth::Token)?;
    let given = match &request.registration {
        Some(input) => registration(input, app.any_endpoint)?,
        None => app
            .own_registration
            .clone()
            .ok_or_else(|| ApiError::new(ErrorCode::RegistrationNeeded))?,
    };
    app.context.connections.vault().await?;
    let plan = Plan {
        address,
        sandbox: app
            .sandbox()
            .is_some_and(|sandbox| same_place(&sandbox.authority, &given.authority)),
        registration: Registration {
            // A token is for one resource, and this one is not for Graph.
            graph_url: Url::parse(OUTLOOK)
                .map_err(|error| ApiError::new(ErrorCode::Internal).because(error))?,
            ..given
        },
        words: crate::words::words(&request.language).page.clone(),
        reconnects: None,
        imap: Some((server, input.folder)),
    };
    let id = attempts::start(app, plan, request.private_window);
    connect_attempt(app, &id)
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
