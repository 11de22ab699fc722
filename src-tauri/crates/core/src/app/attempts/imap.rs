//! A mailbox that is read by IMAP with a token. IMAP knows no owner of a mailbox: the login name is shown, and that the
//! folder opens proves access.

use super::{Plan, Proven, provider_finding};
use crate::account::{EmailAddress, Identity, ImapServer};
use crate::api::view::{ConnectStage, ScopeView, SharedMailbox};
use crate::app::App;
use crate::app::views::identity_view;
use crate::diagnosis::{Finding, Severity};
use crate::oauth;
use crate::oauth::flow::{IdClaims, SignedIn};

/// Opens the folder. For a shared mailbox the name at the server is the mailbox, and the token is that of the person:
/// that it opens proves Full Access.
pub(super) async fn check(
    app: &App,
    plan: &Plan,
    (server, folder): (&ImapServer, Option<&str>),
    signed_in: SignedIn,
) -> Result<(ConnectStage, Option<Proven>), Finding> {
    let needed = oauth::mail_scopes(&plan.registration);
    let is_granted = |scope: &&String| {
        let granted = &signed_in.tokens.scopes;
        granted.iter().any(|name| name.eq_ignore_ascii_case(scope))
    };
    if let Some(missing) = needed.iter().find(|scope| !is_granted(scope)) {
        let mut finding = Finding::plain("missing_scope", Severity::Failed);
        finding.args.insert("scope".into(), missing.clone());
        return Err(finding);
    }
    let shared = plan.shared();
    if shared.is_none()
        && let Some(stage) = other_name(plan, server, &signed_in.claims)
    {
        return Ok((stage, None));
    }
    let claims = signed_in.claims;
    if let Some(shared) = shared
        && let Some(finding) = own_instead(shared, server, &claims)
    {
        return Err(finding);
    }
    let identity = identity(server, shared.is_some(), claims);
    let connections = &app.context.connections;
    let tokens = connections.hold(&plan.registration, signed_in.tokens);
    let person = shared.map(|_| identity.login_name.as_str());
    let provider = connections.imap_trial(person, server, folder, &tokens);
    let folder = provider.folder(folder).await.map_err(|error| {
        let mut finding = provider_finding(error);
        let login = identity.login_name.clone();
        finding.args.entry("login".to_owned()).or_insert(login);
        finding
    })?;
    let stage = ConnectStage::Ready {
        identity: identity_view(&identity),
        shared: shared.map(drawn),
        scopes: needed
            .into_iter()
            .map(|name| ScopeView {
                name,
                needed: true,
                granted: true,
            })
            .collect(),
        folder: folder.name.clone(),
        folder_messages: folder.total,
    };
    let proven = Proven {
        identity,
        tokens,
        folder,
        mailbox: None,
    };
    Ok((stage, Some(proven)))
}

/// Who signed in. Where nobody told, the server is going to take the token for its own login name; of a shared mailbox
/// that name says nothing, so there it is the account's stable id.
fn identity(server: &ImapServer, shared: bool, claims: IdClaims) -> Identity {
    let or_login = |name: String| match name.is_empty() {
        true => server.login.clone(),
        false => name,
    };
    let login_name = match (claims.login_name.is_empty(), shared) {
        (true, true) => claims.email.unwrap_or_else(|| claims.object_id.clone()),
        (true, false) => server.login.clone(),
        (false, _) => claims.login_name,
    };
    Identity {
        tenant_id: claims.tenant_id,
        object_id: or_login(claims.object_id),
        primary: EmailAddress::parse(&login_name),
        login_name,
        display_name: claims.display_name,
        aliases: Vec::new(),
    }
}

/// Whether somebody else signed in than the one whose mailbox is to be opened, as far as names tell: Entra's ID tokens
/// carry none, so there the server decides.
fn other_name(plan: &Plan, server: &ImapServer, claims: &IdClaims) -> Option<ConnectStage> {
    plan.registration.issuer.as_ref()?;
    (claims.goes_by(&server.login) == Some(false)).then(|| ConnectStage::WrongAccount {
        asked: server.login.clone(),
        signed_in: match claims.login_name.is_empty() {
            true => claims.email.clone().unwrap_or_default(),
            false => claims.login_name.clone(),
        },
        primary_address: claims.email.clone(),
    })
}

/// The name at the server is the person's own: it would open their mailbox instead of the shared one.
fn own_instead(shared: &EmailAddress, server: &ImapServer, claims: &IdClaims) -> Option<Finding> {
    let is_own = claims.goes_by(&server.login) == Some(true);
    if !is_own || claims.goes_by(shared.as_str()) == Some(true) {
        return None;
    }
    let mut finding = Finding::plain("shared_login_is_own", Severity::Failed);
    finding.args.insert("login".into(), server.login.clone());
    finding.args.insert("address".into(), shared.to_string());
    Some(finding)
}

/// By IMAP there is nothing to be looked up.
fn drawn(shared: &EmailAddress) -> SharedMailbox {
    SharedMailbox {
        address: shared.to_string(),
        display_name: None,
        primary_address: None,
        aliases: Vec::new(),
        looked_up: true,
    }
}
