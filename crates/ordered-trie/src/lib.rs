#![doc = include_str!("../README.md")]

mod ordered_trie;
pub use ordered_trie::OrderedTrie;
