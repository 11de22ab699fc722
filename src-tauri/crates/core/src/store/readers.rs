//! Read-only connections, made when needed and kept.

use super::{StoreError, open};
use rusqlite::{Connection, OpenFlags};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many read at the same time.
const READERS: usize = 4;

/// The pool, and the connection that notices commits.
pub(super) struct Readers {
    path: PathBuf,
    turns: Semaphore,
    idle: Mutex<Vec<Connection>>,
    watcher: Mutex<Option<Connection>>,
}

impl Readers {
    /// A pool for the file at `path`; nothing is opened yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            turns: Semaphore::new(READERS),
            idle: Mutex::new(Vec::new()),
            watcher: Mutex::new(None),
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

    /// Closes what is idle and gives no more turns.
    pub(super) fn close(&self) {
        self.turns.close();
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
