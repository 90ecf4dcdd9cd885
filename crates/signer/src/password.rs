//! Where a keystore's password comes from.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::key_file;
use crate::{KeyError, SecretText};

/// Where the password of a keystore is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// Nowhere: only keys that are not encrypted can be used.
    Absent,
    /// In a file, mode 0600 or less; line ends at its end do not count.
    File(PathBuf),
    /// With the person at the terminal, who is asked for it without echo.
    Prompt,
}

impl PasswordSource {
    /// The file, where there is one, else whoever is at the terminal, where there is one.
    pub fn file_or_terminal(file: Option<PathBuf>) -> Self {
        match file {
            Some(path) => Self::File(path),
            None if std::io::stdin().is_terminal() => Self::Prompt,
            None => Self::Absent,
        }
    }

    /// The password that opens the keystore at `keystore`.
    ///
    /// # Errors
    /// [`KeyError`] where there is none.
    pub fn password(&self, keystore: &Path) -> Result<SecretText, KeyError> {
        match self {
            Self::Absent => Err(KeyError::PasswordMissing {
                path: keystore.to_owned(),
            }),
            Self::File(path) => from_file(path),
            Self::Prompt => ask(&format!("Password of {}: ", keystore.display())),
        }
    }

    /// The password for a keystore that will be written to `keystore`; a person is asked twice.
    ///
    /// # Errors
    /// [`KeyError`] where there is none, or the second is not the first.
    pub fn new_password(&self, keystore: &Path) -> Result<SecretText, KeyError> {
        if matches!(self, Self::Absent) {
            return Err(KeyError::NewPasswordMissing {
                path: keystore.to_owned(),
            });
        }
        let password = self.password(keystore)?;
        if matches!(self, Self::Prompt) && ask("The same again: ")? != password {
            return Err(KeyError::PasswordsDiffer);
        }
        Ok(password)
    }
}

fn from_file(path: &Path) -> Result<SecretText, KeyError> {
    let text = key_file::read(path)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(KeyError::PasswordEmpty);
    }
    Ok(SecretText::new(password.to_owned()))
}

fn ask(prompt: &str) -> Result<SecretText, KeyError> {
    let text = rpassword::prompt_password(prompt).map_err(|source| KeyError::Prompt { source })?;
    let password = SecretText::new(text);
    if password.expose().is_empty() {
        return Err(KeyError::PasswordEmpty);
    }
    Ok(password)
}
