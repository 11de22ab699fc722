//! One task per address: polls, imports and marks, where provider, import and store meet.
//!
//! 1. The [`Engine`] takes the data folder's polling lock; without it, it waits and tries again.
//! 2. It keeps one [`address_task`] per connected address. A task reads its row, decides what is due
//!    ([`schedule`]), does it, and writes down how that went; the row is the only state, so that another
//!    process can hand over a request by changing it.
//! 3. Messages, ledger rows and the cursor are committed in one transaction ([`commit`]); only afterwards is
//!    the server told ([`marks`]), through a queue of its own. Repeating anything is harmless.

mod address_task;
pub mod cause;
mod commit;
mod connections;
mod fetch;
mod idle;
mod import_job;
mod lock;
mod marks;
mod outbox;
mod poll;
mod rehearse;
pub mod schedule;
pub mod silence;
pub mod status;
mod survive;
mod unused;

pub use connections::{
    Connections, HeldTokens, NoVault, outbound_purpose, password_purpose, purpose,
};
pub use lock::PollingLock;
pub use outbox::Turn;
pub(crate) use poll::follow;
pub use rehearse::{Rehearsal, Rehearsed, rehearse, rehearse_each};
pub use unused::{UNDO_TIME, wipe_unused};

use crate::Millis;
use crate::diagnosis::Finding;
use crate::provider::ProviderError;
use crate::store::{Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often another process's changes are looked for.
const LOOK_AROUND: Duration = Duration::from_secs(1);
/// How long tasks may take to end when the program closes.
const CLOSING_TIME: Duration = Duration::from_secs(5);

/// The present instant, as an argument.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Arc::new(|| jiff::Timestamp::now().as_millisecond()))
    }

    /// A clock of the caller's.
    pub fn from_fn(now: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Now.
    pub fn now(&self) -> Millis {
        (self.0)()
    }
}

/// Tickets that polling made: what triggers run on. Imports stay silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTickets {
    /// The address written to.
    pub address: String,
    /// How many.
    pub count: u32,
}

/// What all tasks share.
pub struct Context {
    /// The database.
    pub store: Store,
    /// Ways to the servers.
    pub connections: Connections,
    /// Time.
    pub clock: Clock,
    /// Wakes the supervisor after a change in this process.
    pub nudge: Notify,
    /// Tickets that polling made.
    pub new_tickets: mpsc::UnboundedSender<NewTickets>,
    busy: Mutex<BTreeSet<i64>>,
    storage_trouble: Mutex<Option<Finding>>,
}

impl Context {
    /// What tasks need.
    pub fn new(
        store: Store,
        connections: Connections,
        clock: Clock,
        new_tickets: mpsc::UnboundedSender<NewTickets>,
    ) -> Self {
        Self {
            store,
            connections,
            clock,
            nudge: Notify::new(),
            new_tickets,
            busy: Mutex::default(),
            storage_trouble: Mutex::default(),
        }
    }

    /// Whether a poll of this address runs in this process at this moment.
    pub fn is_busy(&self, address_id: i64) -> bool {
        self.busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&address_id)
    }

    /// Why nothing can be stored at the moment, if so. It cannot be written down: the disk is what is full.
    pub fn storage_trouble(&self) -> Option<Finding> {
        self.storage_trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_busy(&self, address_id: i64, busy: bool) {
        let mut set = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if busy {
            set.insert(address_id);
        } else {
            set.remove(&address_id);
        }
    }

    fn set_storage_trouble(&self, finding: Option<Finding>) {
        *self
            .storage_trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = finding;
    }
}

/// A step of a task did not work out.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The server's side.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Our side.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key to the stored sign-ins is not at hand.
    #[error(transparent)]
    NoVault(#[from] NoVault),
    /// The address was disconnected, or is read elsewhere, meanwhile: what was fetched is left where it is.
    #[error("the address is not read there any more")]
    Disconnected,
}

