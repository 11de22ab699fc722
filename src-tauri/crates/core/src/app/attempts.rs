//! Connections being made: from the browser's link to the confirmed choice. An attempt lives in memory only;
//! until it is confirmed nothing is stored, and nothing is fetched but the one message that a check of a proven sign-in
//! reads to see that it can.

mod imap;
mod password;
mod shared;

use super::App;
use super::views::{identity_view, scope_views};
use crate::account::{EmailAddress, Identity, ImapServer, Registration};
use crate::api::view::{ConnectAttempt, ConnectStage, Notice, Opens, ScopeView};
use crate::diagnosis::checks::{finding_of, finding_of_sign_in};
use crate::diagnosis::{Finding, Severity};
use crate::oauth::flow::{self, SignInRequest};
use crate::oauth::tokens::TokenSet;
use crate::oauth::{self, loopback::PageWords};
use crate::provider::imap::folder_id;
use crate::provider::{Folder, Provider, ProviderError};
use crate::store::handoffs;
use crate::sync::HeldTokens;
use futures_util::FutureExt;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The catalogue's code for the same answer twice.
pub(crate) const LOOP: &str = "sign_in_loop";
/// How long the browser may take.
const TIME_LIMIT: Duration = Duration::from_secs(5 * 60);

/// What an attempt is for.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) address: EmailAddress,
    pub(crate) opens: Opens,
    pub(crate) registration: Registration,
    pub(crate) words: PageWords,
    /// The connected address that is signed in again, if it is one.
    pub(crate) reconnects: Option<i64>,
    pub(crate) sandbox: bool,
    /// Path of the folder that the address reads, if it is signed in again; nothing for the inbox.
    pub(crate) folder: Option<String>,
    /// The server and the folder to read (nothing: the inbox), where it is not Graph.
    pub(crate) imap: Option<(ImapServer, Option<String>)>,
    /// What the IMAP server is signed in to with, where no browser is needed. It is forgotten with the attempt.
    pub(crate) password: Option<SecretString>,
    /// A scope of [`oauth::LATER_SCOPES`] that this sign-in asks for beside the usual ones.
    pub(crate) further: Option<&'static str>,
}

/// A sign-in that passed all checks and waits for the person's choices.
#[derive(Clone)]
pub(crate) struct Proven {
    pub(crate) identity: Identity,
    pub(crate) tokens: HeldTokens,
    pub(crate) folder: Folder,
    /// The mailbox that is opened, where it is a shared one and could be looked up.
    pub(crate) mailbox: Option<Identity>,
}

impl Plan {
    /// The shared mailbox to open; nothing where it is the account's own.
    pub(crate) fn shared(&self) -> Option<&EmailAddress> {
        match self.opens {
            Opens::Shared => Some(&self.address),
            Opens::Own => None,
        }
    }

    /// Scopes to ask for.
    pub(crate) fn scopes(&self) -> Vec<String> {
        match (&self.registration.issuer, &self.imap) {
            (Some(issuer), _) => issuer.scopes.clone(),
            // Without a name nobody knows who opens a shared mailbox, nor who sends as it.
            (None, Some(_)) if self.shared().is_some() => {
                oauth::imap_shared_scopes(&self.registration)
            }
            (None, Some(_)) => oauth::imap_scopes(&self.registration),
            (None, None) => {
                let mut scopes = oauth::scopes(self.shared().is_some());
                scopes.extend(self.further.map(str::to_owned));
                scopes
            }
        }
    }
}

/// The mailbox of an attempt that is ready, whatever it is signed in to with; nothing before.
pub(crate) fn mailbox_of(app: &App, id: &str) -> Option<(Provider, Folder)> {
    let plan = app.attempts.plan(id)?;
    if plan.password.is_some() {
        let ConnectStage::Ready {
            folder,
            folder_messages,
            ..
        } = app.attempts.view(id)?.stage
        else {
            return None;
        };
        let folder = Folder {
            id: folder_id(&folder),
            name: folder,
            total: folder_messages,
            has_had_mail: folder_messages > 0,
        };
        return Some((password::trial(app, &plan)?, folder));
    }
    let (plan, proven) = app.attempts.proven(id)?;
    Some((trial(app, &plan, &proven.tokens), proven.folder))
}

