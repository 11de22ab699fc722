//! What survives a restart, in the folder of [`crate::Options::state_dir`].

use crate::entra::grants;
use crate::entra::keys::SigningKey;
use crate::options::StartError;
use crate::tenant::directory::{ApprovalRequest, Consent};
use crate::world::World;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The signing key of the folder, or a new one.
pub(crate) fn signing_key(dir: Option<&Path>) -> Result<SigningKey, StartError> {
    let Some(dir) = dir else {
        return SigningKey::generate().map_err(StartError::Key);
    };
    let path = dir.join("signing-key.der");
    let file = |source| StartError::File {
        path: path.clone(),
        source,
    };
    if path.exists() {
        let der = std::fs::read(&path).map_err(file)?;
        return SigningKey::from_pkcs8(&der).map_err(|reason| StartError::State {
            path: path.clone(),
            reason,
        });
    }
    let key = SigningKey::generate().map_err(StartError::Key)?;
    let der = key.pkcs8().map_err(StartError::Key)?;
    std::fs::create_dir_all(dir).map_err(file)?;
    write_private(&path, &der).map_err(file)?;
    Ok(key)
}

/// What the file `entra.json` holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    consents: BTreeSet<Consent>,
    grants: grants::Kept,
    #[serde(default)]
    requests: Vec<ApprovalRequest>,
}

const VERSION: u32 = 1;

fn entra_file(world: &World) -> Option<PathBuf> {
    let dir = world.options.state_dir.as_ref()?;
    Some(dir.join("entra.json"))
}

/// Brings back consents and refresh tokens. Without a folder, or at the first start: nothing.
pub(crate) fn restore(world: &World) -> Result<(), StartError> {
    let Some(path) = entra_file(world).filter(|p| p.exists()) else {
        return Ok(());
    };
    let text = std::fs::read(&path).map_err(|source| StartError::File {
        path: path.clone(),
        source,
    })?;
    let damaged = |reason: String| StartError::State {
        path: path.clone(),
        reason,
    };
    let kept: Kept = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
    if kept.version != VERSION {
        return Err(damaged(format!(
            "version {} is not {VERSION}",
            kept.version
        )));
    }
    {
        let mut directory = world.directory.lock();
        directory.consents = kept.consents;
        directory.decisions.requests = kept.requests;
    }
    world.grants.lock().restore(kept.grants);
    Ok(())
}

/// Writes consents and refresh tokens. A practice tenant goes on when its disk is full.
pub(crate) fn save(world: &World) {
    let Some(path) = entra_file(world) else {
        return;
    };
    let _saving = world.saving.lock();
    let (consents, requests) = {
        let directory = world.directory.lock();
        let requests = directory.decisions.requests.clone();
        (directory.consents.clone(), requests)
    };
    let kept = Kept {
        version: VERSION,
        consents,
        grants: world.grants.lock().kept(),
        requests,
    };
    let written = serde_json::to_vec(&kept)
        .map_err(std::io::Error::other)
        .and_then(|text| write_private(&path, &text));
    if let Err(error) = written {
        tracing::warn!(%error, path = %path.display(), "cannot keep the practice tenant's state");
    }
}

/// Writes a file that only its owner may read, complete or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let partial = path.with_extension("partial");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&partial, path)
}
