//! What the commands, the tray and the notices share: the core once it is open, and the practice tenant.

use crate::args::Args;
use crate::desktop::SystemBrowser;
use crate::notices;
use crate::sandbox::Practice;
use mailroom_core::account::Registration;
use mailroom_core::api;
use mailroom_core::api::error::{ApiError, ErrorCode};
use mailroom_core::api::view::{BundlePreview, Status};
use mailroom_core::app::{App, Options, places};
use mailroom_core::secrets::Secrets;
use mailroom_core::sync::Clock;
use mailroom_core::words::{self, Words};
use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use tauri::{AppHandle, Manager};
use tokio::sync::Mutex;

/// The shell's state, managed by tauri.
pub(crate) struct Shell {
    handle: AppHandle,
    args: Args,
    data_dir: PathBuf,
    core: Mutex<Option<Arc<App>>>,
    language: StdMutex<&'static str>,
    keep_in_tray: AtomicBool,
    /// The support bundle that the person looks at: what is saved is what was seen.
    pub(crate) bundle: Mutex<Option<BundlePreview>>,
    /// The practice tenant.
    pub(crate) practice: Practice,
}

impl Shell {
    /// Nothing is opened yet.
    pub(crate) fn new(handle: AppHandle, args: Args) -> Self {
        let data_dir = args
            .data_dir
            .clone()
            .or_else(places::default_data_dir)
            .unwrap_or_default();
        Self {
            practice: Practice::new(&data_dir),
            language: StdMutex::new(words::supported(&system_language())),
            keep_in_tray: AtomicBool::new(false),
            bundle: Mutex::default(),
            core: Mutex::new(None),
            data_dir,
            handle,
            args,
        }
    }

    /// The core. Opens it if that has not happened or has failed before: the person may have unlocked the
    /// keychain or freed the disk meanwhile, and the window's "try again" comes here.
    pub(crate) async fn core(&self) -> Result<Arc<App>, ApiError> {
        let mut slot = self.core.lock().await;
        if let Some(core) = slot.as_ref() {
            return Ok(Arc::clone(core));
        }
        // Before the core polls, so that practice addresses find their server.
        self.practice.resume().await;
        let core = App::open(self.options()?).await?;
        core.set_sandbox(self.practice.view().await);
        self.use_settings(&core).await;
        self.end_idle_practice(&core).await;
        notices::forward(self.handle.clone(), Arc::clone(&core));
        *slot = Some(Arc::clone(&core));
        Ok(core)
    }

    fn options(&self) -> Result<Options, ApiError> {
        // An empty path is a system without a home folder.
        if self.data_dir.as_os_str().is_empty() {
            return Err(ApiError::new(ErrorCode::DataFolder).arg("path", ""));
        }
        let extra_roots = match &self.args.ca_file {
            Some(path) => vec![std::fs::read(path).map_err(|error| {
                ApiError::new(ErrorCode::Internal).because(format!("{}: {error}", path.display()))
            })?],
            None => Vec::new(),
        };
        let secrets: Arc<dyn Secrets> = if self.args.key_file {
            let passphrase = std::env::var("MAILROOM_PASSPHRASE").unwrap_or_default();
            Arc::new(places::key_file(
                &self.data_dir,
                SecretString::from(passphrase),
            ))
        } else {
            Arc::new(places::keychain(&self.data_dir))
        };
        Ok(Options {
            data_dir: self.data_dir.clone(),
            secrets,
            extra_roots,
            desktop: Arc::new(SystemBrowser::new(
                self.handle.clone(),
                self.args.browser.clone(),
            )),
            clock: Clock::system(),
            may_poll: true,
            own_registration: Registration::of_this_build(),
            any_endpoint: false,
        })
    }

    /// The words outside the window, in the person's language.
    pub(crate) fn words(&self) -> &'static Words {
        words::words(*self.language.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over the person's settings, as far as they concern the shell.
    pub(crate) async fn use_settings(&self, core: &App) {
        let Ok(view) = api::app_view(core).await else {
            return;
        };
        let chosen = view.settings.language.unwrap_or_else(system_language);
        *self.language.lock().unwrap_or_else(PoisonError::into_inner) = words::supported(&chosen);
        self.keep_in_tray
            .store(view.settings.keep_in_tray, Ordering::Relaxed);
    }

    /// Whether closing the window leaves Mailroom polling.
    pub(crate) fn keeps_in_tray(&self) -> bool {
        self.keep_in_tray.load(Ordering::Relaxed)
    }

    /// Ends polling and the practice tenant; what is under way is finished or taken up next time.
    pub(crate) async fn end(&self) {
        if let Some(core) = self.core.lock().await.take() {
            core.close().await;
        }
        self.practice.stop(false).await;
    }

    /// Nobody needs the tenant when no practice address is left.
    async fn end_idle_practice(&self, core: &App) {
        let in_use = api::list_addresses(core).await.is_ok_and(|addresses| {
            addresses
                .iter()
                .any(|address| address.sandbox && address.status != Status::Disconnected)
        });
        if !in_use {
            core.set_sandbox(None);
            self.practice.stop(false).await;
        }
    }
}

/// Opens the core without waiting for the window to ask, so that polling starts with the computer's session.
pub(crate) fn open_soon(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = app.state::<Shell>().core().await {
            tracing::error!(code = ?error.code, message = error.message, "Mailroom could not start");
        }
    });
}

fn system_language() -> String {
    sys_locale::get_locale().unwrap_or_default()
}
