//! References and roots: encodes what changed, bottom up, on several threads where it is much.

use std::sync::{Arc, OnceLock};

use alloy_rlp::{EMPTY_STRING_CODE, Header};
use nybbles::Nibbles;
use rayon::prelude::*;

use super::leaf::Leaf;
use super::link::{Branch, Link, Reference};

/// How many changes make it worth to wake other threads.
pub(super) const PARALLEL_CHANGES_MIN: u32 = 256;

/// Threads that hash. Bounded, because the builder executes at the same time.
const HASH_THREADS_MAX: usize = 4;

impl<L: Leaf> Link<L> {
    /// The up-to-date reference.
    pub(crate) fn settle(&mut self, scratch: &mut Vec<u8>) -> Reference {
        if !self.reference().is_dirty() {
            return self.reference();
        }
        match self {
            Self::Leaf(leaf, _) => {
                if !leaf.value.is_settled() {
                    Arc::make_mut(leaf).value.settle();
                }
                encode_leaf(leaf.path, &leaf.value, scratch);
            }
            Self::Extension(extension, _) => {
                let extension = Arc::make_mut(extension);
                let child = extension.child.settle(scratch);
                encode_extension(extension.path, &child, scratch);
            }
            Self::Branch(branch, _) => {
                let branch = Arc::make_mut(branch);
                for child in branch.children_mut() {
                    child.settle(scratch);
                }
                encode_branch(branch, scratch);
            }
            Self::Blinded(_) => {}
        }
        let reference = Reference::of(scratch);
        self.set_reference(reference);
        reference
    }

    /// As [`settle`](Self::settle), with the children of a top branch spread over threads.
    pub(crate) fn settle_parallel(&mut self, scratch: &mut Vec<u8>) -> Reference {
        match (&mut *self, hash_pool()) {
            (Self::Extension(extension, Reference { .. }), Some(_)) => {
                Arc::make_mut(extension).child.settle_parallel(scratch);
            }
            (Self::Branch(branch, _), Some(pool)) => {
                let children = Arc::make_mut(branch).children_mut();
                pool.install(|| {
                    children
                        .par_iter_mut()
                        .filter(|child| child.reference().is_dirty())
                        .for_each_init(Vec::new, |scratch, child| {
                            child.settle(scratch);
                        });
                });
            }
            _ => {}
        }
        self.settle(scratch)
    }
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

fn encode_leaf<L: Leaf>(path: Nibbles, value: &L, out: &mut Vec<u8>) {
    let mut encoded_value = Vec::with_capacity(112);
    value.encode(&mut encoded_value);
    let path = alloy_trie::nodes::encode_path_leaf(&path, true);
    out.clear();
    let payload_length = string_len(&path) + string_len(&encoded_value);
    Header {
        list: true,
        payload_length,
    }
    .encode(out);
    encode_string(&path, out);
    encode_string(&encoded_value, out);
}

fn encode_extension(path: Nibbles, child: &Reference, out: &mut Vec<u8>) {
    let path = alloy_trie::nodes::encode_path_leaf(&path, false);
    out.clear();
    let payload_length = string_len(&path) + child.rlp_len();
    Header {
        list: true,
        payload_length,
    }
    .encode(out);
    encode_string(&path, out);
    child.encode(out);
}

fn encode_branch<L>(branch: &Branch<L>, out: &mut Vec<u8>) {
    out.clear();
    // 17 items, each one byte where empty; the last, the value, always is.
    let payload_length = branch
        .iter()
        .fold(17, |sum, (_, child)| sum + child.reference().rlp_len() - 1);
    Header {
        list: true,
        payload_length,
    }
    .encode(out);
    for nibble in 0..16 {
        match branch.child(nibble) {
            Some(child) => child.reference().encode(out),
            None => out.push(EMPTY_STRING_CODE),
        }
    }
    out.push(EMPTY_STRING_CODE);
}

fn string_len(bytes: &[u8]) -> usize {
    alloy_rlp::Encodable::length(bytes)
}

fn encode_string(bytes: &[u8], out: &mut Vec<u8>) {
    alloy_rlp::Encodable::encode(bytes, out);
}