/// The supervisor of all address tasks.
pub struct Engine {
    cancel: CancellationToken,
    supervisor: Mutex<Option<JoinHandle<()>>>,
    role: watch::Receiver<bool>,
}

struct Running {
    wake: Arc<Notify>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Engine {
    /// Starts supervising. `lock` is the file whose lock decides which process polls.
    pub fn start(context: Arc<Context>, lock: PathBuf) -> Self {
        let cancel = CancellationToken::new();
        let (role_sender, role) = watch::channel(false);
        let supervisor = tokio::spawn(supervise(context, lock, cancel.clone(), role_sender));
        Self {
            cancel,
            supervisor: Mutex::new(Some(supervisor)),
            role,
        }
    }

    /// Whether this process polls; changes are announced.
    pub fn polls_here(&self) -> watch::Receiver<bool> {
        self.role.clone()
    }

    /// Ends all tasks between two transactions.
    pub async fn stop(&self) {
        self.cancel.cancel();
        let supervisor = self
            .supervisor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut supervisor) = supervisor
            && tokio::time::timeout(CLOSING_TIME, &mut supervisor)
                .await
                .is_err()
        {
            supervisor.abort();
        }
    }
}

async fn supervise(
    context: Arc<Context>,
    lock: PathBuf,
    cancel: CancellationToken,
    role: watch::Sender<bool>,
) {
    let _lock = loop {
        match PollingLock::take(&lock) {
            Ok(Some(lock)) => break lock,
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "The polling lock cannot be used."),
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(LOOK_AROUND) => {}
        }
    };
    role.send_replace(true);

    let mut running: BTreeMap<i64, Running> = BTreeMap::new();
    let mut seen = None;
    loop {
        running.retain(|id, task| {
            if task.task.is_finished() {
                tracing::debug!(address = id, "Address task ended.");
            }
            !task.task.is_finished()
        });
        match context.store.version().await {
            Ok(version) if seen == Some(version) && !running.is_empty() => {}
            Ok(version) => {
                seen = Some(version);
                reconcile(&context, &cancel, &mut running).await;
            }
            Err(error) => tracing::warn!(%error, "The database cannot be read."),
        }
        match wipe_unused(&context.store, context.clock.now()).await {
            Ok(accounts) => accounts
                .into_iter()
                .for_each(|account| context.connections.forget(account)),
            Err(error) => {
                tracing::warn!(%error, "A sign-in that is not used any more cannot be removed.")
            }
        }
        tokio::select! {
            () = cancel.cancelled() => break,
            () = context.nudge.notified() => seen = None,
            () = tokio::time::sleep(LOOK_AROUND) => {}
        }
    }
    for task in running.values() {
        task.cancel.cancel();
    }
    for (_, task) in running {
        if let Err(error) = task.task.await {
            tracing::warn!(%error, "An address task ended badly.");
        }
    }
}

/// Starts tasks for connected addresses, ends those of others, and lets all look at their rows again.
async fn reconcile(
    context: &Arc<Context>,
    cancel: &CancellationToken,
    running: &mut BTreeMap<i64, Running>,
) {
    let rows = match context.store.read(crate::store::addresses::all).await {
        Ok(rows) => rows,
        Err(error) => {
            tracing::warn!(%error, "The addresses cannot be read.");
            return;
        }
    };
    let connected: BTreeSet<i64> = rows
        .iter()
        .filter(|row| !row.disconnected)
        .map(|row| row.id)
        .collect();
    running.retain(|id, task| {
        let stays = connected.contains(id);
        if !stays {
            task.cancel.cancel();
        }
        stays
    });
    for id in connected {
        running
            .entry(id)
            .or_insert_with(|| {
                let wake = Arc::new(Notify::new());
                let cancel = cancel.child_token();
                let task = tokio::spawn(address_task::run(
                    context.clone(),
                    id,
                    wake.clone(),
                    cancel.clone(),
                ));
                Running { wake, cancel, task }
            })
            .wake
            .notify_one();
    }
}
