//! What was typed for the servers of an address, read and tried at the real servers. Nothing is stored here.

use super::super::error::{ApiError, ErrorCode};
use super::super::host::{host_and_port, login_name, refuse_other_door};
use super::super::moving;
use super::super::smtp::{SmtpInput, sends_as, smtp_server, try_outbound};
use super::super::view::Direction;
use super::about;
use super::reach::{Passwords, is_stored_for};
use super::save::InboundInput;
use crate::account::{EmailAddress, ImapAuth, ImapServer, SmtpServer, Tls};
use crate::app::App;
use crate::diagnosis::{Finding, Severity};
use crate::import::parse::parse;
use crate::provider::imap::folder_id;
use crate::provider::{Folder, Provider};
use crate::store::accounts::AccountRow;
use crate::store::addresses::{self, AddressRow};
use crate::store::ledger;
use secrecy::SecretString;

/// Messages that are looked at to see that another port leads to the same mailbox.
const COMPARED: usize = 3;

/// The inbound server as it is to be, tried.
pub(super) struct WayIn {
    pub(super) server: ImapServer,
    /// What it is signed in to with; nothing for the account's tokens.
    pub(super) password: Option<SecretString>,
    /// Whether somebody typed that password just now.
    pub(super) signs_in_anew: bool,
    /// Whether it is another place than before.
    pub(super) moved: bool,
    pub(super) path: Option<String>,
    pub(super) folder: Folder,
    pub(super) finding: Option<Finding>,
    /// Whether it would open another mailbox than the shared one, and is not kept on any wish.
    pub(super) opens_other: bool,
}

impl WayIn {
    /// Whether it is to be stored, with a warning where `anyway` says so.
    pub(super) fn is_kept(&self, anyway: bool) -> bool {
        !self.opens_other && (self.finding.is_none() || anyway)
    }
}

/// The outbound server as it is to be, tried.
pub(super) struct WayOut {
    pub(super) server: SmtpServer,
    /// A password for it alone, where that is new.
    pub(super) password: Option<SecretString>,
    pub(super) finding: Option<Finding>,
    /// Whether the person asked for it, or it follows the inbound one.
    pub(super) asked: bool,
}

/// Reads what was typed of the inbound server. Nothing is asked of it.
pub(super) async fn read_inbound(
    app: &App,
    row: &AddressRow,
    account: &AccountRow,
    before: &ImapServer,
    typed: &InboundInput,
    password: Option<SecretString>,
) -> Result<WayIn, ApiError> {
    if row.mailbox.is_some() && password.is_some() {
        return Err(ApiError::new(ErrorCode::SharedNeedsBrowser).arg("value", &row.address));
    }
    let (host, port) = host_and_port(&typed.server)?;
    let tls = typed.tls.unwrap_or(before.tls);
    let login = login_name(typed.login.as_deref().unwrap_or(&before.login))?;
    let server = ImapServer {
        host,
        port: port.unwrap_or(match tls {
            Tls::Implicit => 993,
            Tls::StartTls => 143,
        }),
        tls,
        login,
        auth: match password {
            Some(_) => ImapAuth::Password,
            None => before.auth,
        },
    };
    if server.auth == ImapAuth::Token {
        refuse_other_door(&account.registration, &server.host, Direction::Inbound)?;
    }
    let moved = server.host != before.host || server.login != before.login;
    if moved {
        refuse_other_address(app, row, &server).await?;
        moving::refuse_while_importing(app, row).await?;
    }
    let signs_in_anew = password.is_some();
    let password = match (password, server.auth) {
        (Some(password), _) => Some(password),
        (None, ImapAuth::Token) => None,
        (None, ImapAuth::Password) if moved => {
            return Err(password_needed(&server.login, &server.host));
        }
        (None, ImapAuth::Password) => {
            let connections = &app.context.connections;
            Some(connections.stored_password(row.account_id).await?)
        }
    };
    // A folder that was chosen and waits is the one to read at the new place.
    let path = match &row.next_folder {
        Some(next) if moved => next.path.clone(),
        _ => row.folder_path.clone(),
    };
    let folder = Folder {
        id: folder_id(path.as_deref().unwrap_or("INBOX")),
        name: path.clone().unwrap_or_else(|| row.folder_name.clone()),
        total: 0,
        has_had_mail: false,
    };
    Ok(WayIn {
        server,
        password,
        signs_in_anew,
        moved,
        path,
        folder,
        finding: None,
        opens_other: false,
    })
}

