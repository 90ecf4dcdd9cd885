//! A persistent Merkle-Patricia trie.
//!
//! Nodes are shared between versions by reference count and changed in place where nobody else
//! holds them, so a clone costs nothing and a change costs its path; a batch of changes costs the
//! paths it has, each once. References (hash or inline
//! RLP) are cached beside the pointers; a root encodes only what changed since the last one.

mod change;
mod decode;
mod hash;
mod leaf;
mod link;
mod source;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

use alloy_primitives::B256;
use alloy_trie::EMPTY_ROOT_HASH;
use nybbles::Nibbles;

pub(crate) use change::Change;
use change::{Descent, Edit};
pub(crate) use leaf::{AccountLeaf, Leaf};
use link::Link;
pub use source::{NoNodes, NodeSource, TrieError};

/// One version of a trie with leaves `L`.
#[derive(Clone, Debug)]
pub(crate) struct Trie<L> {
    root: Option<Link<L>>,
    /// Changes since the last root; decides about threads.
    pending: u32,
}

impl<L> Default for Trie<L> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<L> Trie<L> {
    /// Without leaves.
    pub(crate) const EMPTY: Self = Self {
        root: None,
        pending: 0,
    };
}

impl<L: Leaf> Trie<L> {
    /// A trie known by its root hash.
    pub(crate) fn blinded(root: B256) -> Self {
        Self {
            root: (root != EMPTY_ROOT_HASH).then_some(Link::Blinded(root)),
            pending: 0,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Reads the leaf at `key`, if there is one. Blinded nodes on the way are decoded, not kept.
    pub(crate) fn read<T>(
        &self,
        key: &Nibbles,
        source: &dyn NodeSource,
        read: impl FnOnce(&L) -> T,
    ) -> Result<Option<T>, TrieError> {
        let Some(mut link) = self.root.as_ref() else {
            return Ok(None);
        };
        let mut depth = 0;
        loop {
            match link {
                Link::Leaf(leaf, _) => {
                    let found = key.len() >= depth && leaf.path == key.slice(depth..);
                    return Ok(found.then(|| read(&leaf.value)));
                }
                Link::Extension(extension, _) => {
                    if !key.slice(depth..).starts_with(&extension.path) {
                        return Ok(None);
                    }
                    depth += extension.path.len();
                    link = &extension.child;
                }
                Link::Branch(branch, _) => {
                    let nibble = key.get(depth).ok_or(TrieError::KeyLength)?;
                    match branch.child(nibble) {
                        Some(child) => link = child,
                        None => return Ok(None),
                    }
                    depth += 1;
                }
                Link::Blinded(hash) => {
                    let below = Self {
                        root: link.fetch(source)?,
                        pending: 0,
                    };
                    if below.root.is_none() {
                        return Err(TrieError::MissingNode(*hash));
                    }
                    return below.read(&key.slice(depth..), source, read);
                }
            }
        }
    }

    /// Carries out changes of different keys, in any order. Removing an absent key changes and
    /// copies nothing.
    pub(crate) fn apply<E: Edit<L>>(
        &mut self,
        mut changes: Vec<Change<E>>,
        source: &dyn NodeSource,
    ) -> Result<(), TrieError> {
        changes.sort_unstable_by_key(|change| change.key);
        let mut outcome = Ok(());
        changes.retain(|change| {
            !change.edit.removes()
                || match self.read(&change.key, source, |_| ()) {
                    Ok(found) => found.is_some(),
                    Err(error) => {
                        outcome = Err(error);
                        false
                    }
                }
        });
        outcome?;
        if changes.is_empty() {
            return Ok(());
        }
        let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        self.pending = self.pending.saturating_add(count);
        let all = Descent {
            changes: &changes,
            depth: 0,
            source,
        };
        match &mut self.root {
            Some(root) => {
                if !change::apply(root, all)? {
                    self.root = None;
                }
            }
            None => self.root = change::grow(all)?,
        }
        Ok(())
    }

    /// The root hash; encodes what changed since the last call.
    pub(crate) fn root(&mut self) -> B256 {
        let parallel = self.pending >= hash::PARALLEL_CHANGES_MIN;
        self.pending = 0;
        let Some(root) = &mut self.root else {
            return EMPTY_ROOT_HASH;
        };
        let reference = if parallel {
            root.settle_parallel()
        } else {
            root.settle()
        };
        reference.root_hash()
    }

    /// Whether [`root`](Self::root) has nothing to encode.
    pub(crate) fn is_settled(&self) -> bool {
        self.root.as_ref().is_none_or(|root| !root.is_dirty())
    }

    /// The root hash of a settled trie.
    pub(crate) fn settled_root(&self) -> B256 {
        debug_assert!(self.is_settled(), "root of an unsettled trie");
        self.root
            .as_ref()
            .map_or(EMPTY_ROOT_HASH, |root| root.settled().root_hash())
    }
}

const _: () = assert!(
    size_of::<Link<AccountLeaf>>() <= 128,
    "leaves pack accounts"
);
