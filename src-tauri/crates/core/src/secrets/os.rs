//! The operating system's keychain.

use super::{Key, Secrets, SecretsError};
use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use zeroize::{Zeroize, Zeroizing};

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
#[cfg(windows)]
use windows_native_keyring_store::Store;
#[cfg(all(unix, not(target_os = "macos")))]
use zbus_secret_service_keyring_store::Store;

/// Under this name the keychain's own programs show the entry.
const SERVICE: &str = "Mailroom";

/// Secret Service, Windows Credential Manager or macOS Keychain; one entry per data folder.
pub struct OsKeychain {
    account: String,
}

impl OsKeychain {
    /// `account` tells data folders apart, for instance a hash of the folder's path.
    pub fn new(account: String) -> Self {
        Self { account }
    }

    /// Connects anew each time, so that a keychain that starts later is found.
    fn entry(&self) -> Result<Entry, SecretsError> {
        Store::new()
            .and_then(|store| store.build(SERVICE, &self.account, None))
            .map_err(|error| SecretsError::NoKeychain(error.to_string()))
    }
}

impl Secrets for OsKeychain {
    fn load(&self) -> Result<Option<Key>, SecretsError> {
        match self.entry()?.get_secret() {
            Ok(mut bytes) => {
                let key = <[u8; 32]>::try_from(&bytes[..]).map(Zeroizing::new);
                bytes.zeroize();
                key.map(Some).map_err(|_| SecretsError::Damaged)
            }
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(refusal(error)),
        }
    }

    fn save(&self, key: &Key) -> Result<(), SecretsError> {
        self.entry()?.set_secret(&key[..]).map_err(refusal)
    }

    fn remove(&self) -> Result<(), SecretsError> {
        match self.entry()?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(refusal(error)),
        }
    }
}

/// Why a keychain that was there did not do it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum is non-exhaustive, and all the rest means that the keychain does not work"
)]
fn refusal(error: Error) -> SecretsError {
    match error {
        Error::NoStorageAccess(cause) => SecretsError::Locked(cause.to_string()),
        // The Secret Service answers so when something is to be stored in a locked collection
        // (freedesktop.org, "Secret Service API", org.freedesktop.Secret.Error.IsLocked).
        Error::PlatformFailure(cause) if tells_of_lock(&cause.to_string()) => {
            SecretsError::Locked(cause.to_string())
        }
        Error::BadDataFormat(..) | Error::BadEncoding(_) | Error::Ambiguous(_) => {
            SecretsError::Damaged
        }
        other => SecretsError::NoKeychain(other.to_string()),
    }
}

fn tells_of_lock(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("locked") || text.contains("prompt")
}
