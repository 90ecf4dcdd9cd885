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

    /// Stands for the reference of a blinded link where only its dirtiness is asked for.
    const BLINDED: Self = Self::hash(B256::ZERO);

    /// A node known by its hash.
    pub(crate) const fn hash(hash: B256) -> Self {
        Self {
            len: 32,
            bytes: hash.0,
        }
    }

    /// The reference of a node with this encoding.
    pub(crate) fn of(rlp: &[u8]) -> Self {
        Self::inline(rlp).unwrap_or_else(|| Self::hash(alloy_primitives::keccak256(rlp)))
    }

    /// The reference of a node with this encoding, unless that is to be hashed.
    pub(crate) fn inline(rlp: &[u8]) -> Option<Self> {
        if rlp.len() >= 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..rlp.len()].copy_from_slice(rlp);
        Some(Self {
            len: rlp.len() as u8,
            bytes,
        })
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
///
/// Leaves stand in their parent's own memory: to copy a branch, as every change of a shared version
/// does, is then mostly a copy of bytes and not of reference counts on as many cold cache lines, and
/// a read ends where its last branch is.
#[derive(Clone, Debug)]
pub(crate) enum Link<L> {
    Leaf(LeafNode<L>, Reference),
    Extension(Arc<Extension<L>>, Reference),
    Branch(Branch<L>, Reference),
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
#[derive(Clone, Debug)]
pub(crate) struct Branch<L> {
    mask: u16,
    children: Arc<[Link<L>]>,
}

impl<L> Link<L> {
    /// Stands where a node was moved out, until its successor is put there.
    pub(crate) const GONE: Self = Self::Blinded(B256::ZERO);

    pub(crate) const fn leaf(path: Nibbles, value: L) -> Self {
        Self::Leaf(LeafNode { path, value }, Reference::DIRTY)
    }

    pub(crate) fn extension(path: Nibbles, child: Self) -> Self {
        Self::Extension(Arc::new(Extension { path, child }), Reference::DIRTY)
    }

    pub(crate) const fn branch(branch: Branch<L>) -> Self {
        Self::Branch(branch, Reference::DIRTY)
    }

    pub(crate) const fn take(&mut self) -> Self {
        std::mem::replace(self, Self::GONE)
    }

    pub(crate) const fn reference(&self) -> &Reference {
        match self {
            Self::Leaf(_, reference)
            | Self::Extension(_, reference)
            | Self::Branch(_, reference) => reference,
            Self::Blinded(_) => &Reference::BLINDED,
        }
    }

    /// The node's hash or its inline RLP.
    pub(crate) const fn settled(&self) -> Reference {
        match self {
            Self::Blinded(hash) => Reference::hash(*hash),
            _ => *self.reference(),
        }
    }

    pub(crate) const fn is_dirty(&self) -> bool {
        self.reference().is_dirty()
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
            Self::Extension(node, _) => Arc::strong_count(node),
            Self::Branch(node, _) => Arc::strong_count(&node.children),
            Self::Leaf(..) | Self::Blinded(_) => 0,
        }
    }
}

impl<L> Branch<L> {
    /// A branch out of its children, which are in nibble order.
    pub(crate) fn new(children: Vec<(u8, Link<L>)>) -> Self {
        let mask = children
            .iter()
            .fold(0, |mask, (nibble, _)| mask | (1 << *nibble));
        Self {
            mask,
            children: children.into_iter().map(|(_, child)| child).collect(),
        }
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

    /// Children with their nibbles, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, &Link<L>)> {
        nibbles(self.mask).zip(self.children.iter())
    }
}

impl<L: Clone> Branch<L> {
    /// The children of a version of this branch that nobody else holds.
    pub(crate) fn children_mut(&mut self) -> &mut [Link<L>] {
        if Arc::get_mut(&mut self.children).is_none() {
            // Up to sixteen reference counts on as many cold cache lines: plain loads overlap, the
            // atomic increments that follow would not.
            black_box(self.children.iter().map(Link::touch).sum::<usize>());
        }
        Arc::make_mut(&mut self.children)
    }

    pub(crate) fn child_mut(&mut self, nibble: u8) -> Option<&mut Link<L>> {
        if self.has(nibble) {
            let position = self.position(nibble);
            self.children_mut().get_mut(position)
        } else {
            None
        }
    }

    /// The children without those whose bits are set in `gone`, and with those of `added`, which
    /// are in order and at free nibbles.
    pub(crate) fn into_children(
        mut self,
        gone: u16,
        added: Vec<(u8, Link<L>)>,
    ) -> Vec<(u8, Link<L>)> {
        let mask = self.mask;
        let mut children = Vec::with_capacity(mask.count_ones() as usize + added.len());
        let mut added = added.into_iter().peekable();
        let mut put = |nibble, child| {
            children.extend(std::iter::from_fn(|| {
                added.next_if(|(other, _)| *other < nibble)
            }));
            if gone & (1 << nibble) == 0 {
                children.push((nibble, child));
            }
        };
        match Arc::get_mut(&mut self.children) {
            Some(own) => nibbles(mask)
                .zip(own.iter_mut().map(Link::take))
                .for_each(|(nibble, child)| put(nibble, child)),
            None => nibbles(mask)
                .zip(self.children.iter().cloned())
                .for_each(|(nibble, child)| put(nibble, child)),
        }
        children.extend(added);
        children
    }
}

/// The nibbles whose bits are set, in order.
fn nibbles(mut mask: u16) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let nibble = mask.trailing_zeros() as u8;
        mask &= mask.checked_sub(1)?;
        Some(nibble)
    })
}
