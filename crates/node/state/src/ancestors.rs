//! The hashes BLOCKHASH may ask for.

use alloy_primitives::B256;
use imbl::Vector;

/// How many hashes are kept: BLOCKHASH reaches this far back from the next block.
const HASHES: usize = 256;

/// A block's hash and those of its last 255 ancestors, shared with its neighbours.
#[derive(Clone, Debug)]
pub(crate) struct Ancestors {
    number: u64,
    hash: B256,
    /// Oldest first; the last one is `hash`.
    hashes: Vector<B256>,
}

impl Ancestors {
    pub(crate) fn genesis(number: u64, hash: B256) -> Self {
        Self {
            number,
            hash,
            hashes: Vector::unit(hash),
        }
    }

    /// The ancestors of a child of this block.
    pub(crate) fn child(&self, hash: B256) -> Self {
        let mut hashes = self.hashes.clone();
        hashes.push_back(hash);
        if hashes.len() > HASHES {
            hashes.pop_front();
        }
        Self {
            number: self.number + 1,
            hash,
            hashes,
        }
    }

    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    pub(crate) const fn hash(&self) -> B256 {
        self.hash
    }

    pub(crate) fn get(&self, number: u64) -> Option<B256> {
        let back = usize::try_from(self.number.checked_sub(number)?).ok()?;
        let index = self.hashes.len().checked_sub(1 + back)?;
        self.hashes.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u64) -> B256 {
        B256::left_padding_from(&number.to_be_bytes())
    }

    #[test]
    fn reaches_back_256_hashes_and_no_further() {
        let mut ancestors = Ancestors::genesis(0, hash(0));
        for number in 1..=1000 {
            ancestors = ancestors.child(hash(number));
        }
        assert_eq!(ancestors.get(1000), Some(hash(1000)));
        assert_eq!(ancestors.get(745), Some(hash(745)));
        assert_eq!(ancestors.get(744), None);
        assert_eq!(ancestors.get(1001), None);
    }
}
