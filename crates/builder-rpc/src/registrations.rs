//! Who is to receive the fees of which proposer's blocks.

use alloy_primitives::Address;
use blockwright_signer::BlsPublicKey;
use serde::{Deserialize, Serialize};

use crate::stored::StoredFile;
use crate::{BlindError, StoreError};

/// Most proposers that may be registered.
const COUNT_MAX: usize = 1_024;

/// A proposer's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Registration {
    /// The proposer.
    pub(crate) public_key: BlsPublicKey,
    /// Who is to receive the fees.
    pub(crate) fee_recipient: Address,
}

/// Registrations, the newest last; kept in a file.
#[derive(Debug)]
pub(crate) struct Registrations {
    entries: Vec<Registration>,
    file: Option<StoredFile>,
    count_max: usize,
}

impl Registrations {
    /// Those in `file` whose proposers are among `allowed`; `None` allows all.
    pub(crate) fn open(
        file: Option<StoredFile>,
        allowed: Option<&[BlsPublicKey]>,
    ) -> Result<Self, StoreError> {
        let stored = file.as_ref().map(StoredFile::read::<Vec<Registration>>);
        let mut entries = stored.transpose()?.flatten().unwrap_or_default();
        if let Some(allowed) = allowed {
            entries.retain(|entry| allowed.contains(&entry.public_key));
        }
        Ok(Self {
            entries,
            file,
            count_max: COUNT_MAX,
        })
    }

    /// The one that was made last.
    pub(crate) fn newest(&self) -> Option<Registration> {
        self.entries.last().copied()
    }

    pub(crate) fn count(&self) -> usize {
        self.entries.len()
    }

    /// `new` takes the place of an older one of its proposer and is the newest; on the disk when this returns.
    pub(crate) fn set(&mut self, new: Registration) -> Result<(), BlindError> {
        if self.newest() == Some(new) {
            return Ok(());
        }
        let mut entries = self.entries.clone();
        entries.retain(|entry| entry.public_key != new.public_key);
        if entries.len() >= self.count_max {
            return Err(BlindError::RegistrationsFull {
                count_max: self.count_max,
            });
        }
        entries.push(new);
        if let Some(file) = &self.file {
            file.write(&entries)?;
        }
        self.entries = entries;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn registration(key: u8, recipient: u8) -> Registration {
        Registration {
            public_key: BlsPublicKey::repeat_byte(key),
            fee_recipient: Address::repeat_byte(recipient),
        }
    }

    #[test]
    fn the_newest_counts_and_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = || Some(StoredFile::new(folder.path().join("fee-recipients.json")));
        let mut kept = Registrations::open(file(), None).unwrap();
        assert_eq!(kept.newest(), None);
        for (key, recipient) in [(1, 1), (2, 2), (1, 3), (1, 3)] {
            kept.set(registration(key, recipient)).unwrap();
            assert_eq!(kept.newest(), Some(registration(key, recipient)));
        }
        assert_eq!(kept.count(), 2);
        // A proposer that comes again is the newest again.
        kept.set(registration(2, 2)).unwrap();
        let again = Registrations::open(file(), None).unwrap();
        assert_eq!(again.newest(), Some(registration(2, 2)));
        let allowed = [registration(1, 0).public_key];
        let listed = Registrations::open(file(), Some(&allowed)).unwrap();
        assert_eq!(listed.newest(), Some(registration(1, 3)));
        let nobody = Registrations::open(file(), Some(&[])).unwrap();
        assert_eq!(nobody.newest(), None);
    }

    #[test]
    fn a_full_table_takes_changes_and_nobody_new() {
        let mut kept = Registrations::open(None, None).unwrap();
        kept.count_max = 2;
        kept.set(registration(1, 1)).unwrap();
        kept.set(registration(2, 1)).unwrap();
        let refused = kept.set(registration(3, 1)).unwrap_err();
        assert!(matches!(refused, BlindError::RegistrationsFull { .. }));
        kept.set(registration(1, 9)).unwrap();
        assert_eq!(kept.newest(), Some(registration(1, 9)));
    }

    #[test]
    fn what_cannot_be_kept_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("taken"), "").unwrap();
        let file = StoredFile::new(folder.path().join("taken/file.json"));
        let mut kept = Registrations {
            entries: Vec::new(),
            file: Some(file),
            count_max: 2,
        };
        let refused = kept.set(registration(1, 1)).unwrap_err();
        assert!(matches!(refused, BlindError::NotRecorded(_)));
        assert_eq!(kept.newest(), None);
    }
}
