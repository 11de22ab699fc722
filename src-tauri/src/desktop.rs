//! Opening links: the person's own command, else the system's browser; a private window where asked for.

use crate::browsers::{self, HERE, Launch, System};
use mailroom_core::app::desktop::Desktop;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;
use tauri::AppHandle;
use tauri_plugin_opener::OpenerExt;
use tauri_plugin_shell::ShellExt;
use tauri_plugin_shell::process::CommandEvent;

/// How long a browser gets to say by a failing exit code that it is not there.
const FAILS_WITHIN: Duration = Duration::from_millis(1500);

type Opening<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Opens links for the core and for the window.
pub(crate) struct SystemBrowser {
    app: AppHandle,
    chosen: Option<String>,
}

/// No browser could be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CannotOpen {
    /// Links other than web and mail links are never handed to the system.
    #[error("not a web or mail link")]
    NotALink,
    /// No browser that we know how to ask for a private window.
    #[error("no browser with a private window was found")]
    NoPrivateWindow,
    /// The system could not start one.
    #[error("{0}")]
    System(String),
}

impl SystemBrowser {
    /// `chosen` is the person's own browser command.
    pub(crate) fn new(app: AppHandle, chosen: Option<String>) -> Self {
        Self { app, chosen }
    }

    /// Opens `url`. Returning well means that a program was started, not that the page is shown: callers
    /// keep offering the link for copying.
    async fn open(&self, url: &str, private: bool) -> Result<(), CannotOpen> {
        if !is_link(url) {
            return Err(CannotOpen::NotALink);
        }
        let chosen = self.chosen.as_deref();
        if let Some(launch) = chosen.and_then(|command| browsers::chosen(command, private, url)) {
            return self.start(launch).await;
        }
        if !private {
            let opened = self.app.opener().open_url(url, None::<&str>);
            return opened.map_err(|error| CannotOpen::System(error.to_string()));
        }
        for launch in browsers::private(HERE, &program_folders(), url) {
            if self.start(launch).await.is_ok() {
                return Ok(());
            }
        }
        Err(CannotOpen::NoPrivateWindow)
    }

    async fn start(&self, launch: Launch) -> Result<(), CannotOpen> {
        let command = self.app.shell().command(&launch.program).args(&launch.args);
        let (mut events, child) = command
            .spawn()
            .map_err(|error| CannotOpen::System(error.to_string()))?;
        // macOS' `open` and some wrappers start well and then fail; a browser that stays is a success.
        let failed = tokio::time::timeout(FAILS_WITHIN, async {
            while let Some(event) = events.recv().await {
                if let CommandEvent::Terminated(end) = event {
                    return end.code != Some(0);
                }
            }
            false
        });
        if failed.await.unwrap_or(false) {
            let program = launch.program.to_string_lossy();
            return Err(CannotOpen::System(format!("{program} failed")));
        }
        // The browser writes to its pipes for as long as it lives; somebody has to read them.
        tokio::spawn(async move {
            while events.recv().await.is_some() {}
            drop(child);
        });
        Ok(())
    }
}

impl Desktop for SystemBrowser {
    fn open_url<'a>(&'a self, url: &'a str, private_window: bool) -> Opening<'a> {
        Box::pin(async move {
            let opened = self.open(url, private_window).await;
            opened.map_err(|error| error.to_string())
        })
    }
}

/// Web and mail links only: other schemes start programs.
fn is_link(url: &str) -> bool {
    let scheme = url
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    let known = scheme.is_some_and(|scheme| ["https", "http", "mailto"].contains(&scheme.as_str()));
    known && !url.contains(char::is_whitespace) && !url.contains(char::is_control)
}

fn program_folders() -> Vec<PathBuf> {
    if HERE != System::Windows {
        return Vec::new();
    }
    ["ProgramFiles(x86)", "ProgramFiles", "LOCALAPPDATA"]
        .iter()
        .filter_map(std::env::var_os)
        .map(PathBuf::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_and_mail_links_reach_the_system() {
        assert!(is_link("https://login.microsoftonline.com/common?a=b&c=d"));
        assert!(is_link("MAILTO:anna@contoso.example"));
        for refused in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "ms-msdt:/id",
            "/usr/bin/true",
            "https://a --flag",
            "https://a\n",
            "",
        ] {
            assert!(!is_link(refused), "{refused}");
        }
    }
}
