//! Read-only connections, made when needed and kept.

use super::{StoreError, open};
use rusqlite::{Connection, OpenFlags};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many read at the same time.
const READERS: usize = 4;
/// How long closing waits for those who read.
const CLOSING_TIME: Duration = Duration::from_secs(2);

/// The pool, and the connection that notices commits.
pub(super) struct Readers {
    path: PathBuf,
    turns: Semaphore,
    idle: Mutex<Vec<Connection>>,
    watcher: Mutex<Option<Connection>>,
    /// How many read at this moment, whether or not anybody still waits for the result.
    busy: AtomicUsize,
}

impl Readers {
    /// A pool for the file at `path`; nothing is opened yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            turns: Semaphore::new(READERS),
            idle: Mutex::new(Vec::new()),
            watcher: Mutex::new(None),
            busy: AtomicUsize::new(0),
        }
    }

    /// Waits for a turn.
    pub(super) async fn permit(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        self.turns.acquire().await.map_err(|_| StoreError::Closed)
    }

    /// Runs `work` in a read transaction. Blocks.
    pub(super) fn run<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.busy.fetch_add(1, Ordering::SeqCst);
        let result = self.run_busily(work);
        self.busy.fetch_sub(1, Ordering::SeqCst);
        result
    }

    fn run_busily<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        if self.turns.is_closed() {
            return Err(StoreError::Closed);
        }
        let idle = lock(&self.idle).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let transaction = connection.unchecked_transaction()?;
        let result = work(&transaction);
        drop(transaction);
        if !self.turns.is_closed() {
            lock(&self.idle).push(connection);
        }
        Ok(result?)
    }

    /// `PRAGMA data_version`. Blocks.
    pub(super) fn version(&self) -> Result<i64, StoreError> {
        let mut watcher = lock(&self.watcher);
        if self.turns.is_closed() {
            return Err(StoreError::Closed);
        }
        let connection = match watcher.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let version = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        *watcher = Some(connection);
        Ok(version)
    }

    /// Gives no more turns, waits a moment for those who read, and closes. The writer closes after the readers:
    /// only a connection that may write can tidy up the write-ahead log.
    pub(super) async fn close(&self) {
        self.turns.close();
        let begun = Instant::now();
        while self.busy.load(Ordering::SeqCst) > 0 && begun.elapsed() < CLOSING_TIME {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        lock(&self.idle).clear();
        lock(&self.watcher).take();
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let connection = Connection::open_with_flags(
            &self.path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        open::prepare(&connection)?;
        Ok(connection)
    }
}

/// A panic elsewhere leaves these lists as good as they were.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
