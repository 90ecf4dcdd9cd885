//! The trie of a block's transactions or receipts, grown one item at a time.

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::Encodable as _;
use alloy_trie::nodes::{BranchNodeRef, ExtensionNodeRef, LeafNodeRef, RlpNode};
use alloy_trie::{EMPTY_ROOT_HASH, TrieMask};
use blockwright_keccak::keccak256_each;
use nybbles::Nibbles;

/// Index of a node in [`OrderedTrie::nodes`].
type NodeId = u32;
const NONE: NodeId = NodeId::MAX;

/// Items after which the trie is settled without being asked, so that a root never has more than
/// these to hash. What is hashed twice for it is the path to the newest item.
const SETTLE_EVERY: usize = 512;

/// Nodes encoded before they are hashed: their bytes stay in the first-level cache.
const GROUP: usize = 64;

#[derive(Clone, Debug)]
enum Kind {
    Leaf { path: Nibbles, item: usize },
    Extension { path: Nibbles, child: NodeId },
    Branch { children: [NodeId; 16] },
}

#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    /// Encoding (or its hash) as the parent refers to it; `None` where something below changed.
    rlp: Option<RlpNode>,
}

/// Merkle-Patricia trie from `rlp(index)` to items, append-only.
///
/// Appending clears the cached encodings on one path; settling hashes what is cleared and nothing
/// else, so the root of a growing block costs what was added since the last one.
#[derive(Clone, Debug, Default)]
pub struct OrderedTrie {
    nodes: Vec<Node>,
    /// Items stay: a leaf is encoded again when its path shortens.
    items: Vec<Bytes>,
    /// Items since the last settling.
    unsettled: usize,
    buffer: Vec<u8>,
}

impl OrderedTrie {
    /// Appends an item (its EIP-2718 encoding).
    pub fn push(&mut self, item: Bytes) {
        let index = self.items.len();
        self.items.push(item);
        let path = Nibbles::unpack(alloy_rlp::encode_fixed_size(&index));
        if self.nodes.is_empty() {
            self.add(Kind::Leaf { path, item: index });
        } else {
            self.insert(path, index);
        }
        self.unsettled += 1;
        if self.unsettled >= SETTLE_EVERY {
            self.settle();
        }
    }

    /// Root of all items so far.
    pub fn root(&mut self) -> B256 {
        if self.nodes.is_empty() {
            return EMPTY_ROOT_HASH;
        }
        self.settle();
        let root = self.settled(0);
        root.as_hash().unwrap_or_else(|| keccak256(root))
    }

    fn add(&mut self, kind: Kind) -> NodeId {
        let id = self.nodes.len() as NodeId;
        self.nodes.push(Node { kind, rlp: None });
        id
    }

    /// Walks down from the root (always node 0) to where `path` leaves the trie.
    fn insert(&mut self, mut path: Nibbles, item: usize) {
        let mut at: NodeId = 0;
        loop {
            let node = &mut self.nodes[at as usize];
            node.rlp = None;
            match node.kind.clone() {
                Kind::Branch { mut children } => {
                    let nibble = nibble(&path, 0);
                    let rest = path.slice(1..);
                    if children[nibble] == NONE {
                        children[nibble] = self.add(Kind::Leaf { path: rest, item });
                        self.nodes[at as usize].kind = Kind::Branch { children };
                        return;
                    }
                    at = children[nibble];
                    path = rest;
                }
                Kind::Extension {
                    path: shared,
                    child,
                } => {
                    let common = shared.common_prefix_length(&path);
                    if common == shared.len() {
                        at = child;
                        path = path.slice(common..);
                        continue;
                    }
                    let rest = shared.slice(common + 1..);
                    let below = if rest.is_empty() {
                        child
                    } else {
                        self.add(Kind::Extension { path: rest, child })
                    };
                    return self.fork(at, &shared, below, (path, item));
                }
                Kind::Leaf {
                    path: old,
                    item: old_item,
                } => {
                    let common = old.common_prefix_length(&path);
                    let below = self.add(Kind::Leaf {
                        path: old.slice(common + 1..),
                        item: old_item,
                    });
                    return self.fork(at, &old, below, (path, item));
                }
            }
        }
    }

    /// Puts a branch where `old` (whose remainder is `below`) and the new leaf's path part.
    fn fork(&mut self, at: NodeId, old: &Nibbles, below: NodeId, (path, item): (Nibbles, usize)) {
        let common = old.common_prefix_length(&path);
        let leaf = self.add(Kind::Leaf {
            path: path.slice(common + 1..),
            item,
        });
        let mut children = [NONE; 16];
        children[nibble(old, common)] = below;
        children[nibble(&path, common)] = leaf;
        let branch = Kind::Branch { children };
        self.nodes[at as usize].kind = if common == 0 {
            branch
        } else {
            let child = self.add(branch);
            Kind::Extension {
                path: path.slice(..common),
                child,
            }
        };
    }

    /// Encodes and hashes what is cleared, level by level from the bottom, so that nodes of one
    /// level are hashed side by side.
    fn settle(&mut self) {
        let mut levels: Vec<Vec<NodeId>> = Vec::new();
        let mut level: Vec<NodeId> = (!self.nodes.is_empty()).then_some(0).into_iter().collect();
        level.retain(|id| self.is_cleared(*id));
        // As many levels as a key has nibbles: at most 18, and 6 for a million items.
        while !level.is_empty() {
            let below = level.iter().flat_map(|id| self.children(*id));
            let below = below.filter(|id| self.is_cleared(*id)).collect();
            levels.push(std::mem::replace(&mut level, below));
        }
        for level in levels.iter().rev() {
            for group in level.chunks(GROUP) {
                self.settle_group(group);
            }
        }
        self.unsettled = 0;
    }

