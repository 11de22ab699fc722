//! Which of several processes polls: the one that holds the lock of a file in the data folder. The operating
//! system releases it when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// The right to poll, held until dropped.
pub struct PollingLock {
    _file: File,
}

impl PollingLock {
    /// Takes the lock, or says that another process has it.
    ///
    /// # Errors
    /// The file cannot be opened or locked.
    pub fn take(path: &Path) -> std::io::Result<Option<Self>> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_the_lock_and_dropping_frees_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("polling.lock");
        let first = PollingLock::take(&path).unwrap();
        assert!(first.is_some());
        assert!(PollingLock::take(&path).unwrap().is_none());
        drop(first);
        assert!(PollingLock::take(&path).unwrap().is_some());
    }
}
