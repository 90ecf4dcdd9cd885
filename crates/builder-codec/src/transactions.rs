//! The hash tree root of a list of transactions, which grows with the list.

use alloy_primitives::B256;
use ethereum_hashing::{ZERO_HASHES, hash32_concat};

use crate::TransactionTooLong;

/// Levels over a transaction's chunks of 32 bytes: 2^30 bytes.
const BYTES_DEPTH: usize = 25;
/// Levels over the transactions: 2^20 of them.
const LIST_DEPTH: usize = 20;
/// Longest transaction.
const BYTES_MAX: usize = 1 << 30;

/// The Merkle tree of `List[ByteList[2^30], 2^20]`, of which only the right edge is kept: a transaction costs some
/// thirty hashes, and the root another forty, however many there are. Clones are cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionsTree {
    edge: Edge<LIST_DEPTH>,
}

impl TransactionsTree {
    /// The tree of no transactions.
    pub const fn new() -> Self {
        Self { edge: Edge::new() }
    }

    /// Adds a transaction, EIP-2718 bytes.
    ///
    /// # Errors
    /// [`TransactionTooLong`], which no transaction that fits a network reaches.
    pub fn push(&mut self, transaction: &[u8]) -> Result<(), TransactionTooLong> {
        if transaction.len() > BYTES_MAX {
            return Err(TransactionTooLong);
        }
        let mut bytes = Edge::<BYTES_DEPTH>::new();
        for piece in transaction.chunks(32) {
            let mut chunk = [0; 32];
            chunk[..piece.len()].copy_from_slice(piece);
            bytes.push(chunk)?;
        }
        self.edge.push(mixed(bytes.root(), transaction.len()))
    }

    /// The hash tree root of the list as it is.
    pub fn root(&self) -> B256 {
        mixed(self.edge.root(), self.edge.count).into()
    }
}

impl Default for TransactionsTree {
    fn default() -> Self {
        Self::new()
    }
}

/// The roots of the whole subtrees at the right edge of a tree with 2^`DEPTH` leaves: one for each bit of `count`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edge<const DEPTH: usize> {
    whole: [[u8; 32]; DEPTH],
    /// The root of a tree that is full.
    full: Option<[u8; 32]>,
    count: usize,
}

impl<const DEPTH: usize> Edge<DEPTH> {
    const fn new() -> Self {
        Self {
            whole: [[0; 32]; DEPTH],
            full: None,
            count: 0,
        }
    }

    fn push(&mut self, leaf: [u8; 32]) -> Result<(), TransactionTooLong> {
        if self.full.is_some() {
            return Err(TransactionTooLong);
        }
        let mut node = leaf;
        for (level, whole) in self.whole.iter_mut().enumerate() {
            if (self.count >> level) & 1 == 0 {
                *whole = node;
                self.count += 1;
                return Ok(());
            }
            node = hash32_concat(whole, &node);
        }
        self.full = Some(node);
        self.count += 1;
        Ok(())
    }

    fn root(&self) -> [u8; 32] {
        if let Some(full) = self.full {
            return full;
        }
        let mut node = [0; 32];
        for (level, whole) in self.whole.iter().enumerate() {
            node = if (self.count >> level) & 1 == 1 {
                hash32_concat(whole, &node)
            } else {
                hash32_concat(&node, &ZERO_HASHES[level])
            };
        }
        node
    }
}

/// A list's root of its items' root and its length.
fn mixed(root: [u8; 32], length: usize) -> [u8; 32] {
    let mut chunk = [0; 32];
    chunk[..8].copy_from_slice(&(length as u64).to_le_bytes());
    hash32_concat(&root, &chunk)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tree_hash::TreeHash as _;

    use super::*;
    use crate::{Transaction, Transactions};

    #[test]
    fn every_prefix_has_the_root_of_the_list() {
        let lengths = [
            0, 1, 31, 32, 33, 64, 65, 112, 1_000, 4_096, 5_000, 7, 0, 96, 128, 31, 200,
        ];
        let mut tree = TransactionsTree::new();
        let mut list = Transactions::default();
        assert_eq!(tree.root(), list.tree_hash_root());
        for (position, length) in lengths.into_iter().enumerate() {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 7 + position) as u8).collect();
            tree.push(&bytes).unwrap();
            list.push(Transaction::new(bytes).unwrap()).unwrap();
            assert_eq!(tree.root(), list.tree_hash_root(), "{} items", position + 1);
        }
    }

    #[test]
    fn a_full_tree_takes_no_more() {
        let mut edge = Edge::<2>::new();
        for leaf in 0..4 {
            edge.push([leaf; 32]).unwrap();
        }
        let pair = |left: u8| hash32_concat(&[left; 32], &[left + 1; 32]);
        assert_eq!(edge.root(), hash32_concat(&pair(0), &pair(2)));
        edge.push([4; 32]).unwrap_err();
    }
}
