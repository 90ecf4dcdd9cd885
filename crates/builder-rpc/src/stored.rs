//! Small files that outlive the process: replaced as a whole, on the disk before anybody relies on them, and
//! checked when they are read.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use alloy_primitives::{B256, keccak256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::StoreError;

/// Longer files are not ours.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// The form that is written.
const VERSION: u64 = 1;

/// A file with one value in it.
#[derive(Debug)]
pub(crate) struct StoredFile {
    path: PathBuf,
}

/// What the file contains: JSON with the value's text and the hash of that text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    version: u64,
    keccak256: B256,
    content: Box<RawValue>,
}

impl StoredFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The value; `None` where there is no file.
    ///
    /// # Errors
    /// [`StoreError`] naming the file.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, StoreError> {
        let path = || self.path.clone();
        let mut text = String::new();
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(StoreError::Read {
                    path: path(),
                    source,
                });
            }
        };
        let damaged = |reason: String| StoreError::Damaged {
            path: path(),
            reason,
        };
        match file.take(FILE_BYTES_MAX).read_to_string(&mut text) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(damaged("it is not text".to_owned()));
            }
            Err(source) => {
                return Err(StoreError::Read {
                    path: path(),
                    source,
                });
            }
        }
        let envelope: Envelope =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if envelope.version != VERSION {
            return Err(damaged(format!(
                "it has version {}, and this program writes {VERSION}",
                envelope.version
            )));
        }
        if keccak256(envelope.content.get()) != envelope.keccak256 {
            return Err(damaged(
                "its content does not have its keccak256".to_owned(),
            ));
        }
        let content = serde_json::from_str(envelope.content.get());
        Ok(Some(content.map_err(|error| damaged(error.to_string()))?))
    }

    /// Replaces the value. It is on the disk when this returns, and whatever happens meanwhile, the file has
    /// the old value or the new one.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub(crate) fn write(&self, value: &impl Serialize) -> Result<(), StoreError> {
        self.replace(value).map_err(|source| StoreError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn replace(&self, value: &impl Serialize) -> std::io::Result<()> {
        let content = to_raw_value(value)?;
        let envelope = Envelope {
            version: VERSION,
            keccak256: keccak256(content.get()),
            content,
        };
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(&envelope)?)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        // The new name is on the disk as well.
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_was_changed_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/values.json");
        let file = StoredFile::new(path.clone());
        assert_eq!(file.read::<Vec<u64>>().unwrap(), None);
        file.write(&vec![1_u64]).unwrap();
        file.write(&vec![1_u64, 22]).unwrap();
        assert_eq!(file.read::<Vec<u64>>().unwrap(), Some(vec![1, 22]));
        let sound = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1
        );
        for (damaged, said) in [
            (sound.replace("22", "23"), "keccak256"),
            (sound.replace("22", "x"), "damaged"),
            (sound.replace("\"version\":1", "\"version\":2"), "version 2"),
            (sound[..sound.len() / 2].to_owned(), "damaged"),
            (String::new(), "damaged"),
        ] {
            std::fs::write(&path, damaged).unwrap();
            let error = file.read::<Vec<u64>>().unwrap_err();
            assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
            let text = error.to_string();
            assert!(
                text.contains("values.json") && text.contains(said),
                "{text}"
            );
        }
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        file.read::<Vec<u64>>().unwrap_err();
        // A folder in its place.
        let other = StoredFile::new(folder.path().join("deep"));
        assert!(matches!(other.read::<u64>(), Err(StoreError::Read { .. })));
        assert!(matches!(other.write(&1_u64), Err(StoreError::Write { .. })));
    }
}
