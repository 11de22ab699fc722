//! The one thread of this process that writes. Other processes have theirs; SQLite lets them take turns.

use super::StoreError;
use super::checkpoint::Checkpoint;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// After this long without work the WAL is copied into the file, so that it is small when the program ends.
const IDLE: Duration = Duration::from_secs(5);

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// The way to the writing thread.
pub(super) struct Writer {
    work: Mutex<Option<Sender<Work>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread with its connection.
    pub(super) fn start(mut connection: Connection, path: &Path) -> Result<Self, StoreError> {
        let checkpoint = Checkpoint::start(path, &mut connection)?;
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(connection, checkpoint, &receiver))
            .map_err(StoreError::Folder)?;
        Ok(Self {
            work: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs `work` in a transaction of its own, after whatever was asked for before.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, result) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            // Nobody may be waiting any more; the work is done all the same.
            let _ = answer.send(transact(connection, work));
        });
        self.sender()
            .ok_or(StoreError::Closed)?
            .send(work)
            .map_err(|_| StoreError::Closed)?;
        // No answer: the work panicked, which rolled it back.
        result.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Takes no more work and waits until the thread has done what it was given.
    pub(super) async fn close(&self) {
        drop(
            self.work
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let ended = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(ended, Ok(Ok(()))) {
                tracing::error!("the writing thread ended badly");
            }
        }
    }

    fn sender(&self) -> Option<Sender<Work>> {
        self.work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

fn serve(mut connection: Connection, checkpoint: Checkpoint, work: &Receiver<Work>) {
    let mut unsettled = false;
    loop {
        let next = if unsettled {
            work.recv_timeout(IDLE)
        } else {
            work.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match next {
            Ok(work) => {
                // The transaction rolls back while the panic passes through it: the connection stays good.
                if catch_unwind(AssertUnwindSafe(|| work(&mut connection))).is_err() {
                    tracing::error!("work on the store panicked");
                }
                unsettled = true;
            }
            Err(RecvTimeoutError::Timeout) => {
                checkpoint.now();
                unsettled = false;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    checkpoint.stop(&mut connection);
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database did not close");
    }
}