/// The mailbox of a proven sign-in, with tokens that are kept in memory only.
pub(crate) fn trial(app: &App, plan: &Plan, tokens: &HeldTokens) -> Provider {
    let connections = &app.context.connections;
    match &plan.imap {
        Some((server, folder)) => connections.imap_trial(None, server, folder.as_deref(), tokens),
        None => connections.trial(&plan.registration, tokens, plan.shared()),
    }
}

struct Attempt {
    plan: Plan,
    stage: ConnectStage,
    proven: Option<Proven>,
    cancel: CancellationToken,
}

impl Attempt {
    /// The server's reason for the latest failure; a failure that no server gave a reason for is nobody's answer.
    fn said(&self) -> Option<String> {
        match &self.stage {
            ConnectStage::Failed { finding } if finding.evidence.is_some() => {
                Some(reason(finding).to_owned())
            }
            ConnectStage::Failed { .. }
            | ConnectStage::Preparing
            | ConnectStage::WaitingForBrowser { .. }
            | ConnectStage::Checking
            | ConnectStage::WrongAccount { .. }
            | ConnectStage::Ready { .. } => None,
        }
    }
}

/// The code of a finding; behind a loop the one that came twice.
pub(crate) fn reason(finding: &Finding) -> &str {
    match finding.code.as_str() {
        LOOP => finding.args.get("said").map_or(LOOP, String::as_str),
        code => code,
    }
}

/// The same answer twice in one attempt is a loop: asking again brings it again, so the finding says so.
fn once_more(mut finding: Finding, said: Option<&str>) -> Finding {
    if finding.evidence.is_some() && said == Some(finding.code.as_str()) {
        finding.args.insert("said".to_owned(), finding.code.clone());
        finding.code = LOOP.to_owned();
    }
    finding
}

/// All attempts of this process.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<BTreeMap<String, Attempt>>);

impl Attempts {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Attempt>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How an attempt stands.
    pub(crate) fn view(&self, id: &str) -> Option<ConnectAttempt> {
        self.with(|all| {
            let attempt = all.get(id)?;
            Some(ConnectAttempt {
                id: id.to_owned(),
                address: attempt.plan.address.to_string(),
                stage: attempt.stage.clone(),
            })
        })
    }

    /// What an attempt is for.
    pub(crate) fn plan(&self, id: &str) -> Option<Plan> {
        self.with(|all| all.get(id).map(|attempt| attempt.plan.clone()))
    }

    /// What was proven, once the attempt is ready.
    pub(crate) fn proven(&self, id: &str) -> Option<(Plan, Proven)> {
        self.with(|all| {
            let attempt = all.get(id)?;
            Some((attempt.plan.clone(), attempt.proven.clone()?))
        })
    }

    /// Ends an attempt and forgets it, tokens included.
    pub(crate) fn cancel(&self, id: &str) -> bool {
        self.with(|all| all.remove(id))
            .map(|attempt| attempt.cancel.cancel())
            .is_some()
    }

    /// Ends all attempts.
    pub(crate) fn cancel_all(&self) {
        self.with(std::mem::take)
            .into_values()
            .for_each(|attempt| attempt.cancel.cancel());
    }
}

/// Starts an attempt. It goes on by itself; shells follow it by [`Notice::Connect`] or [`Attempts::view`].
pub(crate) fn start(app: &Arc<App>, plan: Plan, private_window: bool) -> String {
    let id = uuid::Uuid::new_v4().to_string();
    restart(app, &id, plan, private_window, false);
    id
}

