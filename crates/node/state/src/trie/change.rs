//! Insertion and removal of sorted batches: every path is walked, and every node copied, once.

use std::sync::Arc;

use alloy_primitives::B256;
use nybbles::Nibbles;

use super::leaf::Leaf;
use super::link::{Branch, LeafNode, Link};
use super::source::{NodeSource, TrieError};

/// What becomes of a leaf.
pub(crate) trait Edit<L> {
    /// Whether the leaf goes.
    fn removes(&self) -> bool;

    /// Changes a leaf that stays; a new one starts at its default.
    fn edit(&self, leaf: &mut L, source: &dyn NodeSource) -> Result<(), TrieError>;
}

/// An edit of the leaf at `key`.
#[derive(Clone, Debug)]
pub(crate) struct Change<E> {
    pub(crate) key: Nibbles,
    pub(crate) edit: E,
}

impl<E> Change<E> {
    pub(crate) const fn hashed(key: &B256, edit: E) -> Self {
        let key = Nibbles::unpack_array(&key.0);
        Self { key, edit }
    }
}

/// Changes on their way down: sorted by key, at least one, equal in the first `depth` nibbles,
/// which are behind them. A leaf that is to be removed exists.
pub(super) struct Descent<'a, E> {
    pub(super) changes: &'a [Change<E>],
    pub(super) depth: usize,
    pub(super) source: &'a dyn NodeSource,
}

impl<E> Clone for Descent<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Descent<'_, E> {}

impl<'a, E> Descent<'a, E> {
    fn rest(&self, change: &Change<E>) -> Nibbles {
        change.key.slice(self.depth..)
    }

    const fn down(mut self, nibbles: usize) -> Self {
        self.depth += nibbles;
        self
    }

    /// How much of `path` all changes share.
    fn common(&self, path: &Nibbles) -> usize {
        // Whatever lies between the first and the last shares what both share.
        let ends = self.changes.first().into_iter().chain(self.changes.last());
        ends.map(|change| self.rest(change).common_prefix_length(path))
            .min()
            .unwrap_or_default()
    }

    /// The changes below each child of a branch here.
    fn by_nibble(self) -> impl Iterator<Item = Result<(u8, Self), TrieError>> {
        let mut changes = self.changes;
        std::iter::from_fn(move || {
            let first = changes.first()?;
            let Some(nibble) = first.key.get(self.depth) else {
                changes = &[];
                return Some(Err(TrieError::KeyLength));
            };
            let same = |change: &Change<E>| change.key.get(self.depth) == Some(nibble);
            let end = match changes.last() {
                Some(last) if same(last) => changes.len(),
                _ => changes.partition_point(same),
            };
            let (below, others) = changes.split_at(end);
            changes = others;
            let below = Self {
                changes: below,
                ..self
            };
            Some(Ok((nibble, below.down(1))))
        })
    }
}

/// Carries changes out below `link`. Returns whether anything is left of it; if not, the caller has
/// to drop it.
pub(super) fn apply<L: Leaf, E: Edit<L>>(
    link: &mut Link<L>,
    at: Descent<'_, E>,
) -> Result<bool, TrieError> {
    link.reveal(at.source)?;
    let remains = match link {
        Link::Leaf(leaf, _) => match at.changes {
            [change] if at.rest(change) == leaf.path => {
                if change.edit.removes() {
                    return Ok(false);
                }
                change.edit.edit(&mut leaf.value, at.source)?;
                true
            }
            _ => apply_beside_leaf(link, at)?,
        },
        Link::Extension(extension, _) => {
            let common = at.common(&extension.path);
            if common == extension.path.len() {
                apply_below_extension(link, at)?
            } else {
                let path = extension.path;
                let child = extension.child.clone();
                *link = split(&path, common, child)?;
                let remains = apply_to_branch(link, at.down(common))?;
                if remains && common > 0 {
                    *link = prepend(path.slice(..common), link.take())?;
                }
                remains
            }
        }
        Link::Branch(..) => apply_to_branch(link, at)?,
        Link::Blinded(hash) => return Err(TrieError::MissingNode(*hash)),
    };
    link.mark_dirty();
    Ok(remains)
}

/// New leaves for all changes that leave one, as a node of their own.
pub(super) fn grow<L: Leaf, E: Edit<L>>(at: Descent<'_, E>) -> Result<Option<Link<L>>, TrieError> {
    let mut leaves = Vec::with_capacity(at.changes.len());
    for change in at.changes {
        if !change.edit.removes() {
            let mut leaf = LeafNode {
                path: at.rest(change),
                value: L::default(),
            };
            change.edit.edit(&mut leaf.value, at.source)?;
            leaves.push(leaf);
        }
    }
    assemble(&mut leaves)
}