fn password_needed(login: &str, host: &str) -> ApiError {
    ApiError::new(ErrorCode::PasswordNeeded)
        .arg("value", login)
        .arg("host", host)
}

/// The login name of another connected address opens that one's mailbox, and its mail would be here twice.
async fn refuse_other_address(
    app: &App,
    row: &AddressRow,
    server: &ImapServer,
) -> Result<(), ApiError> {
    let Some(login) = EmailAddress::parse(&server.login) else {
        return Ok(());
    };
    let (key, id) = (login.key(), row.id);
    let other = app
        .context
        .store
        .read(move |db| addresses::by_key(db, &key))
        .await?
        .filter(|other| other.id != id && !other.disconnected);
    match other {
        None => Ok(()),
        Some(other) => Err(ApiError::new(ErrorCode::AddressInUse)
            .arg("value", login)
            .arg("by", other.address)
            .arg("how", "connection")),
    }
}

/// Signs in and opens the folder.
pub(super) async fn try_inbound(
    app: &App,
    row: &AddressRow,
    account: &AccountRow,
    way: WayIn,
) -> Result<WayIn, ApiError> {
    if let Some(finding) = own_instead(row, account, &way.server) {
        return Ok(WayIn {
            finding: Some(finding),
            opens_other: true,
            ..way
        });
    }
    let connections = &app.context.connections;
    let path = way.path.as_deref();
    let provider = match &way.password {
        Some(password) => connections.imap_password_trial(&way.server, path, password.clone()),
        None => {
            connections
                .imap_account_trial(&way.server, path, row, account)
                .await?
        }
    };
    Ok(match provider.folder(path).await {
        Ok(folder) => {
            let has_other_port = row.server.as_ref().map(|s| s.port) != Some(way.server.port);
            let moved =
                way.moved || (has_other_port && is_another_mailbox(app, row, &provider).await?);
            if moved && !way.moved {
                moving::refuse_while_importing(app, row).await?;
            }
            WayIn {
                folder,
                moved,
                ..way
            }
        }
        Err(error) => WayIn {
            finding: Some(about(&error, row, account, Some(&way.server.host))),
            ..way
        },
    })
}

/// The name at the server is that of whoever signed in: it would open their mailbox instead of the shared one.
fn own_instead(row: &AddressRow, account: &AccountRow, server: &ImapServer) -> Option<Finding> {
    let login = account.identity.login_name.as_str();
    let is_own = server.login.eq_ignore_ascii_case(login);
    if row.mailbox.is_none() || !is_own || row.address.eq_ignore_ascii_case(login) {
        return None;
    }
    let mut finding = Finding::plain("shared_login_is_own", Severity::Failed);
    finding.args.insert("login".into(), server.login.clone());
    finding.args.insert("address".into(), row.address.clone());
    Some(finding)
}

/// Whether a known number names another message here: two servers may stand behind the ports of one host.
async fn is_another_mailbox(
    app: &App,
    row: &AddressRow,
    provider: &Provider,
) -> Result<bool, ApiError> {
    let id = row.id;
    let rows = app
        .context
        .store
        .read(move |db| ledger::list(db, id, None, None, 0, 50))
        .await?;
    let known: Vec<(String, String)> = rows
        .into_iter()
        .filter(|row| !row.server_id.starts_with("former "))
        .filter_map(|row| Some((row.server_id, row.message_id?)))
        .take(COMPARED)
        .collect();
    let ids: Vec<String> = known.iter().map(|(id, _)| id.clone()).collect();
    let answers = provider.fetch(&ids).await;
    Ok(answers.into_iter().zip(known).any(|(answer, (_, had))| {
        let has = answer.ok().and_then(|raw| parse(&raw).message_id);
        has.is_some_and(|has| has != had)
    }))
}

