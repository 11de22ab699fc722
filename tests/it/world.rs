//! The world that tests act in: a practice tenant over real HTTP, the real core on a data folder of its own, and
//! somebody who signs in.

use mailroom_core::api;
use mailroom_core::api::error::ApiError;
use mailroom_core::api::view::{
    AddressView, CloudInput, ConnectAttempt, ConnectChoices, ConnectRequest, ConnectStage, Opens,
    RegistrationInput, SandboxView, Status,
};
use mailroom_core::app::desktop::Desktop;
use mailroom_core::app::{App, Options};
use mailroom_core::secrets::{Key, Secrets, SecretsError};
use mailroom_core::sync::Clock;
pub use mailroom_rigs::{SUPPORT, mail, wait};
use mailroom_sandbox::visitor::Visitor;
use mailroom_sandbox::{Description, Sandbox};
use serde_json::Value;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A key in memory: the keychain itself has tests of its own.
#[derive(Default)]
pub struct MemoryKey(Mutex<Option<Key>>);

impl Secrets for MemoryKey {
    fn load(&self) -> Result<Option<Key>, SecretsError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn save(&self, key: &Key) -> Result<(), SecretsError> {
        *self.0.lock().unwrap() = Some(key.clone());
        Ok(())
    }

    fn remove(&self) -> Result<(), SecretsError> {
        *self.0.lock().unwrap() = None;
        Ok(())
    }
}

/// A desktop whose browser is a [`Visitor`].
pub struct Guest(pub Mutex<Arc<Visitor>>);

impl Desktop for Guest {
    fn open_url<'a>(
        &'a self,
        url: &'a str,
        _private_window: bool,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        let (visitor, url) = (self.0.lock().unwrap().clone(), url.to_owned());
        Box::pin(async move {
            tokio::spawn(async move { visitor.visit(&url).await });
            Ok(())
        })
    }
}

pub struct World {
    pub sandbox: Sandbox,
    pub tenant: Description,
    pub app: Arc<App>,
    pub guest: Arc<Guest>,
    pub key: Arc<MemoryKey>,
    pub folder: TempDir,
    pub http: reqwest::Client,
}

impl World {
    pub async fn new() -> Self {
        Self::with_scenarios(&[]).await
    }

    pub async fn with_scenarios(scenarios: &[&str]) -> Self {
        Self::with_options(mailroom_sandbox::Options {
            scenarios: scenarios.iter().map(ToString::to_string).collect(),
            ..mailroom_sandbox::Options::default()
        })
        .await
    }

    pub async fn with_options(options: mailroom_sandbox::Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let tenant = sandbox.description().clone();
        let folder = tempfile::tempdir().unwrap();
        let guest = Arc::new(Guest(Mutex::new(Arc::new(visitor(&tenant, SUPPORT)))));
        let key = Arc::new(MemoryKey::default());
        let app = open(folder.path(), key.clone(), guest.clone()).await;
        let world = Self {
            sandbox,
            tenant,
            app,
            guest,
            key,
            folder,
            http: reqwest::Client::new(),
        };
        world.app.set_sandbox(Some(world.sandbox_view()));
        world
    }

    /// The same data folder opened anew, as after a restart.
    pub async fn restart(&mut self) {
        self.app.close().await;
        self.app = open(self.folder.path(), self.key.clone(), self.guest.clone()).await;
    }

    /// From now on `login` sits at the browser, with no cookies.
    pub fn browser_of(&self, login: &str) {
        *self.guest.0.lock().unwrap() = Arc::new(visitor(&self.tenant, login));
    }

    pub fn registration(&self) -> RegistrationInput {
        RegistrationInput {
            client_id: self.tenant.client_id.clone(),
            tenant: self.tenant.tenant.clone(),
            cloud: CloudInput::Custom {
                authority: self.tenant.authority.clone(),
                graph_url: self.tenant.graph_url.clone(),
            },
        }
    }

    pub fn request(&self, address: &str) -> ConnectRequest {
        ConnectRequest {
            address: address.to_owned(),
            opens: Opens::Own,
            registration: Some(self.registration()),
            private_window: false,
            language: "en".to_owned(),
        }
    }

    /// Begins connecting and waits for a stage that asks for somebody's decision.
    pub async fn sign_in(&self, address: &str) -> Result<ConnectAttempt, ApiError> {
        let attempt = api::begin_connect(&self.app, self.request(address)).await?;
        Ok(self.decided(&attempt.id).await)
    }

