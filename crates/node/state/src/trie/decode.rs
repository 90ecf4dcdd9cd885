//! Nodes out of their RLP.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_rlp::{Error, Header};
use nybbles::Nibbles;

use super::leaf::Leaf;
use super::link::{Branch, Extension, LeafNode, Link, Reference};
use super::source::{NodeSource, TrieError};

impl<L: Leaf> Link<L> {
    /// The node behind a blinded link; `None` where the link is not blinded.
    pub(crate) fn fetch(&self, source: &dyn NodeSource) -> Result<Option<Self>, TrieError> {
        let Self::Blinded(hash) = self else {
            return Ok(None);
        };
        let rlp = source.node(hash).ok_or(TrieError::MissingNode(*hash))?;
        let mut node =
            decode_node::<L>(&rlp, MAX_DEPTH).map_err(|reason| TrieError::MalformedNode {
                hash: *hash,
                reason: reason.to_string(),
            })?;
        node.set_reference(Reference::hash(*hash));
        Ok(Some(node))
    }

    /// Replaces a blinded link by its node.
    pub(crate) fn reveal(&mut self, source: &dyn NodeSource) -> Result<(), TrieError> {
        if let Some(node) = self.fetch(source)? {
            *self = node;
        }
        Ok(())
    }
}

/// Inline nodes nest at most this deep: each level takes bytes, and 32 are not many.
const MAX_DEPTH: u8 = 16;

fn decode_node<L: Leaf>(rlp: &[u8], depth: u8) -> alloy_rlp::Result<Link<L>> {
    let depth = depth
        .checked_sub(1)
        .ok_or(Error::Custom("nested too deep"))?;
    let mut rest = rlp;
    let header = Header::decode(&mut rest)?;
    if !header.list || rest.len() != header.payload_length {
        return Err(Error::Custom("not one RLP list"));
    }
    let items = split_items(rest)?;
    let reference = Reference::of(rlp);
    match items.as_slice() {
        [path, second] => decode_short((path, second), reference, depth),
        all if all.len() == 17 => decode_branch(all, reference, depth),
        _ => Err(Error::Custom("neither 2 nor 17 items")),
    }
}

fn decode_short<L: Leaf>(
    (path, second): (&[u8], &[u8]),
    reference: Reference,
    depth: u8,
) -> alloy_rlp::Result<Link<L>> {
    let (path, is_leaf) = decode_path(string(path)?)?;
    if is_leaf {
        let value = L::decode(string(second)?)?;
        return Ok(Link::Leaf(LeafNode { path, value }, reference));
    }
    if path.is_empty() {
        return Err(Error::Custom("extension without path"));
    }
    let child = decode_child(second, depth)?.ok_or(Error::Custom("extension without child"))?;
    Ok(Link::Extension(
        Arc::new(Extension { path, child }),
        reference,
    ))
}

fn decode_branch<L: Leaf>(
    items: &[&[u8]],
    reference: Reference,
    depth: u8,
) -> alloy_rlp::Result<Link<L>> {
    let mut children = Vec::with_capacity(16);
    for (nibble, item) in (0..16u8).zip(items) {
        if let Some(child) = decode_child(item, depth)? {
            children.push((nibble, child));
        }
    }
    if children.len() < 2 || items.last().is_none_or(|value| **value != [0x80]) {
        return Err(Error::Custom(
            "branch with a value or fewer than two children",
        ));
    }
    Ok(Link::Branch(Branch::new(children), reference))
}

fn decode_child<L: Leaf>(item: &[u8], depth: u8) -> alloy_rlp::Result<Option<Link<L>>> {
    match item.first() {
        Some(0x80) => Ok(None),
        Some(0xa0) => Ok(Some(Link::Blinded(B256::from_slice(string(item)?)))),
        Some(0xc0..) => decode_node(item, depth).map(Some),
        _ => Err(Error::Custom("child is neither empty, hash nor node")),
    }
}

/// The items of a list's payload, headers included.
fn split_items(mut payload: &[u8]) -> alloy_rlp::Result<Vec<&[u8]>> {
    let mut items = Vec::with_capacity(17);
    while !payload.is_empty() {
        let start = payload;
        let header = Header::decode(&mut payload)?;
        payload = payload
            .get(header.payload_length..)
            .ok_or(Error::InputTooShort)?;
        items.push(&start[..start.len() - payload.len()]);
        if items.len() > 17 {
            return Err(Error::Custom("more than 17 items"));
        }
    }
    Ok(items)
}

fn string(mut item: &[u8]) -> alloy_rlp::Result<&[u8]> {
    Header::decode_bytes(&mut item, false)
}

/// Undoes the hex-prefix encoding.
fn decode_path(encoded: &[u8]) -> alloy_rlp::Result<(Nibbles, bool)> {
    let (first, rest) = encoded.split_first().ok_or(Error::InputTooShort)?;
    if rest.len() > 32 {
        return Err(Error::Custom("path too long"));
    }
    let is_leaf = match first >> 4 {
        0 | 1 => false,
        2 | 3 => true,
        _ => return Err(Error::Custom("bad path prefix")),
    };
    let tail = Nibbles::unpack(rest);
    if first & 0x10 == 0 {
        return if first & 0x0f == 0 {
            Ok((tail, is_leaf))
        } else {
            Err(Error::Custom("bad path padding"))
        };
    }
    if rest.len() == 32 {
        return Err(Error::Custom("path too long"));
    }
    Ok((Nibbles::from_nibbles([first & 0x0f]).join(&tail), is_leaf))
}
