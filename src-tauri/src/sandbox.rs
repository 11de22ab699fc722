//! The practice tenant inside this process. It keeps its port and its state in the data folder, so that
//! practice addresses still work after a restart.

use mailroom_core::api::view::{SandboxUser, SandboxView};
use mailroom_core::diagnosis::practice::Scenario;
use mailroom_sandbox::{Description, Options, Sandbox, StartError, exercises};
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

    /// What can be practised and what is broken at the moment, and who mends it: the tenant's administrator, while it
    /// runs.
    pub(crate) async fn scenarios(&self) -> (Vec<Scenario>, Option<SandboxUser>) {
        let running = self.running.lock().await;
        let on = running.as_ref().map(Sandbox::scenarios_on);
        let host = running
            .as_ref()
            .map(|sandbox| sandbox.description().authority.clone());
        let admin = running
            .as_ref()
            .and_then(|sandbox| administrator(sandbox.description()));
        let told = exercises().into_iter().filter_map(|exercise| {
            let page = exercise
                .page
                .and_then(|page| Some(format!("{}{page}", host.as_ref()?)));
            let mut told = serde_json::to_value(&exercise).ok()?;
            told["page"] = page.into();
            told["on"] = on
                .as_ref()
                .is_some_and(|on| on.contains(&exercise.name))
                .into();
            // The tenant knows nothing of the core's types: they agree by their words.
            serde_json::from_value(told).ok()
        });
        (told.collect(), admin)
    }

    /// Breaks one thing in the tenant; false where it does not run or knows no such thing.
    pub(crate) async fn practise(&self, name: &str) -> bool {
        let running = self.running.lock().await;
        running
            .as_ref()
            .is_some_and(|sandbox| sandbox.practise(name))
    }

    /// Brings everything back that practising has broken.
    pub(crate) async fn stop_practising(&self) {
        if let Some(sandbox) = self.running.lock().await.as_ref() {
            sandbox.stop_practising();
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

fn administrator(description: &Description) -> Option<SandboxUser> {
    let admin = description.users.iter().find(|user| user.kind == "admin")?;
    Some(SandboxUser {
        address: admin.login.clone(),
        password: admin.password.clone(),
        name: admin.name.clone(),
    })
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
    async fn offers_everything_that_can_be_practised_and_says_what_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        let practice = Practice::new(folder.path());
        let (resting, nobody) = practice.scenarios().await;
        assert_eq!(resting.len(), exercises().len());
        assert!(nobody.is_none() && resting.iter().all(|one| one.page.is_none()));
        assert!(!practice.practise("conditional-access").await, "it rests");

        let view = practice.start().await.unwrap();
        assert!(practice.practise("conditional-access").await);
        assert!(!practice.practise("format-disk").await);
        let (all, admin) = practice.scenarios().await;
        let on: Vec<_> = all.iter().filter(|one| one.on).collect();
        assert_eq!(on.len(), 1);
        assert_eq!(on[0].name, "conditional-access");
        let page = format!("{}/admin/access", view.authority);
        assert_eq!(on[0].page.as_deref(), Some(page.as_str()));
        assert_eq!(admin.unwrap().address, "admin@contoso.example");
        practice.stop_practising().await;
        assert!(practice.scenarios().await.0.iter().all(|one| !one.on));
        practice.stop(true).await;
    }

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
