//! References and roots: encodes what changed, level by level from the bottom, so that nodes of one
//! level are hashed side by side; on several threads where it is much.

use std::sync::{Arc, OnceLock};

use alloy_primitives::B256;
use alloy_rlp::{EMPTY_STRING_CODE, Header};
use nybbles::Nibbles;
use rayon::prelude::*;

use super::leaf::Leaf;
use super::link::{Branch, LeafNode, Link, Reference};
use blockwright_keccak::keccak256_each;

/// How many changes make it worth to wake other threads.
pub(super) const PARALLEL_CHANGES_MIN: u32 = 256;

/// Threads that hash. Bounded, because the builder executes at the same time.
const HASH_THREADS_MAX: usize = 4;

/// Nodes encoded before they are hashed: their bytes stay in the first-level cache.
const GROUP: usize = 64;

impl<L: Leaf> Link<L> {
    /// The up-to-date reference.
    pub(crate) fn settle(&mut self) -> Reference {
        if self.is_dirty() {
            settle_level(&mut [&mut *self], &mut Scratch::default());
        }
        self.settled()
    }

    /// As [`settle`](Self::settle), with the children of a top branch spread over threads.
    pub(crate) fn settle_parallel(&mut self) -> Reference {
        match (&mut *self, hash_pool()) {
            (Self::Extension(extension, _), Some(_)) => {
                Arc::make_mut(extension).child.settle_parallel();
            }
            (Self::Branch(branch, _), Some(pool)) => {
                let children = branch.children_mut();
                pool.install(|| {
                    children
                        .par_iter_mut()
                        .filter(|child| child.is_dirty())
                        .for_each(|child| {
                            child.settle();
                        });
                });
            }
            _ => {}
        }
        self.settle()
    }

    /// Adds the dirty children.
    fn dirty_children<'a>(&'a mut self, to: &mut Vec<&'a mut Self>) {
        match self {
            Self::Branch(branch, _) => {
                let children = branch.children_mut().iter_mut();
                to.extend(children.filter(|child| child.is_dirty()));
            }
            Self::Extension(extension, _) => {
                let child = &mut Arc::make_mut(extension).child;
                to.extend(Some(child).filter(|child| child.is_dirty()));
            }
            Self::Leaf(leaf, _) => {
                if !leaf.value.is_settled() {
                    leaf.value.settle();
                }
            }
            Self::Blinded(_) => {}
        }
    }

    fn encode(&self, scratch: &mut Scratch) {
        match self {
            Self::Leaf(leaf, _) => encode_leaf(leaf, scratch),
            Self::Extension(extension, _) => {
                let child = extension.child.settled();
                encode_extension(extension.path, &child, &mut scratch.rlp);
            }
            Self::Branch(branch, _) => encode_branch(branch, &mut scratch.rlp),
            Self::Blinded(_) => {}
        }
    }
}

/// Buffers that are used again and again.
#[derive(Debug, Default)]
struct Scratch {
    /// Encoded nodes, one behind the other.
    rlp: Vec<u8>,
    value: Vec<u8>,
}

/// An encoded node that is to be hashed.
#[derive(Clone, Copy, Debug)]
struct Encoded {
    node: usize,
    start: usize,
    end: usize,
}

/// Brings dirty nodes up to date, after all that is dirty below them.
fn settle_level<L: Leaf>(nodes: &mut [&mut Link<L>], scratch: &mut Scratch) {
    let mut below = Vec::new();
    for node in &mut *nodes {
        node.dirty_children(&mut below);
    }
    if !below.is_empty() {
        settle_level(&mut below, scratch);
    }
    for group in nodes.chunks_mut(GROUP) {
        settle_group(group, scratch);
    }
}

fn settle_group<L: Leaf>(nodes: &mut [&mut Link<L>], scratch: &mut Scratch) {
    scratch.rlp.clear();
    let mut encoded = Vec::with_capacity(nodes.len());
    for (node, link) in nodes.iter_mut().enumerate() {
        let start = scratch.rlp.len();
        link.encode(scratch);
        let end = scratch.rlp.len();
        match Reference::inline(&scratch.rlp[start..]) {
            Some(reference) => link.set_reference(reference),
            None => encoded.push(Encoded { node, start, end }),
        }
    }
    encoded.sort_unstable_by_key(|encoded| encoded.end - encoded.start);
    let messages: Vec<&[u8]> = encoded
        .iter()
        .map(|encoded| &scratch.rlp[encoded.start..encoded.end])
        .collect();
    keccak256_each(&messages, |message, hash: B256| {
        nodes[encoded[message].node].set_reference(Reference::hash(hash));
    });
}

/// The shared pool; `None` on one core or where threads cannot be started.
fn hash_pool() -> Option<&'static rayon::ThreadPool> {
    static POOL: OnceLock<Option<rayon::ThreadPool>> = OnceLock::new();
    POOL.get_or_init(|| {
        let threads = std::thread::available_parallelism()
            .map_or(1, std::num::NonZero::get)
            .min(HASH_THREADS_MAX);
        if threads < 2 {
            return None;
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("trie-hash-{index}"))
            .build()
            .inspect_err(|error| tracing::warn!(%error, "hashing on one thread"))
            .ok()
    })
    .as_ref()
}

fn encode_leaf<L: Leaf>(leaf: &LeafNode<L>, scratch: &mut Scratch) {
    let Scratch { rlp, value } = scratch;
    value.clear();
    leaf.value.encode(value);
    let path = alloy_trie::nodes::encode_path_leaf(&leaf.path, true);
    let payload_length = string_len(&path) + string_len(value);
    encode_list_header(payload_length, rlp);
    encode_string(&path, rlp);
    encode_string(value, rlp);
}

fn encode_extension(path: Nibbles, child: &Reference, out: &mut Vec<u8>) {
    let path = alloy_trie::nodes::encode_path_leaf(&path, false);
    encode_list_header(string_len(&path) + child.rlp_len(), out);
    encode_string(&path, out);
    child.encode(out);
}

fn encode_branch<L>(branch: &Branch<L>, out: &mut Vec<u8>) {
    // 17 items, each one byte where empty; the last, the value, always is.
    let payload_length = branch
        .iter()
        .fold(17, |sum, (_, child)| sum + child.settled().rlp_len() - 1);
    encode_list_header(payload_length, out);
    let mut next = 0;
    for (nibble, child) in branch.iter() {
        out.extend((next..nibble).map(|_| EMPTY_STRING_CODE));
        child.settled().encode(out);
        next = nibble + 1;
    }
    out.extend((next..17).map(|_| EMPTY_STRING_CODE));
}

fn encode_list_header(payload_length: usize, out: &mut Vec<u8>) {
    Header {
        list: true,
        payload_length,
    }
    .encode(out);
}

fn string_len(bytes: &[u8]) -> usize {
    alloy_rlp::Encodable::length(bytes)
}

fn encode_string(bytes: &[u8], out: &mut Vec<u8>) {
    alloy_rlp::Encodable::encode(bytes, out);
}
