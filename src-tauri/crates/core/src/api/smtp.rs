//! The server that takes the mail of an address that is read by IMAP.

use super::addresses::{not_found, row_and_account};
use super::error::{ApiError, ErrorCode};
use super::host::{host_and_port, login_name, refuse_other_door};
use super::servers::{Passwords, has_own_secret, kept_apart, outbound_server};
use super::view::{AddressView, Direction};
use crate::account::{EmailAddress, ImapAuth, ImapServer, SmtpServer, Tls};
use crate::app::{self, App};
use crate::provider::ProviderError;
use crate::provider::outbound::Outbound;
use crate::provider::smtp::Offer;
use crate::store::accounts::AccountRow;
use crate::store::addresses::AddressRow;
use crate::store::{accounts, addresses};
use crate::sync::{self, StepError};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// More additional senders than this are a mistake.
const MOST_SENDERS: usize = 100;

/// The server for outgoing mail, as typed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct SmtpInput {
    /// `host` or `host:port`; without a port 587, or 465 where TLS is asked for from the first byte.
    pub server: String,
    /// How the line is encrypted; nothing means STARTTLS, except at port 465.
    pub tls: Option<Tls>,
    /// Login name; nothing means that of the IMAP server, and for a shared mailbox the name of who signed in.
    pub login: Option<String>,
    /// What proves who we are; nothing means a password where one is given, else what the IMAP server takes.
    pub auth: Option<ImapAuth>,
    /// Addresses that mail may be sent from beside the connection's own.
    pub from: Vec<String>,
}

/// Signs in to the server, sends nothing, and keeps it for the mail that leaves from the address. `password` is for this
/// server alone and stays until the server is removed, unless it is the one that the mailbox is read with; without one,
/// that one or the tokens that the address is read with are used.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::WrongState`] for an address that is disconnected or not read by IMAP,
/// [`ErrorCode::OutOfRange`] for a server that is no host name and port, [`ErrorCode::InvalidAddress`] for an additional
/// sender that is none, [`ErrorCode::PasswordNeeded`] where a stored password would go to another server,
/// [`ErrorCode::NotExchange`] for a server that the tokens are not for, what keeps the keychain shut, and what the server
/// said, with nothing stored.
pub async fn set_outbound(
    app: &App,
    id: i64,
    input: SmtpInput,
    password: Option<SecretString>,
) -> Result<AddressView, ApiError> {
    let (row, account) = row_and_account(app, id).await?;
    let Some(inbound) = row.server.clone().filter(|_| !row.disconnected) else {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", &row.address));
    };
    let own = has_own_secret(app, id).await?;
    let passwords = Passwords {
        typed: password.is_some(),
        own,
        typed_for_both: false,
    };
    let server = outbound_server(&row, &account, &input, &inbound, passwords)?;
    try_outbound(app, &row, &server, password.clone())
        .await?
        .map_err(StepError::Provider)?;
    let connections = &app.context.connections;
    let vault = connections.vault().await?;
    let mailbox = match inbound.auth {
        ImapAuth::Password if !own => Some(connections.stored_password(row.account_id).await?),
        ImapAuth::Password | ImapAuth::Token => None,
    };
    let password = kept_apart(password, mailbox.as_ref());
    let purpose = sync::outbound_purpose(id);
    let sealed = password.map(|text| vault.seal(&purpose, text.expose_secret().as_bytes()));
    app.context
        .store
        .write(move |tx| addresses::set_outbound(tx, id, Some(&server), sealed.as_deref()))
        .await?;
    app::address_view(app, id).await?.ok_or_else(not_found)
}

/// The sign-in that an address is read with.
async fn account_of(app: &App, row: &AddressRow) -> Result<AccountRow, ApiError> {
    let id = row.account_id;
    let found = app.context.store.read(move |db| accounts::get(db, id));
    found.await?.ok_or_else(not_found)
}

/// The IMAP server as the model for sending: mail of a shared mailbox is handed over by whoever signed in, under their own
/// name (Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth").
pub(super) fn sends_as(row: &AddressRow, account: &AccountRow, inbound: ImapServer) -> ImapServer {
    match row.mailbox {
        Some(_) => ImapServer {
            login: account.identity.login_name.clone(),
            ..inbound
        },
        None => inbound,
    }
}

/// Forgets the server for outgoing mail: nothing leaves from the address any more.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::WrongState`] for an address that is not read by IMAP.
pub async fn remove_outbound(app: &App, id: i64) -> Result<(), ApiError> {
    refuse_other_than_imap(app, id).await?;
    app.context
        .store
        .write(move |tx| addresses::set_outbound(tx, id, None, None))
        .await?;
    Ok(())
}

