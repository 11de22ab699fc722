//! The practice tenant inside this process. It keeps its port and its state in the data folder, so that
//! practice addresses still work after a restart.

use mailroom_core::api::view::{SandboxUser, SandboxView};
use mailroom_sandbox::{Description, Options, Sandbox, StartError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::Mutex;

/// How often a new mail arrives while somebody practises.
const ARRIVALS: Duration = Duration::from_secs(45);

/// Starts and stops the tenant.
pub(crate) struct Practice {
    folder: PathBuf,
    running: Mutex<Option<Sandbox>>,
}

impl Practice {
    /// `data_dir` is Mailroom's data folder.
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.join("sandbox"),
            running: Mutex::new(None),
        }
    }

    /// Starts the tenant, or finds it running. The port of the last time is taken again where it is free.
    pub(crate) async fn start(&self) -> Result<SandboxView, StartError> {
        let mut running = self.running.lock().await;
        if let Some(sandbox) = running.as_ref() {
            return Ok(view(sandbox.description()));
        }
        let sandbox = match self.remembered_port() {
            Some(port) => match Sandbox::start(self.options(port)).await {
                Err(StartError::Listen { .. }) => Sandbox::start(self.options(0)).await?,
                result => result?,
            },
            None => Sandbox::start(self.options(0)).await?,
        };
        self.remember(sandbox.description());
        let view = view(sandbox.description());
        *running = Some(sandbox);
        Ok(view)
    }

    /// Starts the tenant again if it was running when Mailroom last ended.
    pub(crate) async fn resume(&self) {
        if self.remembered_port().is_some()
            && let Err(error) = self.start().await
        {
            tracing::warn!(%error, "the practice tenant could not be started again");
        }
    }

    /// Stops the tenant. With `forget`, it is not started again next time.
    pub(crate) async fn stop(&self, forget: bool) {
        if let Some(sandbox) = self.running.lock().await.take() {
            sandbox.stop().await;
        }
        if forget && let Err(error) = std::fs::remove_file(self.port_file()) {
            tracing::debug!(%error, "the practice tenant's port was not remembered");
        }
    }

    /// The tenant, while it runs.
    pub(crate) async fn view(&self) -> Option<SandboxView> {
        let running = self.running.lock().await;
        running.as_ref().map(|sandbox| view(sandbox.description()))
    }

    fn options(&self, port: u16) -> Options {
        Options {
            port,
            arrivals: Some(ARRIVALS),
            state_dir: Some(self.folder.clone()),
            ..Options::default()
        }
    }

    fn port_file(&self) -> PathBuf {
        self.folder.join("port")
    }

    fn remembered_port(&self) -> Option<u16> {
        std::fs::read_to_string(self.port_file())
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    fn remember(&self, description: &Description) {
        let port = description.authority.rsplit(':').next().unwrap_or_default();
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(self.port_file(), port));
        if let Err(error) = written {
            tracing::warn!(%error, "the practice tenant's port cannot be remembered");
        }
    }
}

fn view(description: &Description) -> SandboxView {
    SandboxView {
        authority: description.authority.clone(),
        graph_url: description.graph_url.clone(),
        client_id: description.client_id.clone(),
        tenant: description.tenant.clone(),
        users: description
            .users
            .iter()
            // Shared mailboxes cannot sign in; where the login name differs, the address would be refused.
            .filter(|user| !user.password.is_empty() && user.address == user.login)
            .map(|user| SandboxUser {
                address: user.address.clone(),
                password: user.password.clone(),
                name: user.name.clone(),
            })
            .collect(),
        scenarios: description.scenarios.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn comes_back_on_the_same_port_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let practice = Practice::new(folder.path());
        practice.resume().await;
        assert_eq!(practice.view().await, None);
        let first = practice.start().await.unwrap();
        assert_eq!(practice.start().await.unwrap(), first);
        practice.stop(false).await;

        let again = Practice::new(folder.path());
        again.resume().await;
        assert_eq!(again.view().await.unwrap().authority, first.authority);
        again.stop(true).await;

        let last = Practice::new(folder.path());
        last.resume().await;
        assert_eq!(last.view().await, None);
    }
}
