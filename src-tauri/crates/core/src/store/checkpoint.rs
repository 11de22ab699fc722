//! Copies the WAL into the database file while the writer goes on writing (sqlite.org, "Write-Ahead Logging").

use super::{StoreError, open};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Pages of the WAL after which a copy is due: 8 MiB.
const DUE: i32 = 2_000;
/// Pages after which the writer copies the rest itself: 64 MiB. Only when all is copied does the WAL begin anew; beside a
/// writer that never rests it would grow without end.
const MOST: i32 = 16_000;

/// The thread that copies.
pub(super) struct Checkpoint {
    due: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Checkpoint {
    /// Starts the thread for the file at `path`, which `writer` has opened, and copies what `writer` commits.
    pub(super) fn start(path: &Path, writer: &mut Connection) -> Result<Self, StoreError> {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        open::prepare(&connection)?;
        let (due, is_due) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || serve(connection, &is_due))
            .map_err(StoreError::Folder)?;
        let tell = due.clone();
        let mut told = 0;
        writer.wal_hook(Some(move |wal: &mut rusqlite::hooks::Wal, pages| {
            if pages >= MOST {
                // Another one may be at it, or somebody may read what is old; the next commit tries again.
                if let Err(error) = wal.checkpoint() {
                    tracing::warn!(%error, "the WAL could not be copied");
                }
            } else if pages - told >= DUE || pages < told {
                told = pages;
                // One that is waiting already will do.
                let _ = tell.try_send(());
            }
            Ok(())
        }))?;
        Ok(Self { due, thread })
    }

    /// Asks for a copy.
    pub(super) fn now(&self) {
        let _ = self.due.try_send(());
    }

    /// Ends the thread. `writer` may be closed after it: the last one to close copies everything and removes the WAL.
    pub(super) fn stop(self, writer: &mut Connection) {
        let hook: Option<fn(&mut rusqlite::hooks::Wal, i32) -> rusqlite::Result<()>> = None;
        if let Err(error) = writer.wal_hook(hook) {
            // It would be waited for without end.
            tracing::warn!(%error, "the WAL is still watched");
            return;
        }
        drop(self.due);
        if self.thread.join().is_err() {
            tracing::error!("the thread that copies the WAL ended badly");
        }
    }
}

fn serve(connection: Connection, due: &Receiver<()>) {
    while due.recv().is_ok() {
        let copied =
            connection.pragma_update_and_check(None, "wal_checkpoint", "PASSIVE", |_| Ok(()));
        if let Err(error) = copied {
            tracing::warn!(%error, "the WAL could not be copied");
        }
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the connection that copies the WAL did not close");
    }
}
