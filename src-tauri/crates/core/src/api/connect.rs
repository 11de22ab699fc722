//! Connecting a mailbox: begin, follow, retry, finish.

use super::addresses::{brand_name, not_found, row_and_account};
use super::convert;
use super::error::{ApiError, ErrorCode};
use super::folders;
use super::imap;
use super::imports::check_newest;
use super::view::{
    AddressView, CloudInput, ConnectAttempt, ConnectChoices, ConnectRequest, ConnectStage, Opens,
    RegistrationInput,
};
use crate::account::{EmailAddress, Identity, ImapAuth, ImapServer, Registration, SmtpServer};
use crate::app::attempts::{self, Plan, Proven};
use crate::app::{self, App};
use crate::oauth;
use crate::oauth::http::{is_allowed, is_loopback};
use crate::oauth::tokens::TokenSet;
use crate::provider::Folder;
use crate::store::accounts::AccountRow;
use crate::store::addresses::{AddressRow, NewAddress, ProviderKind};
use crate::store::after_import::{self, AfterImport};
use crate::store::events::{self, EventKind};
use crate::store::origins::{self, Origin};
use crate::store::{accounts, addresses, handoffs, imports, tickets};
use crate::sync;
use std::sync::Arc;
use url::Url;

/// Seconds between polls of a new address.
const POLL_INTERVAL_S: u32 = 60;
/// Category on imported mail of a new address.
const CATEGORY: &str = "Mailroom";

/// Checks the request and opens the browser. The attempt goes on by itself; follow it with [`connect_attempt`] or
/// by [`super::view::Notice::Connect`].
///
/// # Errors
/// [`ErrorCode::InvalidAddress`], [`ErrorCode::AddressInUse`], [`ErrorCode::RegistrationNeeded`],
/// [`ErrorCode::InvalidClientId`], [`ErrorCode::InvalidTenant`], and what keeps the keychain shut: better known
/// before the person signs in than after.
pub async fn begin_connect(
    app: &Arc<App>,
    request: ConnectRequest,
) -> Result<ConnectAttempt, ApiError> {
    let address = EmailAddress::parse(&request.address)
        .ok_or_else(|| ApiError::new(ErrorCode::InvalidAddress).arg("value", &request.address))?;
    let registration = match &request.registration {
        Some(input) => registration(input, app.any_endpoint)?,
        None => app
            .own_registration
            .clone()
            .ok_or_else(|| ApiError::new(ErrorCode::RegistrationNeeded))?,
    };
    let private_window = request.private_window;
    begin_as(
        app,
        (address, request.opens),
        registration,
        private_window,
        &request.language,
    )
    .await
}

/// Opens the browser to connect an address, as its own account's mailbox or as a shared one, under a checked
/// registration.
///
/// # Errors
/// [`ErrorCode::AddressInUse`], and what keeps the keychain shut.
pub(super) async fn begin_as(
    app: &Arc<App>,
    (address, opens): (EmailAddress, Opens),
    registration: Registration,
    private_window: bool,
    language: &str,
) -> Result<ConnectAttempt, ApiError> {
    refuse_address_in_use(app, &address).await?;
    app.context.connections.vault().await?;
    let sandbox = app.sandbox();
    let plan = Plan {
        address,
        opens,
        sandbox: sandbox
            .is_some_and(|sandbox| same_place(&sandbox.authority, &registration.authority)),
        registration,
        words: crate::words::words(language).page.clone(),
        reconnects: None,
        folder: None,
        imap: None,
        password: None,
        further: None,
    };
    let id = attempts::start(app, plan, private_window);
    connect_attempt(app, &id)
}

