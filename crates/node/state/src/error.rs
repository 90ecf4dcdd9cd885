//! What can go wrong with stored state.

use std::path::PathBuf;

use alloy_primitives::B256;
use blockwright_types::Severity;

use crate::trie::TrieError;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The block, or its state, is not held (never seen, on a dropped branch, or below the window).
    #[error("the state of block {0} is not held")]
    UnknownBlock(B256),
    /// A block that names a parent with another number than its own minus one.
    #[error("block {hash} has number {number}, its parent {parent}")]
    NumberGap {
        /// The block.
        hash: B256,
        /// Its number.
        number: u64,
        /// Its parent's number.
        parent: u64,
    },
    /// The delta handed in does not lead to the header's state root.
    #[error("block {hash} has state root {header}, its delta {delta}")]
    RootMismatch {
        /// The block.
        hash: B256,
        /// Root in the header.
        header: B256,
        /// Root of the delta.
        delta: B256,
    },
    /// The safe or finalized block of a fork choice is not an ancestor of its head.
    #[error("{label} block {hash} is not on the chain of head {head}")]
    NotCanonical {
        /// `safe` or `finalized`.
        label: &'static str,
        /// The block named.
        hash: B256,
        /// The head named.
        head: B256,
    },
    /// The genesis allocation does not have the root of the genesis header.
    #[error("genesis header has state root {header}, its allocation {computed}")]
    GenesisRoot {
        /// Root in the header.
        header: B256,
        /// Root of the allocation.
        computed: B256,
    },
    /// The data directory belongs to another chain.
    #[error("{} belongs to the chain with genesis {found}, not {expected}", .path.display())]
    GenesisMismatch {
        /// The directory.
        path: PathBuf,
        /// Genesis hash it was made with.
        found: String,
        /// Genesis hash of the configured chain.
        expected: B256,
    },
    /// Another process uses the data directory.
    #[error("{} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// Acknowledged data in the log cannot be read: damage, not an interrupted write.
    #[error("{} is corrupt at offset {offset}: {reason}", .file.display())]
    Corrupt {
        /// The log file.
        file: PathBuf,
        /// Byte offset of the first record that cannot be used.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// An operation on a file failed.
    #[error("cannot {operation} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// An earlier write to the log failed, so nothing can be acknowledged any more.
    #[error("the log failed earlier and takes no more writes")]
    LogFailed,
    /// The trie could not be changed.
    #[error(transparent)]
    Trie(#[from] TrieError),
}

impl StateError {
    /// What to do about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::UnknownBlock(_) => Severity::Retry,
            Self::NumberGap { .. }
            | Self::RootMismatch { .. }
            | Self::NotCanonical { .. }
            | Self::Trie(_) => Severity::AbandonJob,
            Self::GenesisRoot { .. }
            | Self::GenesisMismatch { .. }
            | Self::Locked(_)
            | Self::Corrupt { .. }
            | Self::Io { .. }
            | Self::LogFailed => Severity::Fatal,
        }
    }
}
