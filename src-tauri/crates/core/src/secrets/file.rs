//! A key file under a passphrase (age, scrypt), for servers without a keychain. Chosen, never fallen back to.

use super::{Key, Secrets, SecretsError};
use age::{DecryptError, scrypt};
use secrecy::SecretString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// log2 of scrypt's N: 128 MiB and half a second, as OWASP's "Password Storage Cheat Sheet" asks for.
const WORK_FACTOR: u8 = 17;

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
        let sealed = match fs::read(&self.path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut identity = scrypt::Identity::new(self.passphrase.clone());
        identity.set_max_work_factor(WORK_FACTOR);
        match age::decrypt(&identity, &sealed).map(Zeroizing::new) {
            Ok(plain) => <[u8; 32]>::try_from(&plain[..])
                .map(|key| Some(Zeroizing::new(key)))
                .map_err(|_| SecretsError::Damaged),
            Err(DecryptError::KeyDecryptionFailed | DecryptError::DecryptionFailed) => {
                Err(SecretsError::WrongPassphrase)
            }
            Err(_) => Err(SecretsError::Damaged),
        }
    }

    fn save(&self, key: &Key) -> Result<(), SecretsError> {
        let mut recipient = scrypt::Recipient::new(self.passphrase.clone());
        recipient.set_work_factor(WORK_FACTOR);
        let sealed = age::encrypt(&recipient, &key[..]).map_err(io::Error::other)?;
        Ok(replace(&self.path, &sealed)?)
    }

    fn remove(&self) -> Result<(), SecretsError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Writes a file so that after a power cut there is the old one or the new one, whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(name);
    let written = write_new(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What is left over is of no use; the error that matters is the first.
        let _ = fs::remove_file(&beside);
    }
    written?;
    match path.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the rename itself durable; Windows has no such call and needs none on NTFS.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_in(folder: &Path, passphrase: &str) -> KeyFile {
        KeyFile::new(folder.join("key.age"), passphrase.into())
    }

    #[test]
    fn gives_back_what_was_stored_and_only_for_the_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let file = file_in(folder.path(), "correct horse");
        assert!(file.load().unwrap().is_none());
        file.save(&Zeroizing::new([7; 32])).unwrap();
        assert_eq!(*file.load().unwrap().unwrap(), [7; 32]);
        assert!(matches!(
            file_in(folder.path(), "battery staple").load(),
            Err(SecretsError::WrongPassphrase)
        ));
        file.remove().unwrap();
        file.remove().unwrap();
        assert!(file.load().unwrap().is_none());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn keeps_the_file_from_other_users() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.age");
        replace(&path, b"first").unwrap();
        replace(&path, b"second").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read(&path).unwrap(), b"second");
    }

    #[test]
    fn says_when_the_file_is_no_key_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key.age"), "not a key").unwrap();
        assert!(matches!(
            file_in(folder.path(), "x").load(),
            Err(SecretsError::Damaged)
        ));
    }

    #[test]
    fn reports_a_folder_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = file_in(&folder.path().join("gone"), "x");
        assert!(matches!(
            file.save(&Zeroizing::new([1; 32])),
            Err(SecretsError::File(_))
        ));
    }
}
