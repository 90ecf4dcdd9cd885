//! Hash tree roots, in far fewer steps than the generic hasher takes.
//!
//! A list's tree is as deep as its limit asks for, whatever it holds: twenty levels above a list of
//! slots, twenty-five above a transaction's bytes. The generic hasher climbs them one heap-held
//! node at a time, also above nothing. Most accounts change no slot and most transactions are short,
//! so these levels are most of the work. Where a builder signs, a flashblock waits for its hash; so the
//! items of long lists are hashed side by side.

use alloy_primitives::B256;
use ethereum_hashing::{ZERO_HASHES, hash_fixed};
use rayon::prelude::*;
use ssz_types::typenum::Unsigned;
use ssz_types::{ListEncodedOption, VariableList};
use tree_hash::TreeHash;

/// Items whose subtree one thread makes, as a power of two: about half a millisecond's work.
const SIDE_BY_SIDE_LOG2: usize = 6;
const SIDE_BY_SIDE: usize = 1 << SIDE_BY_SIDE_LOG2;
/// Chunks of bytes for which no memory is asked for.
const CHUNKS_ON_STACK: usize = 16;

type Node = [u8; 32];

/// Root of a list of bytes of which there may be `bytes_max`.
pub(crate) fn bytes_root(bytes: &[u8], bytes_max: usize) -> B256 {
    let depth = depth(bytes_max.div_ceil(32));
    let count = bytes.len().div_ceil(32);
    let mut on_stack = [[0; 32]; CHUNKS_ON_STACK];
    let mut on_heap = Vec::new();
    let chunks = if count <= CHUNKS_ON_STACK {
        &mut on_stack[..count]
    } else {
        on_heap.resize(count, [0; 32]);
        &mut on_heap[..]
    };
    for (chunk, bytes) in chunks.iter_mut().zip(bytes.chunks(32)) {
        chunk[..bytes.len()].copy_from_slice(bytes);
    }
    with_length(tree_root(chunks, 0, depth), bytes.len())
}

/// Root of a list of items that are no basic values.
pub(crate) fn list_root<T: TreeHash + Sync, N: Unsigned>(list: &VariableList<T, N>) -> B256 {
    let items: &[T] = list;
    let depth = depth(N::to_usize());
    let root = if items.len() > SIDE_BY_SIDE {
        let subtree = |items: &[T]| tree_root(&mut roots(items), 0, SIDE_BY_SIDE_LOG2);
        let mut subtrees: Vec<Node> = items.par_chunks(SIDE_BY_SIDE).map(subtree).collect();
        tree_root(&mut subtrees, SIDE_BY_SIDE_LOG2, depth)
    } else {
        tree_root(&mut roots(items), 0, depth)
    };
    with_length(root, items.len())
}

/// Root of a list of at most one item.
pub(crate) fn optional_root<T: TreeHash>(optional: &ListEncodedOption<T>) -> B256 {
    let root = optional.as_ref().map(TreeHash::tree_hash_root);
    with_length(
        root.unwrap_or_default().0,
        usize::from(optional.as_ref().is_some()),
    )
}

/// Root of a container with these roots of its fields.
pub(crate) fn fields_root<const FIELDS: usize>(fields: [B256; FIELDS]) -> B256 {
    let mut fields = fields.map(|root| root.0);
    B256::new(tree_root(&mut fields, 0, depth(FIELDS)))
}

fn roots<T: TreeHash>(items: &[T]) -> Vec<Node> {
    let roots = items.iter().map(TreeHash::tree_hash_root);
    roots.map(|root| root.0).collect()
}

/// Levels above the leaves of a tree that has room for `leaves`, of which there is one at least.
const fn depth(leaves: usize) -> usize {
    leaves.next_power_of_two().trailing_zeros() as usize
}

/// Root, at the level `to`, of a tree whose first nodes at the level `from` these are; behind them
/// it contains nothing. The nodes are used up.
fn tree_root(nodes: &mut [Node], from: usize, to: usize) -> Node {
    let mut count = nodes.len();
    if count == 0 {
        return ZERO_HASHES[to];
    }
    for nothing in &ZERO_HASHES[from..to] {
        for pair in 0..count.div_ceil(2) {
            let left = nodes[2 * pair];
            let right = if 2 * pair + 1 < count {
                nodes[2 * pair + 1]
            } else {
                *nothing
            };
            nodes[pair] = pair_root(&left, &right);
        }
        count = count.div_ceil(2);
    }
    nodes[0]
}

fn with_length(root: Node, length: usize) -> B256 {
    let mut chunk = [0; 32];
    chunk[..8].copy_from_slice(&(length as u64).to_le_bytes());
    B256::new(pair_root(&root, &chunk))
}

fn pair_root(left: &Node, right: &Node) -> Node {
    let mut block = [0; 64];
    block[..32].copy_from_slice(left);
    block[32..].copy_from_slice(right);
    hash_fixed(&block)
}