/// The changes meet a single leaf: it takes its place among the new ones.
fn apply_beside_leaf<L: Leaf, E: Edit<L>>(
    link: &mut Link<L>,
    at: Descent<'_, E>,
) -> Result<bool, TrieError> {
    let Link::Leaf(old, _) = link.take() else {
        return Ok(false);
    };
    let mut old = Some(old);
    let mut leaves = Vec::with_capacity(at.changes.len() + 1);
    for change in at.changes {
        let path = at.rest(change);
        leaves.extend(old.take_if(|old| old.path < path));
        let found = old.take_if(|old| old.path == path);
        if !change.edit.removes() {
            let mut leaf = found.unwrap_or_else(|| LeafNode {
                path,
                value: L::default(),
            });
            change.edit.edit(&mut leaf.value, at.source)?;
            leaves.push(leaf);
        }
    }
    leaves.extend(old);
    let Some(node) = assemble(&mut leaves)? else {
        return Ok(false);
    };
    *link = node;
    Ok(true)
}

fn apply_below_extension<L: Leaf, E: Edit<L>>(
    link: &mut Link<L>,
    at: Descent<'_, E>,
) -> Result<bool, TrieError> {
    let Link::Extension(extension, _) = link else {
        return Ok(true);
    };
    let extension = Arc::make_mut(extension);
    let path = extension.path;
    if !apply(&mut extension.child, at.down(path.len()))? {
        return Ok(false);
    }
    if matches!(extension.child, Link::Leaf(..) | Link::Extension(..)) {
        *link = prepend(path, extension.child.take())?;
    }
    Ok(true)
}

fn apply_to_branch<L: Leaf, E: Edit<L>>(
    link: &mut Link<L>,
    at: Descent<'_, E>,
) -> Result<bool, TrieError> {
    let Link::Branch(branch, _) = link else {
        return Ok(true);
    };
    let mut added = Vec::new();
    let mut gone = 0u16;
    for below in at.by_nibble() {
        let (nibble, below) = below?;
        match branch.child_mut(nibble) {
            Some(child) => {
                if !apply(child, below)? {
                    gone |= 1 << nibble;
                }
            }
            None => added.extend(grow(below)?.map(|child| (nibble, child))),
        }
    }
    if gone == 0 && added.is_empty() {
        return Ok(true);
    }
    let Link::Branch(branch, _) = link.take() else {
        return Ok(true);
    };
    let mut children = branch.into_children(gone, added);
    match children.len() {
        0 => return Ok(false),
        1 => {
            if let Some((nibble, mut last)) = children.pop() {
                last.reveal(at.source)?;
                *link = prepend(Nibbles::from_nibbles([nibble]), last)?;
            }
        }
        _ => *link = Link::branch(Branch::new(children)),
    }
    Ok(true)
}

/// An extension as a branch at its nibble `at`, where others are about to join; without what is
/// above.
fn split<L: Leaf>(path: &Nibbles, at: usize, child: Link<L>) -> Result<Link<L>, TrieError> {
    let nibble = path.get(at).ok_or(TrieError::KeyLength)?;
    let moved = below(path.slice(at + 1..), child);
    Ok(Link::branch(Branch::new(vec![(nibble, moved)])))
}

/// The node above leaves that are sorted by path; `None` for none.
fn assemble<L: Leaf>(leaves: &mut [LeafNode<L>]) -> Result<Option<Link<L>>, TrieError> {
    if leaves.is_empty() {
        return Ok(None);
    }
    assemble_below(leaves, 0).map(Some)
}

/// The node above at least one leaf, whose paths are equal in the first `depth` nibbles.
fn assemble_below<L: Leaf>(leaves: &mut [LeafNode<L>], depth: usize) -> Result<Link<L>, TrieError> {
    let path = match leaves {
        [only] => {
            let value = std::mem::take(&mut only.value);
            return Ok(Link::leaf(only.path.slice(depth..), value));
        }
        [first, ..] => first.path,
        [] => return Err(TrieError::KeyLength),
    };
    let common = leaves
        .last()
        .map_or(0, |last| last.path.common_prefix_length(&path));
    let mut children = Vec::new();
    let mut rest = leaves;
    while let Some(first) = rest.first() {
        let nibble = first.path.get(common).ok_or(TrieError::KeyLength)?;
        let same = |leaf: &LeafNode<L>| leaf.path.get(common) == Some(nibble);
        let (group, others) = rest.split_at_mut(rest.partition_point(same));
        children.push((nibble, assemble_below(group, common + 1)?));
        rest = others;
    }
    let branch = Link::branch(Branch::new(children));
    Ok(below(path.slice(depth..common), branch))
}

/// `branch` below `path`.
fn below<L>(path: Nibbles, branch: Link<L>) -> Link<L> {
    if path.is_empty() {
        branch
    } else {
        Link::extension(path, branch)
    }
}

/// Puts `path` before a node: leaves and extensions take it up, a branch gets an extension.
fn prepend<L: Leaf>(path: Nibbles, link: Link<L>) -> Result<Link<L>, TrieError> {
    let joined = |tail: &Nibbles| {
        if path.len() + tail.len() > 64 {
            return Err(TrieError::KeyLength);
        }
        Ok(path.join(tail))
    };
    match link {
        Link::Leaf(leaf, _) => Ok(Link::leaf(joined(&leaf.path)?, leaf.value)),
        Link::Extension(mut extension, _) => {
            let whole = joined(&extension.path)?;
            Ok(Link::extension(
                whole,
                Arc::make_mut(&mut extension).child.take(),
            ))
        }
        branch @ (Link::Branch(..) | Link::Blinded(_)) => Ok(Link::extension(path, branch)),
    }
}