/// Signs in again for an address that is connected or was: folder, brand, cursor and tickets stay, and everything
/// that arrived meanwhile is fetched. A shared mailbox may be signed in to by anybody who may open it.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::WrongState`] for an address that signs in with a password, and as
/// [`begin_connect`].
pub async fn reconnect_address(
    app: &Arc<App>,
    id: i64,
    private_window: bool,
    language: &str,
) -> Result<ConnectAttempt, ApiError> {
    let (row, account) = row_and_account(app, id).await?;
    if row.server.as_ref().map(|server| server.auth) == Some(ImapAuth::Password) {
        // There is no browser to sign in with: `connect_imap` takes the new password.
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", &row.address));
    }
    begin_again(app, (row, account), None, private_window, language).await
}

/// Opens the browser to sign in again for a known address; `further` is asked for beside the usual scopes.
pub(super) async fn begin_again(
    app: &Arc<App>,
    (row, account): (AddressRow, AccountRow),
    further: Option<&'static str>,
    private_window: bool,
    language: &str,
) -> Result<ConnectAttempt, ApiError> {
    app.context.connections.vault().await?;
    let plan = Plan {
        address: EmailAddress::parse(&row.address).ok_or_else(not_found)?,
        registration: account.registration,
        words: crate::words::words(language).page.clone(),
        reconnects: Some(row.id),
        opens: match row.mailbox {
            Some(_) => Opens::Shared,
            None => Opens::Own,
        },
        sandbox: row.sandbox,
        folder: row.folder_path.clone().filter(|_| row.server.is_none()),
        imap: row.server.map(|server| (server, row.folder_path)),
        password: None,
        further,
    };
    let id = attempts::start(app, plan, private_window);
    connect_attempt(app, &id)
}

/// How an attempt stands.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub fn connect_attempt(app: &App, id: &str) -> Result<ConnectAttempt, ApiError> {
    app.attempts.view(id).ok_or_else(not_found)
}

/// Opens the browser again for an attempt that waits for it.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::WrongState`], [`ErrorCode::NoBrowser`].
pub async fn open_browser_again(app: &App, id: &str, private_window: bool) -> Result<(), ApiError> {
    let ConnectStage::WaitingForBrowser { url, .. } = connect_attempt(app, id)?.stage else {
        return Err(ApiError::new(ErrorCode::WrongState));
    };
    app.desktop
        .open_url(&url, private_window)
        .await
        .map_err(|reason| ApiError::new(ErrorCode::NoBrowser).because(reason))
}

/// Starts the sign-in of an attempt anew, with the account picker: after a wrong account, a failure or a time-out.
///
/// # Errors
/// [`ErrorCode::NotFound`]; [`ErrorCode::WrongState`] once the same answer came twice: nothing is asked a third time, and
/// a new attempt begins when somebody has changed something.
pub fn retry_connect(
    app: &Arc<App>,
    id: &str,
    private_window: bool,
) -> Result<ConnectAttempt, ApiError> {
    let plan = app.attempts.plan(id).ok_or_else(not_found)?;
    if let ConnectStage::Failed { finding } = connect_attempt(app, id)?.stage
        && finding.code == attempts::LOOP
    {
        return Err(ApiError::new(ErrorCode::WrongState).arg("value", attempts::LOOP));
    }
    attempts::restart(app, id, plan, private_window, true);
    connect_attempt(app, id)
}

/// Ends an attempt; nothing of it is kept.
///
/// # Errors
/// [`ErrorCode::NotFound`].
pub fn cancel_connect(app: &App, id: &str) -> Result<(), ApiError> {
    if app.attempts.cancel(id) {
        Ok(())
    } else {
        Err(not_found())
    }
}

