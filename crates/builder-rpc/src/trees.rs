//! The transactions' hash tree roots of blocks that grow: what was hashed for one state of a block serves the
//! later ones.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use alloy_primitives::B256;
use blockwright_builder_codec::TransactionsTree;
use blockwright_types::BlockPart;
use parking_lot::Mutex;

use crate::BlindError;

/// Blocks that are remembered.
const BLOCKS_MAX: usize = 4;

/// A block's parts with the tree after each of them.
type Grown = Vec<(Weak<BlockPart>, TransactionsTree)>;

/// The trees of the last blocks that were hashed.
#[derive(Default)]
pub(crate) struct Trees {
    /// The newest last.
    blocks: Mutex<VecDeque<Grown>>,
}

impl Trees {
    /// The root of the transactions of a block of `parts`. Hashes those that were not hashed before.
    pub(crate) fn root(&self, parts: &[Arc<BlockPart>]) -> Result<B256, BlindError> {
        let mut grown = self.take(parts);
        let mut tree = grown
            .last()
            .map(|(_, tree)| tree.clone())
            .unwrap_or_default();
        for part in parts.iter().skip(grown.len()) {
            for transaction in &part.transactions {
                let added = tree.push(&transaction.encoded);
                added
                    .map_err(|_| BlindError::Fault("transactions exceed what SSZ has for them"))?;
            }
            grown.push((Arc::downgrade(part), tree.clone()));
        }
        let mut blocks = self.blocks.lock();
        if blocks.len() >= BLOCKS_MAX {
            blocks.pop_front();
        }
        blocks.push_back(grown);
        Ok(tree.root())
    }

    /// What there is of a block of these parts, without what does not belong to it.
    fn take(&self, parts: &[Arc<BlockPart>]) -> Grown {
        let shared = |grown: &Grown| {
            let pairs = grown.iter().zip(parts);
            pairs
                .take_while(|((known, _), part)| Weak::as_ptr(known) == Arc::as_ptr(part))
                .count()
        };
        let mut blocks = self.blocks.lock();
        let best = blocks
            .iter()
            .enumerate()
            .max_by_key(|(_, grown)| shared(grown));
        let Some((position, length)) = best.map(|(position, grown)| (position, shared(grown)))
        else {
            return Grown::new();
        };
        if length == 0 {
            return Grown::new();
        }
        let mut grown = blocks[position].clone();
        if grown.len() == length {
            // It grows; what is longer may be asked for again.
            blocks.remove(position);
        }
        grown.truncate(length);
        grown
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloy_primitives::Bytes;
    use blockwright_builder_codec::transactions_root;
    use blockwright_testkit::deposit;
    use blockwright_types::SharedTx;

    use super::*;

    fn part(numbers: core::ops::Range<u64>) -> Arc<BlockPart> {
        let transactions: Vec<SharedTx> = numbers.map(deposit).collect();
        Arc::new(BlockPart::new(transactions, Vec::new(), Vec::new()))
    }

    fn expected(parts: &[Arc<BlockPart>]) -> B256 {
        let all = parts.iter().flat_map(|part| part.transactions.iter());
        let all: Vec<Bytes> = all.map(|transaction| transaction.encoded.clone()).collect();
        transactions_root(&all).unwrap()
    }

    #[test]
    fn a_block_has_its_root_whatever_was_hashed_before() {
        let trees = Trees::default();
        let block = [part(0..3), part(3..3), part(3..7), part(7..8)];
        let mut other = block.clone();
        other[2] = part(20..22);
        for length in [2, 4, 3, 1, 4, 0] {
            let prefix = &block[..length];
            assert_eq!(trees.root(prefix).unwrap(), expected(prefix), "{length}");
        }
        assert_eq!(trees.root(&other).unwrap(), expected(&other));
        assert_eq!(trees.root(&block).unwrap(), expected(&block));
        for start in 30..40 {
            let one = [part(start..start + 1)];
            assert_eq!(trees.root(&one).unwrap(), expected(&one));
        }
        assert_eq!(trees.blocks.lock().len(), BLOCKS_MAX);
    }

    #[test]
    fn what_was_hashed_is_not_hashed_again() {
        let trees = Trees::default();
        let block = [part(0..3), part(3..7), part(7..8)];
        trees.root(&block[..2]).unwrap();
        let known = trees.take(&block);
        assert_eq!(known.len(), 2);
        assert_eq!(known[1].1.root(), expected(&block[..2]));
    }
}