/// The settings that `input` means for an address that is read from `inbound`.
///
/// # Errors
/// As [`set_outbound`].
pub(crate) fn smtp_server(
    input: &SmtpInput,
    inbound: &ImapServer,
    with_password: bool,
) -> Result<SmtpServer, ApiError> {
    let (host, port) = host_and_port(&input.server)?;
    let (port, tls) = match (port, input.tls) {
        (None, Some(Tls::Implicit)) => (465, Tls::Implicit),
        (Some(465), None) => (465, Tls::Implicit),
        (port, tls) => (port.unwrap_or(587), tls.unwrap_or(Tls::StartTls)),
    };
    let login = login_name(input.login.as_deref().unwrap_or(&inbound.login))?;
    if input.from.len() > MOST_SENDERS {
        return Err(ApiError::new(ErrorCode::OutOfRange).arg("value", input.from.len()));
    }
    let mut from: Vec<EmailAddress> = Vec::new();
    for text in &input.from {
        let address = EmailAddress::parse(text)
            .ok_or_else(|| ApiError::new(ErrorCode::InvalidAddress).arg("value", text))?;
        if !from.contains(&address) {
            from.push(address);
        }
    }
    let usual = match with_password {
        true => ImapAuth::Password,
        false => inbound.auth,
    };
    Ok(SmtpServer {
        host,
        port,
        tls,
        login,
        auth: input.auth.unwrap_or(usual),
        from,
    })
}

/// Signs in to `server` as the address would, and sends nothing.
///
/// # Errors
/// [`ApiError`] where the stored sign-in cannot be read, [`ErrorCode::NotExchange`]; what the server said is the inner result.
pub(crate) async fn try_outbound(
    app: &App,
    row: &AddressRow,
    server: &SmtpServer,
    password: Option<SecretString>,
) -> Result<Result<Offer, ProviderError>, ApiError> {
    let connections = &app.context.connections;
    let own = EmailAddress::parse(&row.address).ok_or_else(not_found)?;
    if let (Some(password), ImapAuth::Password) = (password, server.auth) {
        let sender = connections.smtp_password_trial(server, &own, password);
        return Ok(sender.verify().await);
    }
    let account = account_of(app, row).await?;
    if server.auth == ImapAuth::Token {
        refuse_other_door(&account.registration, &server.host, Direction::Outbound)?;
    }
    let asked = AddressRow {
        outbound: Some(server.clone()),
        ..row.clone()
    };
    match connections.outbound(&asked, &account).await? {
        Some(Outbound::Smtp(sender)) => Ok(sender.verify().await),
        Some(Outbound::Graph(_)) | None => Err(not_found()),
    }
}

async fn refuse_other_than_imap(app: &App, id: i64) -> Result<(), ApiError> {
    let row = app
        .context
        .store
        .read(move |db| addresses::get(db, id))
        .await?
        .ok_or_else(not_found)?;
    match row.server {
        Some(_) => Ok(()),
        None => Err(ApiError::new(ErrorCode::WrongState).arg("value", &row.address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(server: &str, tls: Option<Tls>) -> Option<(String, u16, Tls)> {
        let inbound = ImapServer {
            host: "mail.contoso.example".into(),
            port: 993,
            tls: Tls::Implicit,
            login: "kim".into(),
            auth: ImapAuth::Token,
        };
        let input = SmtpInput {
            server: server.into(),
            tls,
            ..SmtpInput::default()
        };
        let server = smtp_server(&input, &inbound, false).ok()?;
        assert_eq!(
            (server.login.as_str(), server.auth),
            ("kim", ImapAuth::Token)
        );
        Some((server.host, server.port, server.tls))
    }

    #[test]
    fn a_server_is_a_host_and_perhaps_a_port_and_always_encrypted() {
        for (text, tls, port, expected) in [
            ("mail.contoso.example", None, 587, Tls::StartTls),
            (
                "mail.contoso.example",
                Some(Tls::Implicit),
                465,
                Tls::Implicit,
            ),
            ("mail.contoso.example:465", None, 465, Tls::Implicit),
            ("mail.contoso.example:2525", None, 2525, Tls::StartTls),
            (
                "mail.contoso.example:2465",
                Some(Tls::Implicit),
                2465,
                Tls::Implicit,
            ),
        ] {
            let expected = ("mail.contoso.example".to_owned(), port, expected);
            assert_eq!(read(text, tls), Some(expected), "{text}");
        }
    }

    #[test]
    fn an_additional_sender_is_an_address() {
        let inbound = ImapServer {
            host: "mail.contoso.example".into(),
            port: 993,
            tls: Tls::Implicit,
            login: "kim".into(),
            auth: ImapAuth::Password,
        };
        let with = |from: &[&str]| SmtpInput {
            server: "mail.contoso.example".into(),
            from: from.iter().map(ToString::to_string).collect(),
            ..SmtpInput::default()
        };
        let twice = with(&["info@contoso.example", "Info@Contoso.example"]);
        assert_eq!(smtp_server(&twice, &inbound, false).unwrap().from.len(), 1);
        let error = smtp_server(&with(&["info"]), &inbound, false).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidAddress);
    }
}
