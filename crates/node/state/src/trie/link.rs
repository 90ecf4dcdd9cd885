//! Nodes and the links between them.

use std::hint::black_box;
use std::sync::Arc;

use alloy_primitives::B256;
use nybbles::Nibbles;

/// How a node stands in its parent's RLP: its hash, or the node itself where that is shorter than
/// 32 bytes. Kept beside the pointer, so that a branch is encoded without touching its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// 0: not computed since the node changed; 32: `bytes` is a hash; else the length of the
    /// inline RLP.
    len: u8,
    bytes: [u8; 32],
}

impl Reference {
    /// The node changed and must be encoded again.
    pub(crate) const DIRTY: Self = Self {
        len: 0,
        bytes: [0; 32],
    };

    /// A node known by its hash.
    pub(crate) const fn hash(hash: B256) -> Self {
        Self {
            len: 32,
            bytes: hash.0,
        }
    }

    /// The reference of a node with this encoding.
    pub(crate) fn of(rlp: &[u8]) -> Self {
        if rlp.len() < 32 {
            let mut bytes = [0; 32];
            bytes[..rlp.len()].copy_from_slice(rlp);
            Self {
                len: rlp.len() as u8,
                bytes,
            }
        } else {
            Self::hash(alloy_primitives::keccak256(rlp))
        }
    }

    pub(crate) const fn is_dirty(&self) -> bool {
        self.len == 0
    }

    pub(crate) const fn as_hash(&self) -> Option<B256> {
        if self.len == 32 {
            Some(B256::new(self.bytes))
        } else {
            None
        }
    }

    /// The hash of the node, also where it is small enough to be inlined (as a root is never).
    pub(crate) fn root_hash(&self) -> B256 {
        self.as_hash()
            .unwrap_or_else(|| alloy_primitives::keccak256(&self.bytes[..usize::from(self.len)]))
    }

    /// Bytes this reference takes in the parent's RLP.
    pub(crate) const fn rlp_len(&self) -> usize {
        if self.len == 32 {
            33
        } else {
            self.len as usize
        }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        if self.len == 32 {
            out.push(alloy_rlp::EMPTY_STRING_CODE + 32);
        }
        out.extend_from_slice(&self.bytes[..usize::from(self.len)]);
    }
}

/// A link from a parent to a node.
#[derive(Clone, Debug)]
pub(crate) enum Link<L> {
    Leaf(Arc<LeafNode<L>>, Reference),
    Extension(Arc<Extension<L>>, Reference),
    Branch(Arc<Branch<L>>, Reference),
    /// Known by hash only.
    Blinded(B256),
}

/// The rest of a key and its value.
#[derive(Clone, Debug)]
pub(crate) struct LeafNode<L> {
    pub(crate) path: Nibbles,
    pub(crate) value: L,
}

/// A shared stretch of path above a branch.
#[derive(Clone, Debug)]
pub(crate) struct Extension<L> {
    pub(crate) path: Nibbles,
    pub(crate) child: Link<L>,
}

/// Two to sixteen children, packed in nibble order.
#[derive(Debug)]
pub(crate) struct Branch<L> {
    mask: u16,
    children: Vec<Link<L>>,
}

impl<L> Link<L> {
    /// Stands where a node was moved out, until its successor is put there.
    pub(crate) const GONE: Self = Self::Blinded(B256::ZERO);

    pub(crate) fn leaf(path: Nibbles, value: L) -> Self {
        Self::Leaf(Arc::new(LeafNode { path, value }), Reference::DIRTY)
    }

    pub(crate) fn extension(path: Nibbles, child: Self) -> Self {
        Self::Extension(Arc::new(Extension { path, child }), Reference::DIRTY)
    }

    pub(crate) fn branch(branch: Branch<L>) -> Self {
        Self::Branch(Arc::new(branch), Reference::DIRTY)
    }

