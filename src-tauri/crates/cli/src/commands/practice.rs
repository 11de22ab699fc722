//! The whole main job in a terminal, with the practice tenant: sign-in, import of the newest 300 mails, new mail,
//! status table. Nothing of it is kept.

use super::{addresses, connect, sandbox};
use crate::args::Common;
use crate::{Failure, print, session};
use mailroom_core::api::view::{
    CloudInput, ConnectChoices, ConnectRequest, Opens, RegistrationInput, SandboxView,
};
use mailroom_core::app::desktop::Desktop;
use mailroom_core::app::places;
use mailroom_sandbox::visitor::Visitor;
use mailroom_sandbox::{Description, Options, Sandbox};
use secrecy::SecretString;
use std::sync::Arc;

/// The mailbox that is connected.
const MAILBOX: &str = "support@contoso.example";
/// Mails to import.
const NEWEST: u32 = 300;

/// `practice`
pub(crate) async fn run(common: &Common) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::Other(error.to_string()))?;
    let tenant = Sandbox::start(Options::default())
        .await
        .map_err(sandbox::failure)?;
    let description = tenant.description().clone();
    print::note(&format!(
        "The practice tenant Contoso runs at {}.",
        description.authority
    ));
    print::note(&format!(
        "Signing in as {MAILBOX} on its sign-in pages, connecting, importing the newest {NEWEST} mails."
    ));
    // The key lives as long as the folder: this run.
    let secrets = places::key_file(
        folder.path(),
        SecretString::from(description.client_id.clone()),
    );
    let user = description
        .users
        .iter()
        .find(|user| user.address == MAILBOX);
    let password = user.map(|user| user.password.as_str()).unwrap_or_default();
    let desktop = Arc::new(Guest(Arc::new(Visitor::new(MAILBOX, password))));
    let app = session::open_with(
        common,
        folder.path().to_owned(),
        Arc::new(secrets),
        desktop,
        true,
    )
    .await?;
    app.set_sandbox(Some(as_view(&description)?));
    let request = ConnectRequest {
        address: MAILBOX.to_owned(),
        opens: Opens::Own,
        registration: Some(RegistrationInput {
            client_id: description.client_id.clone(),
            tenant: description.tenant.clone(),
            cloud: CloudInput::Custom {
                authority: description.authority.clone(),
                graph_url: description.graph_url.clone(),
            },
        }),
        private_window: false,
        language: session::language(common),
    };
    let choices = ConnectChoices {
        brand: "Contoso".to_owned(),
        import_newest: Some(NEWEST),
        folder: None,
    };
    let connected = connect::run(&app, common, request, choices).await;
    session::close(&app).await;
    tenant.stop().await;
    let connected = connected?;
    addresses::show(common, std::slice::from_ref(&connected));
    let import = connected.import.as_ref();
    let whole = import.is_some_and(|import| {
        import.pending == 0 && import.totals.imported + import.totals.duplicate == NEWEST
    });
    if whole {
        Ok(())
    } else {
        Err(Failure::Findings)
    }
}

/// The tenant's own description as the core takes it: it knows the practice tenant by its words only.
fn as_view(description: &Description) -> Result<SandboxView, Failure> {
    serde_json::to_value(description)
        .and_then(serde_json::from_value)
        .map_err(|error| Failure::Other(error.to_string()))
}

/// In place of a browser and a person.
struct Guest(Arc<Visitor>);

impl Desktop for Guest {
    fn open_url<'a>(
        &'a self,
        url: &'a str,
        _private_window: bool,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        let (visitor, url) = (self.0.clone(), url.to_owned());
        Box::pin(async move {
            tokio::spawn(async move {
                if let Err(reason) = visitor.visit(&url).await {
                    print::note(&format!("The practice sign-in stopped: {reason}"));
                }
            });
            Ok(())
        })
    }
}
