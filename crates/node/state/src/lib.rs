#![doc = include_str!("../README.md")]

mod ancestors;

mod code;
pub use code::analysed_code;

mod config;
pub use config::{Durability, StoreConfig};

mod delta;
pub use delta::TrieDelta;

mod error;
pub use error::StateError;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod fixture;

mod fork_choice;
pub use fork_choice::{BlockRef, CanonUpdate, ForkChoice};

mod log;

mod metrics;

mod reader;
pub use reader::{ReadError, StateReader};

mod session;
pub use session::TrieSession;

mod state_trie;
pub use state_trie::StateTrie;

mod store;
pub use store::{Genesis, Store};

mod trie;
pub use trie::{NoNodes, NodeSource, TrieError};
