//! What survives a restart, in the folder of [`crate::Options::state_dir`].

use crate::entra::keys::SigningKey;
use crate::options::StartError;
use crate::world::World;
use std::io::Write;
use std::path::Path;

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

/// Brings back what was kept. Without a folder: nothing.
pub(crate) fn restore(_world: &World) -> Result<(), StartError> {
    Ok(())
}

/// Writes what is to be kept.
pub(crate) fn save(_world: &World) {}

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