    pub(crate) const fn reference(&self) -> Reference {
        match self {
            Self::Leaf(_, reference)
            | Self::Extension(_, reference)
            | Self::Branch(_, reference) => *reference,
            Self::Blinded(hash) => Reference::hash(*hash),
        }
    }

    /// Replaces the cached reference; a blinded link keeps its hash.
    pub(crate) const fn set_reference(&mut self, to: Reference) {
        match self {
            Self::Leaf(_, reference)
            | Self::Extension(_, reference)
            | Self::Branch(_, reference) => *reference = to,
            Self::Blinded(_) => {}
        }
    }

    pub(crate) const fn mark_dirty(&mut self) {
        self.set_reference(Reference::DIRTY);
    }

    /// A number that depends on the node's reference count: reading it brings the count's cache
    /// line near.
    fn touch(&self) -> usize {
        match self {
            Self::Leaf(node, _) => Arc::strong_count(node),
            Self::Extension(node, _) => Arc::strong_count(node),
            Self::Branch(node, _) => Arc::strong_count(node),
            Self::Blinded(_) => 0,
        }
    }
}

impl<L> Clone for Branch<L>
where
    L: Clone,
{
    fn clone(&self) -> Self {
        // Sixteen reference counts on sixteen cold cache lines: plain loads overlap, the atomic
        // increments that follow would not.
        black_box(self.children.iter().map(Link::touch).sum::<usize>());
        let mut children = Vec::with_capacity(self.children.len());
        children.extend(self.children.iter().cloned());
        Self {
            mask: self.mask,
            children,
        }
    }
}

impl<L> Branch<L> {
    pub(crate) const fn new() -> Self {
        Self {
            mask: 0,
            children: Vec::new(),
        }
    }

    /// A branch with two children at different nibbles.
    pub(crate) fn pair(first: (u8, Link<L>), second: (u8, Link<L>)) -> Self {
        let mut branch = Self {
            mask: 0,
            children: Vec::with_capacity(2),
        };
        branch.put(first.0, first.1);
        branch.put(second.0, second.1);
        branch
    }

    const fn has(&self, nibble: u8) -> bool {
        self.mask & (1 << nibble) != 0
    }

    const fn position(&self, nibble: u8) -> usize {
        (self.mask & ((1 << nibble) - 1)).count_ones() as usize
    }

    pub(crate) fn child(&self, nibble: u8) -> Option<&Link<L>> {
        if self.has(nibble) {
            self.children.get(self.position(nibble))
        } else {
            None
        }
    }

    pub(crate) fn child_mut(&mut self, nibble: u8) -> Option<&mut Link<L>> {
        if self.has(nibble) {
            let position = self.position(nibble);
            self.children.get_mut(position)
        } else {
            None
        }
    }

    /// Puts `link` at `nibble`, which must be free.
    pub(crate) fn put(&mut self, nibble: u8, link: Link<L>) {
        debug_assert!(!self.has(nibble), "nibble {nibble} is taken");
        let position = self.position(nibble);
        if self.children.len() == self.children.capacity() {
            self.children.reserve_exact(1);
        }
        self.children.insert(position, link);
        self.mask |= 1 << nibble;
    }

    /// Removes the child at `nibble`.
    pub(crate) fn take(&mut self, nibble: u8) {
        if self.has(nibble) {
            let position = self.position(nibble);
            self.children.remove(position);
            self.mask &= !(1 << nibble);
        }
    }

    /// Takes the child out of a branch that has one left.
    pub(crate) fn take_only(&mut self) -> Option<(u8, Link<L>)> {
        if self.children.len() != 1 {
            return None;
        }
        let nibble = self.mask.trailing_zeros() as u8;
        self.mask = 0;
        self.children.pop().map(|link| (nibble, link))
    }

    pub(crate) fn children_mut(&mut self) -> &mut [Link<L>] {
        &mut self.children
    }

    /// Children with their nibbles, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, &Link<L>)> {
        (0..16u8).filter_map(|nibble| self.child(nibble).map(|link| (nibble, link)))
    }
}
