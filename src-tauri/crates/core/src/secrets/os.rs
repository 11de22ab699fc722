//! The operating system's keychain, through the `keyring` crate.

use super::{Key, Secrets, SecretsError};

/// Secret Service, Windows Credential Manager or macOS Keychain; one entry per data folder.
pub struct OsKeychain {
    account: String,
}

impl OsKeychain {
    /// `account` tells data folders apart, for instance a hash of the folder's path.
    pub fn new(account: String) -> Self {
        Self { account }
    }
}

impl Secrets for OsKeychain {
    fn load(&self) -> Result<Option<Key>, SecretsError> {
        let _ = &self.account;
        todo!()
    }

    fn save(&self, _key: &Key) -> Result<(), SecretsError> {
        todo!()
    }

    fn remove(&self) -> Result<(), SecretsError> {
        todo!()
    }
}
