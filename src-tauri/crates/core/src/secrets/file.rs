//! A key file under a passphrase (age, scrypt), for servers without a keychain. Chosen, never fallen back to.

use super::{Key, Secrets, SecretsError};
use secrecy::SecretString;
use std::path::PathBuf;

/// `key.age` in the data folder.
pub struct KeyFile {
    path: PathBuf,
    passphrase: SecretString,
}

impl KeyFile {
    /// The key file at `path` under `passphrase`.
    pub fn new(path: PathBuf, passphrase: SecretString) -> Self {
        Self { path, passphrase }
    }
}

impl Secrets for KeyFile {
    fn load(&self) -> Result<Option<Key>, SecretsError> {
        let _ = (&self.path, &self.passphrase);
        todo!()
    }

    fn save(&self, _key: &Key) -> Result<(), SecretsError> {
        todo!()
    }

    fn remove(&self) -> Result<(), SecretsError> {
        todo!()
    }
}