    pub async fn decided(&self, attempt: &str) -> ConnectAttempt {
        wait("the sign-in comes to a decision", async || {
            let attempt = api::connect_attempt(&self.app, attempt).unwrap();
            let open = matches!(
                attempt.stage,
                ConnectStage::Preparing
                    | ConnectStage::WaitingForBrowser { .. }
                    | ConnectStage::Checking
            );
            (!open).then_some(attempt)
        })
        .await
    }

    /// Connects the support mailbox and waits until it is verified and any import is done.
    pub async fn connect(&self, newest: Option<u32>) -> AddressView {
        let attempt = self.sign_in(SUPPORT).await.unwrap();
        assert!(
            matches!(attempt.stage, ConnectStage::Ready { .. }),
            "{:?}",
            attempt.stage
        );
        let view = self.finish(&attempt.id, newest).await.unwrap();
        self.verified(view.id).await
    }

    pub async fn finish(
        &self,
        attempt: &str,
        newest: Option<u32>,
    ) -> Result<AddressView, ApiError> {
        let choices = ConnectChoices {
            brand: "Contoso".to_owned(),
            import_newest: newest,
            folder: None,
        };
        api::finish_connect(&self.app, attempt, choices).await
    }

    pub async fn verified(&self, id: i64) -> AddressView {
        wait("the address is verified", async || {
            let view = self.view(id).await;
            let done = view
                .import
                .as_ref()
                .is_none_or(|import| import.ended_at.is_some());
            (view.status == Status::Verified && view.last_success_at.is_some() && done)
                .then_some(view)
        })
        .await
    }

    pub async fn view(&self, id: i64) -> AddressView {
        api::address_details(&self.app, id).await.unwrap().address
    }

    /// Polls now and waits until that poll went well.
    pub async fn poll(&self, id: i64) -> AddressView {
        let before = self.view(id).await.last_success_at;
        api::sync_now(&self.app, Some(id)).await.unwrap();
        wait("the poll succeeds", async || {
            let view = self.view(id).await;
            (view.last_success_at != before && !view.polling).then_some(view)
        })
        .await
    }

    /// A mail arrives; returns the server's id.
    pub async fn deliver(&self, mail: &str) -> String {
        let url = format!(
            "{}/_sandbox/deliver?mailbox={SUPPORT}",
            self.tenant.authority
        );
        let answer = self
            .http
            .post(url)
            .body(mail.replace('\n', "\r\n"))
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        let answer: Value = answer.json().await.unwrap();
        answer["id"].as_str().unwrap().to_owned()
    }

    /// What the server itself says is in the mailbox.
    pub async fn server_mail(&self) -> Vec<Value> {
        server_mail(&self.tenant).await
    }

    pub async fn scenario(&self, name: &str, on: bool) {
        let url = format!("{}/_sandbox/scenarios/{name}", self.tenant.authority);
        let request = if on {
            self.http.put(url)
        } else {
            self.http.delete(url)
        };
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.tenant.authority);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        answer.json().await.unwrap_or(Value::Null)
    }

    pub fn sandbox_view(&self) -> SandboxView {
        SandboxView {
            authority: self.tenant.authority.clone(),
            graph_url: self.tenant.graph_url.clone(),
            client_id: self.tenant.client_id.clone(),
            tenant: self.tenant.tenant.clone(),
            users: Vec::new(),
            scenarios: Vec::new(),
        }
    }
}

pub async fn server_mail(tenant: &Description) -> Vec<Value> {
    let url = format!("{}/_sandbox/mailbox/{SUPPORT}", tenant.authority);
    let answer: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let messages = answer.get("messages").unwrap_or(&answer);
    messages.as_array().unwrap().clone()
}

pub fn visitor(tenant: &Description, address: &str) -> Visitor {
    let user = tenant
        .users
        .iter()
        .find(|user| user.address == address)
        .unwrap();
    Visitor::new(&user.login, &user.password)
}

pub async fn open(folder: &Path, key: Arc<MemoryKey>, guest: Arc<Guest>) -> Arc<App> {
    App::open(options(folder, key, guest)).await.unwrap()
}

pub fn options(folder: &Path, key: Arc<MemoryKey>, desktop: Arc<dyn Desktop>) -> Options {
    Options {
        data_dir: folder.to_owned(),
        secrets: key,
        extra_roots: Vec::new(),
        desktop,
        clock: Clock::system(),
        may_poll: true,
        own_registration: None,
        any_endpoint: false,
    }
}