/// Starts an attempt anew under its id, with the account picker where `select_account`.
pub(crate) fn restart(
    app: &Arc<App>,
    id: &str,
    plan: Plan,
    private_window: bool,
    select_account: bool,
) {
    let cancel = CancellationToken::new();
    let said = app.attempts.with(|all| all.get(id)?.said());
    let attempt = Attempt {
        plan: plan.clone(),
        stage: ConnectStage::Preparing,
        proven: None,
        cancel: cancel.clone(),
    };
    let former = app.attempts.with(|all| all.insert(id.to_owned(), attempt));
    if let Some(former) = former {
        former.cancel.cancel();
    }
    let (app, id) = (app.clone(), id.to_owned());
    tokio::spawn(async move {
        let signing_in = sign_in(&app, &id, &plan, &cancel, private_window, select_account);
        let signing_in = AssertUnwindSafe(signing_in).catch_unwind().await;
        // A defect of ours must not leave somebody waiting for ever.
        let fault = || Finding::plain("internal_fault", Severity::Failed);
        let (stage, proven) = match signing_in.unwrap_or_else(|_| Err(fault())) {
            Ok((stage, proven)) => (stage, proven),
            Err(finding) => {
                note_denial(&app, &plan, &finding).await;
                let finding = once_more(finding, said.as_deref());
                let finding = finding.asking(&plan.scopes()).about(
                    &plan.address.to_string(),
                    None,
                    &plan.registration,
                );
                (ConnectStage::Failed { finding }, None)
            }
        };
        enter(&app, &id, &cancel, stage, proven);
    });
}

/// Keeps that the admin refused, where somebody waits for them.
async fn note_denial(app: &App, plan: &Plan, finding: &Finding) {
    if finding.code != "approval_denied" {
        return;
    }
    let (key, now) = (plan.address.key(), app.context.clock.now());
    let noted = app
        .context
        .store
        .write(move |tx| handoffs::set_denied(tx, &key, now))
        .await;
    if let Err(error) = noted {
        tracing::warn!(%error, "The denial cannot be stored.");
    }
}

/// Moves the attempt on, unless it was cancelled or started anew meanwhile.
fn enter(
    app: &App,
    id: &str,
    cancel: &CancellationToken,
    stage: ConnectStage,
    proven: Option<Proven>,
) {
    let entered = app.attempts.with(|all| match all.get_mut(id) {
        Some(attempt) if !cancel.is_cancelled() => {
            attempt.stage = stage;
            attempt.proven = proven;
            true
        }
        Some(_) | None => false,
    });
    if entered && let Some(view) = app.attempts.view(id) {
        app.announce(Notice::Connect(Box::new(view)));
    }
}

