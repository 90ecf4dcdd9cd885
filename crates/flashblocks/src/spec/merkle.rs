//! Hash tree roots of lists that are far from full.
//!
//! A list's tree is as deep as its limit asks for, whatever it holds: twenty levels above a list of
//! slots, twenty-five above a transaction's bytes. The generic hasher climbs them one heap-held
//! node at a time, also above nothing. Most accounts change no slot and most transactions are short,
//! so these levels are most of the work.

use alloy_primitives::B256;
use ethereum_hashing::{ZERO_HASHES, hash32_concat};
use ssz_types::VariableList;
use ssz_types::typenum::Unsigned;
use tree_hash::{TreeHash, merkle_root, mix_in_length};

/// Root of a list of bytes of which there may be `bytes_max`.
pub(crate) fn bytes_root(bytes: &[u8], bytes_max: usize) -> B256 {
    let depth = depth(bytes_max.div_ceil(32));
    if bytes.is_empty() {
        return mix_in_length(&zeros(depth), 0);
    }
    let chunks = bytes.len().div_ceil(32);
    let mut root = merkle_root(bytes, chunks);
    for level in self::depth(chunks)..depth {
        root = B256::new(hash32_concat(root.as_slice(), zeros(level).as_slice()));
    }
    mix_in_length(&root, bytes.len())
}

/// Root of a list of items that are no basic values.
pub(crate) fn list_root<T: TreeHash, N: Unsigned>(list: &VariableList<T, N>) -> B256 {
    if list.is_empty() {
        mix_in_length(&zeros(depth(N::to_usize())), 0)
    } else {
        list.tree_hash_root()
    }
}

/// Levels above the leaves of a tree that has room for `leaves`, of which there is one at least.
const fn depth(leaves: usize) -> usize {
    leaves.next_power_of_two().trailing_zeros() as usize
}

/// Root of a tree of this depth that contains nothing.
fn zeros(depth: usize) -> B256 {
    B256::from_slice(&ZERO_HASHES[depth])
}