/// The settings that were typed for the outbound server; a password of its own stays in use where none is typed. A stored
/// password is good for where it has been, and the mailbox's own for servers of the same provider or domain too.
///
/// # Errors
/// [`ErrorCode::PasswordNeeded`] where a stored password would go to another server; as [`smtp_server`];
/// [`ErrorCode::NotExchange`].
pub(in crate::api) fn outbound_server(
    row: &AddressRow,
    account: &AccountRow,
    typed: &SmtpInput,
    inbound: &ImapServer,
    passwords: Passwords,
) -> Result<SmtpServer, ApiError> {
    let inbound = sends_as(row, account, inbound.clone());
    let server = smtp_server(typed, &inbound, passwords.typed || passwords.own)?;
    if server.auth == ImapAuth::Password
        && !passwords.typed
        && !is_stored_for(row.outbound.as_ref(), &server, &inbound, passwords)
    {
        return Err(password_needed(&server.login, &server.host));
    }
    if server.auth == ImapAuth::Token {
        refuse_other_door(&account.registration, &server.host, Direction::Outbound)?;
    }
    Ok(server)
}

/// Whether a password for sending alone is stored.
pub(in crate::api) async fn has_own_secret(app: &App, id: i64) -> Result<bool, ApiError> {
    let read = app
        .context
        .store
        .read(move |db| addresses::outbound_secret(db, id));
    Ok(read.await?.is_some())
}

/// What becomes of the outbound server that nobody asked about, when the inbound one changes as `way` says; nothing where
/// it stays as it is.
pub(super) async fn follow(
    app: &App,
    row: &AddressRow,
    account: &AccountRow,
    way: &WayIn,
    own_secret: bool,
) -> Result<Option<WayOut>, ApiError> {
    let (Some(server), Some(before)) = (row.outbound.clone(), &row.server) else {
        return Ok(None);
    };
    let way_out = |server, password| WayOut {
        server,
        password,
        finding: None,
        asked: false,
    };
    match (server.auth, before.auth) {
        // The tokens are gone with the account: the new password is what is left.
        (ImapAuth::Token, ImapAuth::Token) if way.password.is_some() => {
            let server = SmtpServer {
                auth: ImapAuth::Password,
                ..server
            };
            let tried = try_way_out(app, row, account, Some(way), way_out(server, None), false);
            Ok(Some(tried.await?))
        }
        // The new password is for another place: sending keeps the former one for itself.
        (ImapAuth::Password, ImapAuth::Password) if !own_secret && way.moved => {
            let connections = &app.context.connections;
            let former = connections.stored_password(row.account_id).await?;
            Ok(Some(way_out(server, Some(former))))
        }
        _ => Ok(None),
    }
}

/// Signs in to the outbound server as the address would with the inbound one of `way_in`, and sends nothing.
pub(super) async fn try_way_out(
    app: &App,
    row: &AddressRow,
    account: &AccountRow,
    way_in: Option<&WayIn>,
    way: WayOut,
    own_secret: bool,
) -> Result<WayOut, ApiError> {
    let new_inbound = way_in.and_then(|way| way.password.clone());
    let password = match (&way.password, own_secret) {
        (Some(password), _) => Some(password.clone()),
        (None, true) => None,
        (None, false) => new_inbound,
    };
    let tried = try_outbound(app, row, &way.server, password).await?;
    let finding = tried
        .err()
        .map(|error| about(&error, row, account, Some(&way.server.host)));
    Ok(WayOut { finding, ..way })
}
