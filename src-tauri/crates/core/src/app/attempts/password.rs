//! A mailbox that is opened with a password: no browser is needed, the server decides.

use super::{Plan, provider_finding};
use crate::api::view::{ConnectStage, IdentityView};
use crate::app::App;
use crate::diagnosis::Finding;
use crate::provider::Provider;

/// Signs in and opens the folder. Nothing is fetched.
pub(super) async fn check(app: &App, plan: &Plan) -> Result<ConnectStage, Finding> {
    let path = plan.imap.as_ref().and_then(|(_, path)| path.as_deref());
    let (Some((server, _)), Some(provider)) = (&plan.imap, trial(app, plan)) else {
        return Err(Finding::plain(
            "unknown",
            crate::diagnosis::Severity::Failed,
        ));
    };
    let opened = match path {
        Some(path) => provider.folder(Some(path)).await,
        None => provider.inbox().await,
    };
    let folder = opened.map_err(provider_finding)?;
    Ok(ConnectStage::Ready {
        identity: IdentityView {
            login_name: server.login.clone(),
            display_name: String::new(),
            primary_address: None,
            aliases: Vec::new(),
            tenant_id: String::new(),
        },
        shared: None,
        scopes: Vec::new(),
        folder: folder.name,
        folder_messages: folder.total,
    })
}

/// The mailbox, signed in to with the plan's password.
pub(super) fn trial(app: &App, plan: &Plan) -> Option<Provider> {
    let (server, path) = plan.imap.as_ref()?;
    let password = plan.password.clone()?;
    let connections = &app.context.connections;
    Some(connections.imap_password_trial(server, path.as_deref(), password))
}