async fn sign_in(
    app: &App,
    id: &str,
    plan: &Plan,
    cancel: &CancellationToken,
    private_window: bool,
    select_account: bool,
) -> Result<(ConnectStage, Option<Proven>), Finding> {
    if plan.password.is_some() {
        enter(app, id, cancel, ConnectStage::Checking, None);
        return Ok((password::check(app, plan).await?, None));
    }
    let request = SignInRequest {
        registration: plan.registration.clone(),
        scopes: plan.scopes(),
        // A hint would lead straight back to the account that just signed in; nobody signs in as a shared mailbox.
        login_hint: (!select_account && plan.shared().is_none()).then(|| hint(plan)),
        select_account,
        claims: None,
        words: plan.words.clone(),
        time_limit: TIME_LIMIT,
    };
    let http = app.context.connections.http();
    let sign_in = flow::begin(http, request)
        .await
        .map_err(|error| finding_of_sign_in(&error))?;
    let url = sign_in.authorize_url().to_string();
    let browser_opened = match app.desktop.open_url(&url, private_window).await {
        Ok(()) => true,
        Err(reason) => {
            tracing::info!(%reason, "No browser was opened.");
            false
        }
    };
    let waiting = ConnectStage::WaitingForBrowser {
        url,
        expires_at: sign_in.expires_at(),
        browser_opened,
    };
    enter(app, id, cancel, waiting, None);
    let signed_in = sign_in
        .finish(cancel.clone())
        .await
        .map_err(|error| finding_of_sign_in(&error))?;
    enter(app, id, cancel, ConnectStage::Checking, None);

    if let Some((server, folder)) = &plan.imap {
        return imap::check(app, plan, (server, folder.as_deref()), signed_in).await;
    }
    let connections = &app.context.connections;
    let scopes = granted(&signed_in.tokens, plan);
    let tokens = connections.hold(&plan.registration, signed_in.tokens);
    let person = connections.trial(&plan.registration, &tokens, None);
    let mut identity = person.identity().await.map_err(provider_finding)?;
    identity.tenant_id = signed_in.claims.tenant_id;
    identity.object_id = signed_in.claims.object_id;
    // `preferred_username` comes with the scope `profile` only; Graph's answer has the login name anyway.
    if !signed_in.claims.login_name.is_empty() {
        identity.login_name = signed_in.claims.login_name;
    }
    if identity.display_name.is_empty() {
        identity.display_name = signed_in.claims.display_name;
    }
    if let Some(shared) = plan.shared() {
        return shared::check(app, plan, shared, identity, (tokens, scopes?)).await;
    }
    if !identity.owns(&plan.address) {
        let stage = ConnectStage::WrongAccount {
            asked: plan.address.to_string(),
            signed_in: identity.login_name,
            primary_address: identity.primary.map(|address| address.to_string()),
        };
        return Ok((stage, None));
    }
    let scopes = scopes?;
    let folder = folder_of(plan, &person, None).await?;
    let stage = ConnectStage::Ready {
        identity: identity_view(&identity),
        shared: None,
        scopes,
        folder: folder.name.clone(),
        folder_messages: folder.total,
    };
    Ok((
        stage,
        Some(Proven {
            identity,
            tokens,
            folder,
            mailbox: None,
        }),
    ))
}

/// The name that fills in the sign-in page: issuers of a mail server's own know its login names.
fn hint(plan: &Plan) -> String {
    match &plan.imap {
        Some((server, _)) if plan.registration.issuer.is_some() => server.login.clone(),
        Some(_) | None => plan.address.to_string(),
    }
}

/// The folder that is going to be read. For an address that is signed in again it may be gone by now: that is a
/// finding of its own, which choosing another one mends, and no reason to refuse the sign-in.
async fn folder_of(
    plan: &Plan,
    provider: &Provider,
    inbox: Option<Folder>,
) -> Result<Folder, Finding> {
    let found = match (&plan.folder, inbox) {
        (None, Some(inbox)) => return Ok(inbox),
        (path, _) => provider.folder(path.as_deref()).await,
    };
    match (found, &plan.folder) {
        (Err(ProviderError::NotFound(_)), Some(path)) => Ok(Folder {
            id: String::new(),
            name: path.clone(),
            total: 0,
            has_had_mail: false,
        }),
        (found, _) => found.map_err(provider_finding),
    }
}

/// The scopes, all of which must have been granted.
fn granted(tokens: &TokenSet, plan: &Plan) -> Result<Vec<ScopeView>, Finding> {
    let mut scopes = scope_views(&tokens.scopes, plan.shared().is_some());
    if let Some(name) = plan.further {
        let granted = tokens
            .scopes
            .iter()
            .any(|scope| scope.eq_ignore_ascii_case(name));
        scopes.retain(|scope| !scope.name.eq_ignore_ascii_case(name));
        scopes.push(ScopeView {
            name: name.to_owned(),
            needed: true,
            granted,
        });
    }
    let missing = scopes.iter().find(|scope| scope.needed && !scope.granted);
    let Some(missing) = missing else {
        return Ok(scopes);
    };
    let mut finding = Finding::plain("missing_scope", Severity::Failed);
    finding.args.insert("scope".into(), missing.name.clone());
    Err(finding)
}

fn provider_finding(error: ProviderError) -> Finding {
    Finding {
        severity: Severity::Failed,
        ..finding_of(&error)
    }
}
