//! Which block a proposer was given for a slot: no other one is given to it.

use alloy_primitives::B256;
use blockwright_signer::BlsPublicKey;
use serde::{Deserialize, Serialize};

use crate::stored::StoredFile;
use crate::{BlindError, StoreError};

/// Reveals that are remembered.
const COUNT_MAX: usize = 256;

/// A block that was given to a proposer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Reveal {
    /// Number of the block.
    pub(crate) slot: u64,
    /// The proposer that signed it.
    pub(crate) proposer: BlsPublicKey,
    /// Its hash.
    pub(crate) block_hash: B256,
}

/// What is kept in the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Remembered {
    /// Nothing is known of slots up to this one, so nothing new is revealed for them.
    forgotten_up_to: Option<u64>,
    /// In no order.
    reveals: Vec<Reveal>,
}

/// The last reveals; kept in a file.
#[derive(Debug)]
pub(crate) struct Reveals {
    remembered: Remembered,
    file: Option<StoredFile>,
    count_max: usize,
}

impl Reveals {
    pub(crate) fn open(file: Option<StoredFile>) -> Result<Self, StoreError> {
        let stored = file.as_ref().map(StoredFile::read::<Remembered>);
        Ok(Self {
            remembered: stored.transpose()?.flatten().unwrap_or_default(),
            file,
            count_max: COUNT_MAX,
        })
    }

    /// Whether `new` may be given, which is recorded; on the disk when this returns. The same again may.
    ///
    /// # Errors
    /// [`BlindError::OtherRevealed`] where the proposer was given another block of the slot, or the slot is so
    /// old that nobody knows; [`BlindError::NotRecorded`].
    pub(crate) fn record(&mut self, new: Reveal) -> Result<(), BlindError> {
        let slot = new.slot;
        let known = &self.remembered.reveals;
        let of_slot = known
            .iter()
            .find(|known| known.slot == slot && known.proposer == new.proposer);
        match of_slot {
            Some(known) if *known == new => return Ok(()),
            Some(_) => return Err(BlindError::OtherRevealed { slot }),
            None if self.remembered.forgotten_up_to >= Some(slot) => {
                return Err(BlindError::OtherRevealed { slot });
            }
            None => {}
        }
        let mut next = self.remembered.clone();
        next.reveals.push(new);
        while next.reveals.len() > self.count_max {
            let oldest = next.reveals.iter().map(|reveal| reveal.slot).min();
            next.forgotten_up_to = next.forgotten_up_to.max(oldest);
            next.reveals.retain(|reveal| Some(reveal.slot) != oldest);
        }
        if let Some(file) = &self.file {
            file.write(&next)?;
        }
        self.remembered = next;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn reveal(slot: u64, proposer: u8, block: u8) -> Reveal {
        Reveal {
            slot,
            proposer: BlsPublicKey::repeat_byte(proposer),
            block_hash: B256::repeat_byte(block),
        }
    }

    fn is_refused(outcome: &Result<(), BlindError>) -> bool {
        matches!(outcome, Err(BlindError::OtherRevealed { .. }))
    }

    #[test]
    fn a_proposer_is_given_one_block_a_slot_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = || Some(StoredFile::new(folder.path().join("reveals.json")));
        let mut kept = Reveals::open(file()).unwrap();
        kept.record(reveal(7, 1, 1)).unwrap();
        kept.record(reveal(7, 1, 1)).unwrap();
        assert!(is_refused(&kept.record(reveal(7, 1, 2))));
        kept.record(reveal(7, 2, 2)).unwrap();
        kept.record(reveal(8, 1, 2)).unwrap();
        let mut again = Reveals::open(file()).unwrap();
        assert!(is_refused(&again.record(reveal(7, 1, 2))));
        again.record(reveal(7, 1, 1)).unwrap();
    }

    #[test]
    fn what_was_forgotten_is_refused() {
        let mut kept = Reveals::open(None).unwrap();
        kept.count_max = 2;
        for slot in 1..=4 {
            kept.record(reveal(slot, 1, 1)).unwrap();
        }
        assert_eq!(kept.remembered.forgotten_up_to, Some(2));
        for slot in 0..=2 {
            assert!(is_refused(&kept.record(reveal(slot, 1, 1))));
        }
        kept.record(reveal(3, 1, 1)).unwrap();
        assert!(is_refused(&kept.record(reveal(3, 1, 2))));
        assert_eq!(kept.remembered.reveals.len(), 2);
    }
}
