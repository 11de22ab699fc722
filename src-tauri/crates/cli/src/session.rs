//! The application as the command line opens it.

use crate::args::{Common, SecretsChoice};
use crate::desktop::Terminal;
use crate::{Failure, print};
use mailroom_core::account::Registration;
use mailroom_core::app::desktop::Desktop;
use mailroom_core::app::{App, Options, places};
use mailroom_core::secrets::Secrets;
use mailroom_core::sync::Clock;
use secrecy::SecretString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Opens the application with the terminal's desktop.
pub(crate) async fn open(common: &Common, may_poll: bool) -> Result<Arc<App>, Failure> {
    let data_dir = data_dir(common)?;
    let desktop = Arc::new(Terminal {
        browser: common.browser.clone(),
    });
    let secrets = secrets(common, &data_dir)?;
    open_with(common, data_dir, secrets, desktop, may_poll).await
}

/// Opens the application.
pub(crate) async fn open_with(
    common: &Common,
    data_dir: PathBuf,
    secrets: Arc<dyn Secrets>,
    desktop: Arc<dyn Desktop>,
    may_poll: bool,
) -> Result<Arc<App>, Failure> {
    let extra_roots = match &common.ca_file {
        Some(path) => {
            vec![
                std::fs::read(path)
                    .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?,
            ]
        }
        None => Vec::new(),
    };
    let options = Options {
        data_dir,
        secrets,
        extra_roots,
        desktop,
        clock: Clock::system(),
        may_poll,
        own_registration: Registration::of_this_build(),
        any_endpoint: true,
    };
    App::open(options)
        .await
        .map_err(|error| Failure::from(mailroom_core::api::error::ApiError::from(error)))
}

/// The language of texts: as asked for, else the system's, else English.
pub(crate) fn language(common: &Common) -> String {
    let asked = common.language.clone();
    let system = || {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    };
    let text = asked.or_else(system).unwrap_or_default();
    mailroom_core::words::supported(&text).to_owned()
}

/// Whether there is a data folder in use already.
pub(crate) fn is_begun(common: &Common) -> bool {
    data_dir(common).is_ok_and(|folder| places::is_in_use(&folder))
}

fn data_dir(common: &Common) -> Result<PathBuf, Failure> {
    common
        .data_dir
        .clone()
        .or_else(places::default_data_dir)
        .ok_or_else(|| {
            Failure::Usage("This system names no data folder: give one with --data-dir.".into())
        })
}

fn secrets(common: &Common, data_dir: &Path) -> Result<Arc<dyn Secrets>, Failure> {
    Ok(match common.secrets {
        SecretsChoice::Os => Arc::new(places::keychain(data_dir)),
        SecretsChoice::File => Arc::new(places::key_file(data_dir, passphrase(common)?)),
    })
}

fn passphrase(common: &Common) -> Result<SecretString, Failure> {
    let text = match common.passphrase_fd {
        Some(descriptor) => read_descriptor(descriptor)?,
        None => std::env::var("MAILROOM_PASSPHRASE").unwrap_or_default(),
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Failure::Usage(
            "--secrets file needs a passphrase in MAILROOM_PASSPHRASE or by --passphrase-fd."
                .into(),
        ));
    }
    Ok(SecretString::from(text.to_owned()))
}

fn read_descriptor(descriptor: u32) -> Result<String, Failure> {
    let path = if cfg!(target_os = "linux") {
        format!("/proc/self/fd/{descriptor}")
    } else {
        format!("/dev/fd/{descriptor}")
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(4096).read_to_string(&mut text))
        .map_err(|error| Failure::Usage(format!("--passphrase-fd {descriptor}: {error}")))?;
    Ok(text)
}

/// Ends the application.
pub(crate) async fn close(app: &App) {
    app.close().await;
}

/// Waits for Ctrl-C or a request to end.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                result = tokio::signal::ctrl_c() => if let Err(error) = result { print::note(&error.to_string()) },
            }
            return;
        }
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        print::note(&error.to_string());
    }
}
