//! The application: the store, the ways to the servers, the engine and the sign-ins in progress, put together.
//! Shells reach it through [`crate::api`] only.

pub mod attempts;
pub(crate) mod checkup;
pub mod desktop;
pub(crate) mod handoffs;
pub mod places;
pub(crate) mod replies;
mod silence;
mod views;
mod watcher;

pub use views::{address_details, address_view, address_views};

use crate::account::Registration;
use crate::api::view::{Notice, PollingRole, SandboxView};
use crate::provider::imap::Trust;
use crate::secrets::Secrets;
use crate::store::after_import::AfterImport;
use crate::store::{Store, StoreError};
use crate::sync::{Clock, Connections, Context, Engine};
use attempts::Attempts;
use desktop::Desktop;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use views::Rates;

/// What the world gives to the application.
pub struct Options {
    /// Where everything is kept; made when missing.
    pub data_dir: PathBuf,
    /// Where the key is kept.
    pub secrets: Arc<dyn Secrets>,
    /// PEM certificates trusted beside the system's (`--ca-file`).
    pub extra_roots: Vec<Vec<u8>>,
    /// The desktop: opens the browser.
    pub desktop: Arc<dyn Desktop>,
    /// Time.
    pub clock: Clock,
    /// Whether this process may poll. A command that only reads has no need to.
    pub may_poll: bool,
    /// This build's own app registration, if it has one.
    pub own_registration: Option<Registration>,
    /// Whether sign-in services other than Microsoft's clouds and this computer may be named. A person at a command
    /// line may; a window shows mail, and what runs in it must not lead a sign-in astray.
    pub any_endpoint: bool,
}

/// The application could not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A certificate of `--ca-file` cannot be read.
    #[error("a certificate cannot be read")]
    Certificate(#[source] reqwest::Error),
}

/// The running application.
pub struct App {
    pub(crate) context: Arc<Context>,
    pub(crate) data_dir: PathBuf,
    pub(crate) desktop: Arc<dyn Desktop>,
    pub(crate) attempts: Attempts,
    pub(crate) own_registration: Option<Registration>,
    pub(crate) any_endpoint: bool,
    pub(crate) rates: Rates,
    pub(crate) maps: checkup::Maps,
    /// The last rehearsed choice of what becomes of an address's mail on the server, with the folder that it goes to
    /// (`AddressRow::after_import_folder`).
    pub(crate) rehearsed: Mutex<BTreeMap<i64, (AfterImport, Option<String>)>>,
    pub(crate) visits: handoffs::Visits,
    notices: broadcast::Sender<Notice>,
    sandbox: Mutex<Option<SandboxView>>,
    engine: Option<Engine>,
    watching: CancellationToken,
    /// Links that a card has shown: only these may be opened from the window.
    offered_links: Mutex<BTreeSet<String>>,
    /// Addresses that wrote in and may be connected all the same: the person said that they are the team's.
    allowed_requesters: Mutex<BTreeSet<String>>,
}

impl App {
    /// Opens the data folder and starts polling, if this process may and no other does.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(options: Options) -> Result<Arc<Self>, OpenError> {
        let store = Store::open(&options.data_dir).await?;
        let http =
            crate::oauth::http::client(&options.extra_roots).map_err(OpenError::Certificate)?;
        // Whatever was running when the time for undo ended: the sign-in goes now.
        crate::sync::wipe_unused(&store, options.clock.now()).await?;
        let trust = Trust::new(options.extra_roots);
        let connections = Connections::new(http, trust, store.clone(), options.secrets);
        let (new_tickets, tickets) = mpsc::unbounded_channel();
        let context = Arc::new(Context::new(store, connections, options.clock, new_tickets));
        let engine = options
            .may_poll
            .then(|| Engine::start(context.clone(), options.data_dir.join("polling.lock")));
        let app = Arc::new(Self {
            context,
            data_dir: options.data_dir,
            desktop: options.desktop,
            attempts: Attempts::default(),
            own_registration: options.own_registration,
            any_endpoint: options.any_endpoint,
            rates: Rates::default(),
            maps: checkup::Maps::default(),
            rehearsed: Mutex::default(),
            visits: handoffs::Visits::default(),
            notices: broadcast::channel(256).0,
            sandbox: Mutex::default(),
            engine,
            watching: CancellationToken::new(),
            offered_links: Mutex::default(),
            allowed_requesters: Mutex::default(),
        });
        tokio::spawn(watcher::watch(
            Arc::downgrade(&app),
            app.watching.clone(),
            tickets,
        ));
        if app.engine.is_some() {
            tokio::spawn(silence::watch(Arc::downgrade(&app), app.watching.clone()));
        }
        Ok(app)
    }

    /// What happens from now on.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Whether this process polls.
    pub fn polling(&self) -> PollingRole {
        match &self.engine {
            Some(engine) if *engine.polls_here().borrow() => PollingRole::Here,
            Some(_) | None => PollingRole::Elsewhere,
        }
    }

    /// Tells shells where the practice tenant runs; the shell that starts or stops it calls this.
    pub fn set_sandbox(&self, sandbox: Option<SandboxView>) {
        *self.sandbox.lock().unwrap_or_else(PoisonError::into_inner) = sandbox;
    }

    /// Where the practice tenant runs.
    pub fn sandbox(&self) -> Option<SandboxView> {
        self.sandbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Ends polling between two transactions and lets go of the data folder: whatever is asked for later fails.
    pub async fn close(&self) {
        self.watching.cancel();
        self.attempts.cancel_all();
        if let Some(engine) = &self.engine {
            engine.stop().await;
        }
        self.context.store.close().await;
    }

    pub(crate) fn announce(&self, notice: Notice) {
        // An error only says that no shell listens at the moment.
        let _ = self.notices.send(notice);
    }

    pub(crate) fn offer_links<'a>(&self, urls: impl IntoIterator<Item = &'a str>) {
        let mut offered = self
            .offered_links
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        offered.extend(urls.into_iter().map(str::to_owned));
    }

    pub(crate) fn allow_requester(&self, key: String) {
        self.allowed_requesters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key);
    }

    pub(crate) fn is_allowed_requester(&self, key: &str) -> bool {
        self.allowed_requesters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(key)
    }

    pub(crate) fn is_offered(&self, url: &str) -> bool {
        self.offered_links
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(url)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.watching.cancel();
    }
}
