//! Insertion and removal.

use std::sync::Arc;

use nybbles::Nibbles;

use super::leaf::Leaf;
use super::link::{Branch, Link, Reference};
use super::source::{NodeSource, TrieError};

/// A key on its way down: `depth` nibbles are already behind it.
#[derive(Clone, Copy)]
pub(super) struct Descent<'a> {
    pub(super) key: &'a Nibbles,
    pub(super) depth: usize,
    pub(super) source: &'a dyn NodeSource,
}

impl Descent<'_> {
    fn rest(&self) -> Nibbles {
        self.key.slice(self.depth..)
    }

    fn nibble(&self) -> Result<u8, TrieError> {
        self.key.get(self.depth).ok_or(TrieError::KeyLength)
    }

    const fn down(mut self, nibbles: usize) -> Self {
        self.depth += nibbles;
        self
    }
}

/// Changes the leaf of a key; a new one starts at its default.
pub(super) type Edit<'a, L> = &'a mut dyn FnMut(&mut L) -> Result<(), TrieError>;

/// Edits the leaf at the descent's key below `link`, creating it where there is none.
pub(super) fn upsert<L: Leaf>(
    link: &mut Link<L>,
    at: Descent<'_>,
    edit: Edit<'_, L>,
) -> Result<(), TrieError> {
    link.reveal(at.source)?;
    match link {
        Link::Leaf(leaf, _) => {
            let rest = at.rest();
            if leaf.path == rest {
                edit(&mut Arc::make_mut(leaf).value)?;
            } else {
                let old = std::mem::replace(link, Link::GONE);
                *link = split_leaf(old, &rest, edit)?;
            }
        }
        Link::Extension(extension, _) => {
            let rest = at.rest();
            if rest.starts_with(&extension.path) {
                let down = at.down(extension.path.len());
                upsert(&mut Arc::make_mut(extension).child, down, edit)?;
            } else {
                *link = split_extension(extension.path, extension.child.clone(), &rest, edit)?;
            }
        }
        Link::Branch(branch, _) => {
            let nibble = at.nibble()?;
            let branch = Arc::make_mut(branch);
            match branch.child_mut(nibble) {
                Some(child) => upsert(child, at.down(1), edit)?,
                None => branch.put(nibble, new_leaf(at.down(1).rest(), edit)?),
            }
        }
        Link::Blinded(hash) => return Err(TrieError::MissingNode(*hash)),
    }
    link.mark_dirty();
    Ok(())
}

pub(super) fn new_leaf<L: Leaf>(path: Nibbles, edit: Edit<'_, L>) -> Result<Link<L>, TrieError> {
    let mut value = L::default();
    edit(&mut value)?;
    Ok(Link::leaf(path, value))
}

/// Makes room beside a leaf for the key with the remaining path `rest`.
fn split_leaf<L: Leaf>(
    old: Link<L>,
    rest: &Nibbles,
    edit: Edit<'_, L>,
) -> Result<Link<L>, TrieError> {
    let Link::Leaf(mut leaf, _) = old else {
        return Ok(old);
    };
    let path = leaf.path;
    let (common, old_nibble, new_nibble) = fork(&path, rest)?;
    Arc::make_mut(&mut leaf).path = path.slice(common + 1..);
    let moved = Link::Leaf(leaf, Reference::DIRTY);
    let added = new_leaf(rest.slice(common + 1..), edit)?;
    let branch = Link::branch(Branch::pair((old_nibble, moved), (new_nibble, added)));
    Ok(below(path.slice(..common), branch))
}

/// Makes room inside an extension for the key with the remaining path `rest`.
fn split_extension<L: Leaf>(
    path: Nibbles,
    child: Link<L>,
    rest: &Nibbles,
    edit: Edit<'_, L>,
) -> Result<Link<L>, TrieError> {
    let (common, old_nibble, new_nibble) = fork(&path, rest)?;
    let moved = below(path.slice(common + 1..), child);
    let added = new_leaf(rest.slice(common + 1..), edit)?;
    let branch = Link::branch(Branch::pair((old_nibble, moved), (new_nibble, added)));
    Ok(below(path.slice(..common), branch))
}

/// Length of the common prefix and the first nibbles that differ.
fn fork(old: &Nibbles, new: &Nibbles) -> Result<(usize, u8, u8), TrieError> {
    let common = old.common_prefix_length(new);
    match (old.get(common), new.get(common)) {
        (Some(old), Some(new)) => Ok((common, old, new)),
        _ => Err(TrieError::KeyLength),
    }
}

/// `branch` below `path`.
fn below<L>(path: Nibbles, branch: Link<L>) -> Link<L> {
    if path.is_empty() {
        branch
    } else {
        Link::extension(path, branch)
    }
}

/// Removes the leaf at the descent's key, which must exist. Returns whether nothing is left of
/// `link`, which the caller then has to drop.
pub(super) fn remove<L: Leaf>(link: &mut Link<L>, at: Descent<'_>) -> Result<bool, TrieError> {
    link.reveal(at.source)?;
    let replacement = match link {
        Link::Leaf(..) => return Ok(true),
        Link::Extension(extension, _) => {
            let down = at.down(extension.path.len());
            let extension = Arc::make_mut(extension);
            remove(&mut extension.child, down)?;
            match &extension.child {
                Link::Branch(..) | Link::Blinded(_) => None,
                Link::Leaf(..) | Link::Extension(..) => {
                    let child = std::mem::replace(&mut extension.child, Link::GONE);
                    Some(prepend(extension.path, child)?)
                }
            }
        }
        Link::Branch(branch, _) => {
            let nibble = at.nibble()?;
            let branch = Arc::make_mut(branch);
            let child = branch.child_mut(nibble).ok_or(TrieError::KeyLength)?;
            if remove(child, at.down(1))? {
                branch.take(nibble);
            }
            match branch.take_only() {
                Some((nibble, mut last)) => {
                    last.reveal(at.source)?;
                    Some(prepend(Nibbles::from_nibbles([nibble]), last)?)
                }
                None => None,
            }
        }
        Link::Blinded(hash) => return Err(TrieError::MissingNode(*hash)),
    };
    if let Some(replacement) = replacement {
        *link = replacement;
    }
    link.mark_dirty();
    Ok(false)
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
        Link::Leaf(mut leaf, _) => {
            let whole = joined(&leaf.path)?;
            Arc::make_mut(&mut leaf).path = whole;
            Ok(Link::Leaf(leaf, Reference::DIRTY))
        }
        Link::Extension(mut extension, _) => {
            let whole = joined(&extension.path)?;
            Arc::make_mut(&mut extension).path = whole;
            Ok(Link::Extension(extension, Reference::DIRTY))
        }
        branch @ (Link::Branch(..) | Link::Blinded(_)) => Ok(Link::extension(path, branch)),
    }
}
