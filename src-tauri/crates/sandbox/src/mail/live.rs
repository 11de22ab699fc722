//! The mailboxes over time: opened at the start, new mail while it runs, kept over a restart.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rand::Rng;

use super::author::Author;
use super::load;
use super::seed::{self, SUPPORT};
use crate::options::StartError;
use crate::tenant::mailboxes::snapshot::{self, Snapshot, SnapshotError};
use crate::world::World;

/// A changed state is written at most so often.
const WRITE_EVERY: Duration = Duration::from_secs(2);

fn path(dir: &Path) -> PathBuf {
    dir.join("mailboxes.snapshot")
}

/// Brings the mailboxes back, or fills them for the first time and loads the files asked for.
///
/// # Errors
/// A snapshot or a file to load that cannot be read.
pub(crate) fn open(world: &World) -> Result<(), StartError> {
    let kept = world
        .options
        .state_dir
        .as_deref()
        .map(path)
        .filter(|path| path.exists());
    if let Some(path) = kept {
        let all = snapshot::read(&path).map_err(|error| match error {
            SnapshotError::Io(source) => StartError::File {
                path: path.clone(),
                source,
            },
            SnapshotError::Damaged | SnapshotError::Json(_) => StartError::State {
                path: path.clone(),
                reason: error.to_string(),
            },
        })?;
        *world.mailboxes.lock() = all;
        return Ok(());
    }
    let now = world.now();
    let directory = world.directory.lock();
    let mut all = world.mailboxes.lock();
    seed::fill(&mut all, &directory, now);
    for path in &world.options.mail {
        let count = load::load(all.open(SUPPORT), path, now)?;
        tracing::info!(path = %path.display(), count, "mail loaded");
    }
    Ok(())
}

/// Writes the mailboxes if they changed since they were last written. Without a folder: nothing.
pub(crate) fn save(world: &World) {
    let Some(dir) = world.options.state_dir.as_deref() else {
        return;
    };
    let last_written = Arc::clone(&world.mailboxes.lock().written);
    // Held while writing: two writers would share one draft file.
    let mut last_written = last_written.lock();
    let (changes, snapshot) = {
        let all = world.mailboxes.lock();
        if Some(all.changes()) == *last_written {
            return;
        }
        (all.changes(), Snapshot::of(&all))
    };
    let outcome = snapshot
        .map_err(|error| error.to_string())
        .and_then(|snapshot| {
            snapshot
                .write(&path(dir))
                .map_err(|error| error.to_string())
        });
    match outcome {
        Ok(()) => *last_written = Some(changes),
        Err(error) => tracing::error!(%error, "the mailboxes could not be written"),
    }
}

/// Starts what goes on by itself: arriving mail and writing the state. It ends with the world.
pub(crate) fn keep_alive(world: &Arc<World>) {
    if let Some(interval) = world.options.arrivals {
        tokio::spawn(arrive(Arc::downgrade(world), interval));
    }
    if world.options.state_dir.is_some() {
        tokio::spawn(keep_written(Arc::downgrade(world)));
    }
}

async fn arrive(world: Weak<World>, interval: Duration) {
    let mut author = Author::new(rand::rng().random(), SUPPORT);
    loop {
        let factor = rand::rng().random_range(0.6..1.4);
        tokio::time::sleep(interval.mul_f64(factor)).await;
        let Some(world) = world.upgrade() else { return };
        let now = world.now();
        let raw = author.request(now);
        world.mailboxes.lock().open(SUPPORT).receive(raw, now);
    }
}

async fn keep_written(world: Weak<World>) {
    loop {
        tokio::time::sleep(WRITE_EVERY).await;
        let Some(world) = world.upgrade() else { return };
        let written = tokio::task::spawn_blocking(move || save(&world)).await;
        if written.is_err() {
            return;
        }
    }
}
