//! SQLite: one writer, read-only readers, WAL, STRICT tables, forward-only numbered migrations.
//!
//! Each table has a file with its row type and the functions that read or write it. Functions take a
//! [`rusqlite::Connection`] (a transaction derefs to one), so that callers put several into one transaction.

use std::path::{Path, PathBuf};

/// The database of one data folder. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    _path: PathBuf,
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

impl Store {
    /// Opens or creates `mailroom.db` in `data_dir` (mode 0700, file 0600), brings it up to date and starts the writer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(_data_dir: &Path) -> Result<Self, StoreError> {
        todo!()
    }

    /// Runs `work` in one IMMEDIATE transaction on the writer; durable when this returns (`synchronous=FULL`).
    /// An error rolls everything back.
    pub async fn write<T, F>(&self, _work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Transaction<'_>) -> Result<T, rusqlite::Error> + Send + 'static,
    {
        todo!()
    }

    /// Runs `work` on a read-only connection.
    pub async fn read<T, F>(&self, _work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    {
        todo!()
    }

    /// A number that changes whenever any process has committed something (`PRAGMA data_version`, read on one
    /// connection kept for it, plus this process's own commits).
    pub async fn version(&self) -> Result<i64, StoreError> {
        todo!()
    }
}
