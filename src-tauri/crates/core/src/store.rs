//! SQLite: one writer, read-only readers, WAL, STRICT tables, forward-only numbered migrations.
//!
//! Each table has a file with its row type and the functions that read or write it. Functions take a
//! [`rusqlite::Connection`] (a transaction derefs to one), so that callers put several into one transaction.

pub mod accounts;
pub mod addresses;
pub mod after_import;
pub mod agents;
pub mod brands;
pub mod certificates;
mod checkpoint;
mod columns;
pub mod events;
pub mod folders;
pub mod handoffs;
pub mod imports;
pub mod ledger;
pub mod marks;
pub mod messages;
mod open;
pub mod origins;
pub mod own_tests;
mod readers;
pub mod replies;
pub(crate) mod search;
pub mod sendings;
pub mod settings;
pub mod silences;
pub mod tickets;
mod writer;

#[cfg(test)]
mod tests;

use readers::Readers;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use writer::Writer;

/// The database of one data folder. Cheap to clone. Several processes may open the same folder.
#[derive(Clone)]
pub struct Store {
    // Readers are dropped first: the connection that closes last clears the WAL, and that must be one that may write.
    readers: Arc<Readers>,
    writer: Arc<Writer>,
}

/// Whether there is a database in `data_dir`.
pub fn is_in(data_dir: &Path) -> bool {
    data_dir.join(open::FILE).is_file()
}

/// The database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Written by a newer Mailroom: left untouched.
    #[error("the database has version {found}, this program knows {known}")]
    Newer {
        /// Version of the file.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// Damaged: set aside under this name, never deleted; the next open starts a new one.
    #[error("the database is damaged and was set aside")]
    Damaged {
        /// Where the damaged file is now.
        set_aside: PathBuf,
    },
    /// No room, or the disk refuses to write. Nothing of the transaction is kept.
    #[error("the disk is full")]
    DiskFull,
    /// The folder or the file cannot be opened.
    #[error("the data folder cannot be used")]
    Folder(#[source] std::io::Error),
    /// Anything else that SQLite says.
    #[error("database error")]
    Sqlite(#[source] rusqlite::Error),
    /// The writer has ended (the program is closing).
    #[error("the store is closed")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ffi;
        let code = error.sqlite_error().map_or(0, |error| error.extended_code);
        match code {
            // SQLite reports ENOSPC as FULL, and as these where it grows or flushes its files
            // (sqlite.org, "Result and Error Codes").
            ffi::SQLITE_FULL
            | ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_FSYNC
            | ffi::SQLITE_IOERR_DIR_FSYNC
            | ffi::SQLITE_IOERR_SHMSIZE => Self::DiskFull,
            _ => Self::Sqlite(error),
        }
    }
}

impl Store {
    /// Opens or creates `mailroom.db` in `data_dir` (mode 0700, file 0600), brings it up to date and starts the writer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let data_dir = data_dir.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let connection = open::open(&data_dir)?;
            let path = data_dir.join(open::FILE);
            Ok(Self {
                writer: Arc::new(Writer::start(connection, &path)?),
                readers: Arc::new(Readers::new(path)),
            })
        });
        finished(opened.await)?
    }

    /// Runs `work` in one IMMEDIATE transaction on the writer; durable when this returns (`synchronous=FULL`).
    /// An error rolls everything back. Once called, `work` runs even if nobody waits for it any more.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Closed`] also when `work` panicked, and then nothing of it is kept.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Transaction<'_>) -> Result<T, rusqlite::Error> + Send + 'static,
    {
        self.writer.run(work).await
    }

    /// Runs `work` on a read-only connection; all it reads belongs to one moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        let _permit = readers.permit().await?;
        let worker = Arc::clone(&readers);
        finished(tokio::task::spawn_blocking(move || worker.run(work)).await)?
    }

    /// A number that changes whenever any process has committed something, this one included
    /// (`PRAGMA data_version` on a connection kept for it; sqlite.org, "PRAGMA Statements").
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn version(&self) -> Result<i64, StoreError> {
        let readers = Arc::clone(&self.readers);
        finished(tokio::task::spawn_blocking(move || readers.version()).await)?
    }

    /// Ends the writer after what it was given, and clears the WAL if no other process has the file open.
    /// Whatever is asked for later fails with [`StoreError::Closed`].
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A panic of the closure goes on in its caller; a cancelled one means that the program is closing.
fn finished<T>(joined: Result<T, tokio::task::JoinError>) -> Result<T, StoreError> {
    joined.map_err(|error| {
        if let Ok(panic) = error.try_into_panic() {
            std::panic::resume_unwind(panic);
        }
        StoreError::Closed
    })
}
