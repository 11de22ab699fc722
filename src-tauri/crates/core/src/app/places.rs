//! Where things are kept on this computer: the window and the command line must agree on it.

use crate::secrets::{KeyFile, OsKeychain};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The platform's folder for our data; nothing where the platform has none (no home folder).
pub fn default_data_dir() -> Option<PathBuf> {
    dirs::data_dir().map(|data| data.join("Mailroom"))
}

/// Whether Mailroom keeps something in `data_dir` already.
pub fn is_in_use(data_dir: &Path) -> bool {
    crate::store::is_in(data_dir)
}

/// The operating system's keychain, with an entry of its own for each data folder.
pub fn keychain(data_dir: &Path) -> OsKeychain {
    let path = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let name: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    OsKeychain::new(format!("data folder {name}"))
}

/// The key file in a data folder.
pub fn key_file(data_dir: &Path, passphrase: SecretString) -> KeyFile {
    KeyFile::new(data_dir.join("key.age"), passphrase)
}