/// Connects: stores the sign-in and the address in one transaction and lets polling (and the import) begin.
///
/// # Errors
/// [`ErrorCode::NotFound`], [`ErrorCode::WrongState`] unless the attempt is ready, [`ErrorCode::OutOfRange`],
/// [`ErrorCode::AddressInUse`] if somebody else was faster, the keychain, the disk.
pub async fn finish_connect(
    app: &App,
    id: &str,
    choices: ConnectChoices,
) -> Result<AddressView, ApiError> {
    let stage = connect_attempt(app, id)?.stage;
    if let Some(plan) = app.attempts.plan(id).filter(|plan| plan.password.is_some()) {
        if !matches!(stage, ConnectStage::Ready { .. }) {
            return Err(ApiError::new(ErrorCode::WrongState));
        }
        let view = imap::finish(app, plan, choices).await?;
        app.attempts.cancel(id);
        return Ok(view);
    }
    let (plan, mut proven) = app
        .attempts
        .proven(id)
        .ok_or_else(|| ApiError::new(ErrorCode::WrongState))?;
    let mut folder_path = plan.imap.as_ref().and_then(|(_, path)| path.clone());
    if let Some(path) = choices
        .folder
        .as_deref()
        .filter(|_| plan.reconnects.is_none())
    {
        let provider = attempts::trial(app, &plan, &proven.tokens);
        let found = folders::find(&provider, path).await?;
        proven.folder = found.folder;
        folder_path = found.path;
    }
    let newest = choices.import_newest.map(check_newest).transpose()?;
    let brand = brand_name(&choices.brand)?;
    let vault = app.context.connections.vault().await?;
    let change = convert::change(app, &plan, &proven).await?;
    let now = app.context.clock.now();
    let address = plan.address.clone();
    let stored = app
        .context
        .store
        .write(move |tx| {
            let account = accounts::upsert(tx, &proven.identity, &plan.registration)?;
            let before = accounts::get(tx, account)?.map(|row| row.scopes);
            let mut tokens = proven.tokens.current();
            keep_scopes(&mut tokens, &before.unwrap_or_default());
            let sealed = vault.seal(&sync::purpose(account), &tokens.to_bytes());
            accounts::save_tokens(tx, account, &sealed, &tokens.scopes)?;
            let id = match plan.reconnects {
                Some(id) => {
                    if let Some(change) = &change {
                        convert::write(tx, id, change, now)?;
                    }
                    reattach(tx, id, account, &proven, now)?
                }
                None => {
                    if let Some(user) = addresses::user_of(tx, &plan.address.key())? {
                        return Ok(Err(user));
                    }
                    attach(tx, &plan, account, &proven, (&brand, folder_path), now)?
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
    let (address_id, account) = stored.map_err(|user| in_use(&address, &user))?;
    app.context.connections.forget(account);
    app.attempts.cancel(id);
    app.context.nudge.notify_one();
    app::address_view(app, address_id)
        .await?
        .ok_or_else(not_found)
}

fn attach(
    tx: &rusqlite::Connection,
    plan: &Plan,
    account: i64,
    proven: &Proven,
    (brand, folder_path): (&str, Option<String>),
    now: crate::Millis,
) -> rusqlite::Result<i64> {
    let new = NewAddress {
        sandbox: plan.sandbox,
        mailbox: plan.shared().map(ToString::to_string),
        ..beginning(
            (plan.address.clone(), brand),
            plan.imap.clone().map(|(server, _)| server),
            account,
            (folder_path, &proven.folder),
            now,
        )
    };
    let id = add(tx, &new, &proven.identity, now)?;
    if let Some(owner) = &proven.mailbox {
        addresses::replace_aliases(tx, id, &other_addresses(&new.address, owner))?;
    }
    Ok(id)
}

/// What an address begins with that `account` reads: at `server`, or at Graph where there is none.
pub(super) fn beginning(
    (address, brand): (EmailAddress, &str),
    server: Option<ImapServer>,
    account: i64,
    (folder_path, folder): (Option<String>, &Folder),
    now: crate::Millis,
) -> NewAddress {
    NewAddress {
        address,
        brand: brand.to_owned(),
        sandbox: false,
        provider: match server {
            Some(_) => ProviderKind::Imap,
            None => ProviderKind::Graph,
        },
        server,
        outbound: None,
        account_id: account,
        mailbox: None,
        folder_path,
        folder_id: folder.id.clone(),
        folder_name: folder.name.clone(),
        poll_interval_s: POLL_INTERVAL_S,
        category: CATEGORY.to_owned(),
        // Servers tell the time of arrival in whole seconds.
        connected_at: now - now.rem_euclid(1000),
        cursor: None,
        next_poll_at: Some(now),
    }
}

/// One account reads several mailboxes with one set of tokens: what was granted for another one, and is not listed by
/// this sign-in, is asked for again at once, by a renewal. Entra's refresh tokens are not bound to scopes ("Refresh
/// tokens in the Microsoft identity platform").
fn keep_scopes(tokens: &mut TokenSet, before: &[String]) {
    let has = |scope: &str| {
        tokens
            .scopes
            .iter()
            .any(|has| has.eq_ignore_ascii_case(scope))
    };
    let missing: Vec<String> = oauth::LATER_SCOPES
        .iter()
        .filter(|scope| before.iter().any(|had| had.eq_ignore_ascii_case(scope)))
        .filter(|scope| !has(scope))
        .map(|scope| (*scope).to_owned())
        .collect();
    if !missing.is_empty() {
        tokens.scopes.extend(missing);
        tokens.expires_at = 0;
    }
}

/// Adds an address with its account's other names. It becomes the default once it has proven that it can send.
pub(super) fn add(
    tx: &rusqlite::Connection,
    new: &NewAddress,
    identity: &Identity,
    now: crate::Millis,
) -> rusqlite::Result<i64> {
    let former = addresses::by_key(tx, &new.address.key())?;
    if let Some(former) = former.filter(|row| Origin::of(row) != Origin::of_new(new)) {
        origins::leave(tx, former.id, now)?;
    }
    let id = addresses::insert(tx, new)?;
    // Whoever opens somebody else's mailbox keeps their own names.
    let aliases = match identity.owns(&new.address) {
        true => other_addresses(&new.address, identity),
        false => Vec::new(),
    };
    addresses::replace_aliases(tx, id, &aliases)?;
    // A connection that ended may have left mail to be moved or deleted.
    after_import::set(tx, id, &AfterImport::Read, None, None)?;
    // Whoever could sign in waits for no approval any more.
    handoffs::settle(tx, id)?;
    let args = [("login".to_owned(), identity.login_name.clone())].into();
    events::add(tx, id, now, EventKind::Connected, &args)?;
    Ok(id)
}

fn reattach(
    tx: &rusqlite::Connection,
    id: i64,
    account: i64,
    proven: &Proven,
    now: crate::Millis,
) -> rusqlite::Result<i64> {
    again(tx, id, account, &proven.identity, now)?;
    Ok(id)
}

/// The address is read with this account again, from where it stopped.
pub(super) fn again(
    tx: &rusqlite::Connection,
    id: i64,
    account: i64,
    identity: &Identity,
    now: crate::Millis,
) -> rusqlite::Result<()> {
    send_as_whoever_signs_in(tx, id, identity)?;
    addresses::reconnect(tx, id, account, now)?;
    let args = [("login".to_owned(), identity.login_name.clone())].into();
    events::add(tx, id, now, EventKind::Reconnected, &args)
}

/// Whoever opens a shared mailbox hands its mail over under their own name: where somebody else signs in, that name
/// changes with them.
fn send_as_whoever_signs_in(
    tx: &rusqlite::Connection,
    id: i64,
    identity: &Identity,
) -> rusqlite::Result<()> {
    let Some(row) = addresses::get(tx, id)? else {
        return Ok(());
    };
    let (Some(_), Some(server)) = (&row.mailbox, row.outbound) else {
        return Ok(());
    };
    let former = accounts::get(tx, row.account_id)?;
    let was_theirs = former.is_some_and(|former| former.identity.login_name == server.login);
    if server.auth != ImapAuth::Token || !was_theirs {
        return Ok(());
    }
    let login = identity.login_name.clone();
    addresses::set_outbound(tx, id, Some(&SmtpServer { login, ..server }), None)
}

pub(super) fn other_addresses(address: &EmailAddress, identity: &Identity) -> Vec<EmailAddress> {
    identity
        .primary
        .iter()
        .chain(&identity.aliases)
        .filter(|other| *other != address)
        .cloned()
        .collect()
}

pub(super) async fn refuse_address_in_use(
    app: &App,
    address: &EmailAddress,
) -> Result<(), ApiError> {
    let key = address.key();
    let allowed = app.is_allowed_requester(&key);
    let (user, requester) = app
        .context
        .store
        .read(move |db| {
            // Who was connected before is ours, whatever it sent.
            let was_ours = allowed || addresses::by_key(db, &key)?.is_some();
            let requester = match was_ours {
                true => None,
                false => tickets::requester(db, &key)?,
            };
            Ok((addresses::user_of(db, &key)?, requester))
        })
        .await?;
    if let Some(user) = user {
        return Err(in_use(address, &user));
    }
    requester.map_or(Ok(()), |(name, count)| {
        Err(in_use(address, &(name, "requester".to_owned())).arg("tickets", count))
    })
}

/// Says that `address` is the team's own although it once wrote in, for instance because mail was forwarded from it:
/// connecting it is not refused for that while this program runs. The person was told whose tickets there are.
///
/// # Errors
/// [`ErrorCode::InvalidAddress`].
pub fn allow_requester(app: &App, address: &str) -> Result<(), ApiError> {
    let asked = EmailAddress::parse(address)
        .ok_or_else(|| ApiError::new(ErrorCode::InvalidAddress).arg("value", address))?;
    app.allow_requester(asked.key());
    Ok(())
}

pub(super) fn in_use(address: &EmailAddress, (by, how): &(String, String)) -> ApiError {
    ApiError::new(ErrorCode::AddressInUse)
        .arg("value", address)
        .arg("by", by)
        .arg("how", how)
}

/// Checks a registration as typed in.
pub(super) fn registration(
    input: &RegistrationInput,
    any_endpoint: bool,
) -> Result<Registration, ApiError> {
    let client_id = input.client_id.trim();
    if uuid::Uuid::try_parse(client_id).is_err() {
        return Err(ApiError::new(ErrorCode::InvalidClientId).arg("value", client_id));
    }
    let tenant = input.tenant.trim();
    let is_domain = tenant.contains('.') && EmailAddress::parse(&format!("x@{tenant}")).is_some();
    let is_known = ["organizations", "common", "consumers"].contains(&tenant);
    if !(is_domain || is_known || uuid::Uuid::try_parse(tenant).is_ok()) {
        return Err(ApiError::new(ErrorCode::InvalidTenant).arg("value", tenant));
    }
    // Sources: Microsoft Graph, "National cloud deployments".
    let (authority, graph_url) = match &input.cloud {
        CloudInput::Global => (
            "https://login.microsoftonline.com/",
            "https://graph.microsoft.com/",
        ),
        CloudInput::UsGov => (
            "https://login.microsoftonline.us/",
            "https://graph.microsoft.us/",
        ),
        CloudInput::China => (
            "https://login.chinacloudapi.cn/",
            "https://microsoftgraph.chinacloudapi.cn/",
        ),
        CloudInput::Custom {
            authority,
            graph_url,
        } => (authority.as_str(), graph_url.as_str()),
    };
    let known = !matches!(input.cloud, CloudInput::Custom { .. });
    let may_be = |url: &Url| is_allowed(url) && (known || any_endpoint || is_loopback(url));
    Ok(Registration {
        authority: endpoint(authority, may_be)?,
        graph_url: endpoint(graph_url, may_be)?,
        tenant: tenant.to_owned(),
        client_id: client_id.to_owned(),
        issuer: None,
    })
}

fn endpoint(text: &str, may_be: impl Fn(&Url) -> bool) -> Result<Url, ApiError> {
    Url::parse(text)
        .ok()
        .filter(|url| may_be(url) && url.query().is_none())
        .ok_or_else(|| ApiError::new(ErrorCode::InvalidTenant).arg("value", text))
}

pub(super) fn same_place(text: &str, url: &Url) -> bool {
    Url::parse(text).is_ok_and(|other| other.origin() == url.origin())
}
