//! Files that hold a secret.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::{KeyBytes, KeyError, KeyType, Keystore, KeystoreError, PasswordSource, SecretText};

/// Keystores have about 500 bytes; a longer file is no file of ours, and what is behind is not read.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// A key file as it was read: a key in hex, or an encrypted one. Its content tells which.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Hex(SecretText),
    Keystore(Keystore),
}

impl KeyFile {
    /// Reads the file at `path`, which nobody but its owner may use.
    ///
    /// # Errors
    /// [`KeyError`] where it cannot be read, others may use it, or it begins like a keystore and is
    /// none.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        Self::from_text(path, SecretText::from(read(path)?))
    }

    /// The same of `text` that came in another way; errors call it `name`.
    ///
    /// # Errors
    /// [`KeyError::Keystore`] where it begins like a keystore and is none.
    pub fn from_text(name: &Path, text: SecretText) -> Result<Self, KeyError> {
        let content = if text.expose().trim_start().starts_with('{') {
            let keystore = Keystore::parse(text.expose());
            Content::Keystore(keystore.map_err(|cause| of_keystore(name, cause))?)
        } else {
            Content::Hex(text)
        };
        Ok(Self {
            path: name.to_owned(),
            content,
        })
    }

    /// The keystore, where the key is encrypted.
    pub const fn keystore(&self) -> Option<&Keystore> {
        match &self.content {
            Content::Keystore(keystore) => Some(keystore),
            Content::Hex(_) => None,
        }
    }

    /// The key, which must be one of `key_type`; an encrypted one is opened with `password`.
    ///
    /// # Errors
    /// [`KeyError`], naming the file and what is wrong, never its content. A password file for a key
    /// that is not encrypted is an error: somebody believes that it is.
    pub fn key(&self, key_type: KeyType, password: &PasswordSource) -> Result<KeyBytes, KeyError> {
        match &self.content {
            Content::Hex(_) if matches!(password, PasswordSource::File(_)) => {
                Err(KeyError::NotEncrypted {
                    path: self.path.clone(),
                })
            }
            Content::Hex(text) => {
                KeyBytes::from_hex(key_type, text).map_err(|cause| KeyError::Content {
                    path: self.path.clone(),
                    cause,
                })
            }
            Content::Keystore(keystore) if keystore.key_type() != key_type => {
                let cause = KeystoreError::OtherType {
                    found: keystore.key_type(),
                    wanted: key_type,
                };
                Err(of_keystore(&self.path, cause))
            }
            Content::Keystore(keystore) => {
                let password = password.password(&self.path)?;
                let opened = keystore.open(&password);
                opened.map_err(|cause| of_keystore(&self.path, cause))
            }
        }
    }
}

fn of_keystore(path: &Path, cause: KeystoreError) -> KeyError {
    KeyError::Keystore {
        path: path.to_owned(),
        cause,
    }
}

/// The text of the file at `path`, which nobody but its owner may use. The file that is checked is
/// the one that is read, whatever happens to its name in between.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let failed = |source| KeyError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    check_mode(path, &file)?;
    // All of it at once: a text that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX as usize));
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

/// Checks that nobody but its owner may use the file at `path`, which others read: that of a certificate's key.
///
/// # Errors
/// [`KeyError::Mode`], and [`KeyError::Read`] where it cannot be opened.
pub fn check_private(path: &Path) -> Result<(), KeyError> {
    let file = File::open(path).map_err(|source| KeyError::Read {
        path: path.to_owned(),
        source,
    })?;
    check_mode(path, &file)
}

/// Writes `text` and a line end to a new file at `path` with mode 0600, on the disk when this returns.
///
/// # Errors
/// [`KeyError::Write`]; a file that is there already is not touched.
pub fn write_secret(path: &Path, text: &SecretText) -> Result<(), KeyError> {
    let write = || {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(text.expose().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write().map_err(|source| KeyError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;

    /// All that 0600 does not allow.
    const FORBIDDEN: u32 = 0o7177;

    let metadata = file.metadata().map_err(|source| KeyError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_file() && mode & FORBIDDEN != 0 {
        return Err(KeyError::Mode {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

/// Elsewhere a file has no mode.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn check_mode(_path: &Path, _file: &File) -> Result<(), KeyError> {
    Ok(())
}
