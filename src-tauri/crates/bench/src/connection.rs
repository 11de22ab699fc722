//! A data folder with the support mailbox connected, as both sides need it. Not measured.

use crate::Outcome;
use mailroom_core::api;
use mailroom_core::api::view::{
    CloudInput, ConnectChoices, ConnectRequest, ConnectStage, Opens, RegistrationInput,
};
use mailroom_core::app::desktop::Desktop;
use mailroom_core::app::{App, Options};
use mailroom_core::secrets::{Key, Secrets, SecretsError};
use mailroom_core::sync::Clock;
use mailroom_sandbox::Description;
use mailroom_sandbox::visitor::Visitor;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The mailbox that is imported.
pub(crate) const MAILBOX: &str = "support@contoso.example";
/// How often to look whether something is done.
pub(crate) const LOOK: Duration = Duration::from_millis(10);

/// A key in memory: a keychain has nothing to do with imports.
#[derive(Default)]
pub(crate) struct MemoryKey(Mutex<Option<Key>>);

impl Secrets for MemoryKey {
    fn load(&self) -> Result<Option<Key>, SecretsError> {
        Ok(self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone())
    }

    fn save(&self, key: &Key) -> Result<(), SecretsError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
        Ok(())
    }

    fn remove(&self) -> Result<(), SecretsError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}

/// A browser with somebody at it.
struct Guest(Arc<Visitor>);

impl Desktop for Guest {
    fn open_url<'a>(
        &'a self,
        url: &'a str,
        _private_window: bool,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        let (visitor, url) = (self.0.clone(), url.to_owned());
        Box::pin(async move {
            tokio::spawn(async move { visitor.visit(&url).await });
            Ok(())
        })
    }
}

/// Connects the mailbox in `folder` and waits for the first poll. Returns the address's id.
pub(crate) async fn connect(
    folder: &Path,
    key: Arc<MemoryKey>,
    tenant: &Description,
) -> Outcome<(Arc<App>, i64)> {
    let user = tenant
        .users
        .iter()
        .find(|user| user.address == MAILBOX)
        .ok_or("the tenant has no support mailbox")?;
    let visitor = Visitor::new(&user.login, &user.password);
    let app = open(folder, key, Arc::new(Guest(Arc::new(visitor))), Vec::new()).await?;
    let request = ConnectRequest {
        address: MAILBOX.to_owned(),
        opens: Opens::Own,
        registration: Some(RegistrationInput {
            client_id: tenant.client_id.clone(),
            tenant: tenant.tenant.clone(),
            cloud: CloudInput::Custom {
                authority: tenant.authority.clone(),
                graph_url: tenant.graph_url.clone(),
            },
        }),
        private_window: false,
        language: "en".to_owned(),
    };
    let attempt = api::begin_connect(&app, request).await?.id;
    loop {
        match api::connect_attempt(&app, &attempt)?.stage {
            ConnectStage::Ready { .. } => break,
            ConnectStage::Failed { finding } => return Err(format!("{finding:?}").into()),
            ConnectStage::WrongAccount { signed_in, .. } => {
                return Err(format!("{signed_in} signed in").into());
            }
            ConnectStage::Preparing
            | ConnectStage::WaitingForBrowser { .. }
            | ConnectStage::Checking => tokio::time::sleep(LOOK).await,
        }
    }
    let choices = ConnectChoices {
        brand: "Bench".to_owned(),
        import_newest: None,
        folder: None,
    };
    let id = api::finish_connect(&app, &attempt, choices).await?.id;
    polled(&app, id).await?;
    Ok((app, id))
}

/// The product in `folder`, trusting `roots` (PEM) beside the system's.
pub(crate) async fn open(
    folder: &Path,
    secrets: Arc<MemoryKey>,
    desktop: Arc<dyn Desktop>,
    roots: Vec<Vec<u8>>,
) -> Outcome<Arc<App>> {
    Ok(App::open(Options {
        data_dir: folder.to_owned(),
        secrets,
        extra_roots: roots,
        desktop,
        clock: Clock::system(),
        may_poll: true,
        own_registration: None,
        any_endpoint: false,
    })
    .await?)
}

/// Waits for the first poll of a new address.
pub(crate) async fn polled(app: &App, id: i64) -> Outcome<()> {
    while api::address_details(app, id)
        .await?
        .address
        .last_success_at
        .is_none()
    {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
