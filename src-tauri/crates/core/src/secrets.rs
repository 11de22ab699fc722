//! The one key in the operating system's keychain, and what is sealed under it.
//!
//! Windows limits a credential to 2,560 bytes, which one refresh token exceeds; so a random 32-byte key
//! lives in the keychain and tokens are stored sealed under it (XChaCha20-Poly1305) in the database.

mod file;
mod os;

pub use file::KeyFile;
pub use os::OsKeychain;

use zeroize::Zeroizing;

/// 32 random bytes.
pub type Key = Zeroizing<[u8; 32]>;

/// Where the key is kept. Calls may block (the system may ask the person to unlock): call from a blocking thread.
pub trait Secrets: Send + Sync {
    /// Reads the key; `Ok(None)` when none was stored yet.
    fn load(&self) -> Result<Option<Key>, SecretsError>;
    /// Stores the key durably.
    fn save(&self, key: &Key) -> Result<(), SecretsError>;
    /// Removes the key; fine when there is none.
    fn remove(&self) -> Result<(), SecretsError>;
}

/// Why the key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// No keychain service on this computer or in this session.
    #[error("no keychain service: {0}")]
    NoKeychain(String),
    /// The keychain is there, but locked, or access was refused, or nobody answered its prompt in time.
    #[error("the keychain is locked or refused access: {0}")]
    Locked(String),
    /// What is stored is no key of ours.
    #[error("the stored key is damaged")]
    Damaged,
    /// The passphrase for the key file is missing or wrong.
    #[error("the passphrase for the key file is missing or wrong")]
    WrongPassphrase,
    /// The key file cannot be read or written.
    #[error("the key file cannot be used")]
    File(#[from] std::io::Error),
}

/// Seals and opens values under the key. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    key: std::sync::Arc<Key>,
}

/// A sealed value could not be opened: another key, or it was altered.
#[derive(Debug, thiserror::Error)]
#[error("a stored secret cannot be opened with this key")]
pub struct CannotOpen;

impl Vault {
    /// A vault under `key`.
    pub fn new(key: Key) -> Self {
        Self {
            key: std::sync::Arc::new(key),
        }
    }

    /// Loads the key, or makes and stores one where `may_create` (a new data folder). Runs on a blocking
    /// thread and gives up after 60 seconds (a keychain may wait for a prompt that nobody answers).
    pub async fn open(
        _secrets: std::sync::Arc<dyn Secrets>,
        _may_create: bool,
    ) -> Result<Option<Self>, SecretsError> {
        todo!()
    }

    /// Seals `plain`; `purpose` must be given again to open it (it binds the value to its row).
    pub fn seal(&self, _purpose: &str, _plain: &[u8]) -> Vec<u8> {
        todo!()
    }

    /// Opens what [`Vault::seal`] made with the same `purpose`.
    pub fn unseal(&self, _purpose: &str, _sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        let _ = &self.key;
        todo!()
    }
}
