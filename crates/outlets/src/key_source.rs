//! A signing key as it is given on the command line.

use std::path::{Path, PathBuf};

use blockwright_signer::{
    BlsLocalSigner, KeyBytes, KeyError, KeyFile, KeyType, LocalSigner, PasswordSource, SecretText,
};

use crate::OutletError;

/// Where a key comes from. At most one of `file` and `hex` may be given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySource {
    /// File of the key, raw hex or a keystore, mode 0600 or less.
    pub file: Option<PathBuf>,
    /// File of the password that opens the keystore, mode 0600 or less; without it whoever is at the
    /// terminal is asked.
    pub password_file: Option<PathBuf>,
    /// The key as hex text, for development.
    pub hex: Option<SecretText>,
}

/// The flags by which a key is given, for complaints.
#[derive(Clone, Copy, Debug)]
pub struct KeyFlags {
    /// Of the file.
    pub file: &'static str,
    /// Of the password's file.
    pub password_file: &'static str,
    /// Of the text.
    pub hex: &'static str,
}

impl KeySource {
    /// The secp256k1 key, ready to sign; `None` where none is given.
    ///
    /// # Errors
    /// [`OutletError::Config`] naming the flag at fault, never the key.
    pub fn signer(&self, flags: KeyFlags) -> Result<Option<LocalSigner>, OutletError> {
        let Some(key) = self.key(KeyType::Secp256k1, flags)? else {
            return Ok(None);
        };
        let signer =
            LocalSigner::from_key(key).map_err(|error| OutletError::flag(flags.file, &error))?;
        Ok(Some(signer))
    }

    /// The BLS key, ready to sign; `None` where none is given.
    ///
    /// # Errors
    /// As [`Self::signer`].
    pub fn bls_signer(&self, flags: KeyFlags) -> Result<Option<BlsLocalSigner>, OutletError> {
        let Some(key) = self.key(KeyType::Bls, flags)? else {
            return Ok(None);
        };
        let signer =
            BlsLocalSigner::from_key(key).map_err(|error| OutletError::flag(flags.file, &error))?;
        Ok(Some(signer))
    }

    fn key(&self, key_type: KeyType, flags: KeyFlags) -> Result<Option<KeyBytes>, OutletError> {
        if self.file.is_none() && self.password_file.is_some() {
            let reason = format!("there is no {} that it opens", flags.file);
            return Err(OutletError::flag(flags.password_file, &reason));
        }
        match (&self.file, &self.hex) {
            (None, None) => Ok(None),
            (Some(file), None) => self
                .key_in(file, key_type, flags)
                .map(Some)
                .map_err(|error| OutletError::flag(flags.of_error(&error), &error)),
            (None, Some(text)) => {
                tracing::warn!(
                    flag = flags.hex,
                    "a key given as text is for development: others may read command lines and \
                     environments, a file of mode 0600 they may not"
                );
                let key = KeyBytes::from_hex(key_type, text).map_err(KeyError::from);
                key.map(Some)
                    .map_err(|error| OutletError::flag(flags.hex, &error))
            }
            (Some(_), Some(_)) => {
                let reason = format!("there is {} already", flags.file);
                Err(OutletError::flag(flags.hex, &reason))
            }
        }
    }

    fn key_in(
        &self,
        file: &Path,
        key_type: KeyType,
        flags: KeyFlags,
    ) -> Result<KeyBytes, KeyError> {
        let opened = KeyFile::open(file)?;
        if opened.keystore().is_none() {
            tracing::warn!(
                flag = flags.file,
                file = %file.display(),
                "this key is not encrypted, which is for development: `blockwright keys import` makes a \
                 keystore of it"
            );
        }
        let password = PasswordSource::file_or_terminal(self.password_file.clone());
        opened.key(key_type, &password)
    }
}

impl KeyFlags {
    /// The flag to change where a key cannot be had.
    const fn of_error(&self, error: &KeyError) -> &'static str {
        match error {
            KeyError::NotEncrypted { .. }
            | KeyError::PasswordMissing { .. }
            | KeyError::PasswordEmpty => self.password_file,
            _ => self.file,
        }
    }
}
