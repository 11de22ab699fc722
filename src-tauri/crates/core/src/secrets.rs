//! The one key in the operating system's keychain, and what is sealed under it.
//!
//! Windows limits a credential to 2,560 bytes, which one refresh token exceeds; so a random 32-byte key
//! lives in the keychain and tokens are stored sealed under it (XChaCha20-Poly1305) in the database.

mod file;
mod os;

pub use file::KeyFile;
pub use os::OsKeychain;

use chacha20poly1305::aead::rand_core::RngCore;
use chacha20poly1305::aead::{Aead, OsRng, Payload};
use chacha20poly1305::{AeadCore, KeyInit, XChaCha20Poly1305, XNonce};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a keychain may wait for somebody to answer its prompt.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of XChaCha20's nonce: long enough to be drawn at random for every value (draft-irtf-cfrg-xchacha).
const NONCE: usize = 24;

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
    key: Arc<Key>,
}

/// A sealed value could not be opened: another key, another purpose, or it was altered.
#[derive(Debug, thiserror::Error)]
#[error("a stored secret cannot be opened with this key")]
pub struct CannotOpen;

impl Vault {
    /// A vault under `key`.
    pub fn new(key: Key) -> Self {
        Self { key: Arc::new(key) }
    }

    /// Loads the key, or makes and stores one where `may_create` (a new data folder); otherwise nothing. Runs on
    /// a blocking thread and gives up after 60 seconds (a keychain may wait for a prompt that nobody answers).
    ///
    /// # Errors
    /// [`SecretsError`]; giving up is [`SecretsError::Locked`].
    pub async fn open(
        secrets: Arc<dyn Secrets>,
        may_create: bool,
    ) -> Result<Option<Self>, SecretsError> {
        Self::open_within(PATIENCE, secrets, may_create).await
    }

    async fn open_within(
        patience: Duration,
        secrets: Arc<dyn Secrets>,
        may_create: bool,
    ) -> Result<Option<Self>, SecretsError> {
        // The runtime waits for its blocking threads when it ends; one that hangs in a prompt must not hold it.
        let (answer, key) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name("keychain".to_owned())
            .spawn(move || {
                // Whoever asked may have given up.
                let _ = answer.send(load_or_make(secrets.as_ref(), may_create));
            })?;
        match tokio::time::timeout(patience, key).await {
            Ok(Ok(key)) => Ok(key?.map(Self::new)),
            Ok(Err(_)) => Err(SecretsError::NoKeychain("it broke down".to_owned())),
            Err(_) => Err(SecretsError::Locked(format!(
                "no answer within {} seconds",
                patience.as_secs()
            ))),
        }
    }

    /// Seals `plain`; `purpose` must be given again to open it (it binds the value to its row).
    /// The result is the nonce followed by what XChaCha20-Poly1305 makes of `plain`.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let payload = Payload {
            msg: plain,
            aad: purpose.as_bytes(),
        };
        match self.cipher().encrypt(&nonce, payload) {
            Ok(sealed) => [&nonce[..], &sealed].concat(),
            Err(_) => unreachable!("only a text above 256 GiB cannot be sealed"),
        }
    }

    /// Opens what [`Vault::seal`] made with the same `purpose`.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        let (nonce, text) = sealed.split_at_checked(NONCE).ok_or(CannotOpen)?;
        let payload = Payload {
            msg: text,
            aad: purpose.as_bytes(),
        };
        self.cipher()
            .decrypt(XNonce::from_slice(nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| CannotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.key.as_slice().into())
    }
}

fn load_or_make(secrets: &dyn Secrets, may_create: bool) -> Result<Option<Key>, SecretsError> {
    let key = secrets.load()?;
    if key.is_some() || !may_create {
        return Ok(key);
    }
    let mut new = Key::new([0; 32]);
    OsRng.fill_bytes(&mut *new);
    secrets.save(&new)?;
    // What is there now is what the next start finds; a keychain that keeps nothing is caught here.
    match secrets.load()? {
        Some(key) => Ok(Some(key)),
        None => Err(SecretsError::NoKeychain("it kept nothing".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A keychain in memory.
    #[derive(Default)]
    struct Drawer(Mutex<Option<[u8; 32]>>);

    impl Secrets for Drawer {
        fn load(&self) -> Result<Option<Key>, SecretsError> {
            Ok(self.0.lock().unwrap().map(Key::new))
        }

        fn save(&self, key: &Key) -> Result<(), SecretsError> {
            *self.0.lock().unwrap() = Some(**key);
            Ok(())
        }

        fn remove(&self) -> Result<(), SecretsError> {
            *self.0.lock().unwrap() = None;
            Ok(())
        }
    }

    /// A keychain that waits for a prompt.
    struct Prompt;

    impl Secrets for Prompt {
        fn load(&self) -> Result<Option<Key>, SecretsError> {
            std::thread::sleep(Duration::from_secs(3600));
            Ok(None)
        }

        fn save(&self, _key: &Key) -> Result<(), SecretsError> {
            Ok(())
        }

        fn remove(&self) -> Result<(), SecretsError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn makes_a_key_only_where_it_may_and_finds_it_again() {
        let drawer = Arc::new(Drawer::default());
        assert!(Vault::open(drawer.clone(), false).await.unwrap().is_none());
        let first = Vault::open(drawer.clone(), true).await.unwrap().unwrap();
        let sealed = first.seal("tokens of account 1", b"refresh");
        let second = Vault::open(drawer, false).await.unwrap().unwrap();
        let plain = second.unseal("tokens of account 1", &sealed).unwrap();
        assert_eq!(&plain[..], b"refresh");
    }

    #[tokio::test]
    async fn gives_up_on_a_prompt_that_nobody_answers() {
        let answer = Vault::open_within(Duration::from_millis(20), Arc::new(Prompt), true).await;
        assert!(matches!(answer, Err(SecretsError::Locked(_))));
    }

    #[test]
    fn opens_only_with_the_key_the_purpose_and_every_bit_as_sealed() {
        let vault = Vault::new(Key::new([1; 32]));
        let sealed = vault.seal("a", b"secret");
        assert_eq!(&vault.unseal("a", &sealed).unwrap()[..], b"secret");
        assert!(vault.unseal("b", &sealed).is_err());
        assert!(Vault::new(Key::new([2; 32])).unseal("a", &sealed).is_err());
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(vault.unseal("a", &altered).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(vault.unseal("a", &sealed[..length]).is_err());
        }
    }

    #[test]
    fn never_seals_the_same_text_to_the_same_bytes() {
        let vault = Vault::new(Key::new([1; 32]));
        assert_ne!(vault.seal("a", b"secret"), vault.seal("a", b"secret"));
    }
}