    fn is_cleared(&self, id: NodeId) -> bool {
        self.nodes[id as usize].rlp.is_none()
    }

    fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let (one, many) = match &self.nodes[id as usize].kind {
            Kind::Leaf { .. } => (None, None),
            Kind::Extension { child, .. } => (Some(*child), None),
            Kind::Branch { children } => (None, Some(*children)),
        };
        let many = many.into_iter().flatten().filter(|child| *child != NONE);
        one.into_iter().chain(many)
    }

    /// Nodes whose children are settled.
    fn settle_group(&mut self, group: &[NodeId]) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut hashed = Vec::with_capacity(group.len());
        for id in group {
            let start = buffer.len();
            self.encode(*id, &mut buffer);
            if buffer.len() - start < 32 {
                let inline = RlpNode::from_rlp(&buffer[start..]);
                self.nodes[*id as usize].rlp = Some(inline);
            } else {
                hashed.push((*id, start..buffer.len()));
            }
        }
        hashed.sort_unstable_by_key(|(_, range)| range.len());
        let messages: Vec<&[u8]> = hashed
            .iter()
            .map(|(_, range)| &buffer[range.clone()])
            .collect();
        keccak256_each(&messages, |message, hash| {
            let (id, _) = &hashed[message];
            self.nodes[*id as usize].rlp = Some(RlpNode::word_rlp(&hash));
        });
        self.buffer = buffer;
    }

    fn encode(&self, id: NodeId, out: &mut Vec<u8>) {
        match &self.nodes[id as usize].kind {
            Kind::Leaf { path, item } => LeafNodeRef::new(path, &self.items[*item]).encode(out),
            Kind::Extension { path, child } => {
                ExtensionNodeRef::new(path, self.settled(*child)).encode(out);
            }
            Kind::Branch { children } => {
                let mut stack = Vec::with_capacity(children.len());
                let mut mask = TrieMask::default();
                for (nibble, child) in (0u8..).zip(children) {
                    if *child != NONE {
                        stack.push(self.settled(*child).clone());
                        mask.set_bit(nibble);
                    }
                }
                BranchNodeRef::new(&stack, mask).encode(out);
            }
        }
    }

    fn settled(&self, id: NodeId) -> &RlpNode {
        let rlp = self.nodes[id as usize].rlp.as_ref();
        rlp.expect("levels are settled from the bottom")
    }
}

/// The nibble at `position`. RLP-encoded indices are prefix-free, so a path never ends where another
/// one still branches.
fn nibble(path: &Nibbles, position: usize) -> usize {
    usize::from(path.get(position).expect("RLP indices are prefix-free"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_trie::root::ordered_trie_root_encoded;

    fn item(index: usize, length: usize) -> Bytes {
        Bytes::from(
            (0..length)
                .map(|i| (index * 31 + i) as u8)
                .collect::<Vec<_>>(),
        )
    }

    /// After every single item up to 600, so across 0x7f/0x80 and 0xff/0x100.
    #[test]
    fn every_length_agrees_with_the_root_from_scratch() {
        for length in [1, 20, 40, 200] {
            let mut trie = OrderedTrie::default();
            let mut items = Vec::new();
            assert_eq!(trie.root(), EMPTY_ROOT_HASH);
            for index in 0..600 {
                let item = item(index, length);
                items.push(item.clone());
                trie.push(item);
                if index < 300 || index % 37 == 0 {
                    assert_eq!(trie.root(), ordered_trie_root_encoded(&items), "{index}");
                }
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            cases: 24,
            rng_seed: proptest::test_runner::RngSeed::Fixed(1),
            failure_persistence: None,
            ..Default::default()
        })]
        /// Roots taken at random places, item lengths mixed: what is cached never goes stale.
        #[test]
        fn roots_at_random_cuts_agree(
            lengths in proptest::collection::vec(0usize..120, 1..700),
            cuts in proptest::collection::vec(0usize..700, 0..12),
        ) {
            let mut trie = OrderedTrie::default();
            let mut items = Vec::new();
            for (index, length) in lengths.iter().enumerate() {
                let item = item(index, *length);
                items.push(item.clone());
                trie.push(item);
                if cuts.contains(&index) {
                    proptest::prop_assert_eq!(trie.root(), ordered_trie_root_encoded(&items));
                }
            }
            proptest::prop_assert_eq!(trie.root(), ordered_trie_root_encoded(&items));
        }
    }

    #[test]
    fn a_root_hashes_only_what_is_new() {
        let mut trie = OrderedTrie::default();
        for index in 0..5_000 {
            trie.push(item(index, 100));
        }
        let cleared = trie.nodes.iter().filter(|node| node.rlp.is_none()).count();
        assert!(cleared <= 2 * SETTLE_EVERY, "{cleared} nodes to hash");
        trie.root();
        trie.push(item(5_000, 100));
        let cleared = trie.nodes.iter().filter(|node| node.rlp.is_none()).count();
        assert!(cleared <= 8, "{cleared} nodes to hash after one item");
    }
}
