//! Where nodes known only by their hash come from.

use alloy_primitives::map::B256Map;
use alloy_primitives::{B256, Bytes};

/// Gives the RLP of trie nodes by hash. A trie that was built in memory never asks; one that was
/// loaded from a witness, a set of preimages or a store does.
pub trait NodeSource: Send + Sync {
    /// The RLP whose keccak256 is `hash`, if known. The trie trusts the answer.
    fn node(&self, hash: &B256) -> Option<Bytes>;
}

/// Knows no node: the source of tries that are wholly in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNodes;

impl NodeSource for NoNodes {
    fn node(&self, _hash: &B256) -> Option<Bytes> {
        None
    }
}

/// A set of preimages.
impl NodeSource for B256Map<Bytes> {
    fn node(&self, hash: &B256) -> Option<Bytes> {
        self.get(hash).cloned()
    }
}

/// Why a trie operation failed. The trie must be discarded after a failed change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrieError {
    /// The source does not know a node on the way.
    #[error("trie node {0} is missing")]
    MissingNode(B256),
    /// A node's bytes are not a trie node of this kind of trie.
    #[error("trie node {hash} is malformed: {reason}")]
    MalformedNode {
        /// Its hash.
        hash: B256,
        /// What is wrong with it.
        reason: String,
    },
    /// A node's path is longer than the keys of the trie, or a key ends inside the trie.
    #[error("a path in the trie does not fit its keys")]
    KeyLength,
}
