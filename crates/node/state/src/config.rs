//! Settings of the store.

use std::path::PathBuf;

/// Where blocks are made durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nowhere: everything is lost with the process, and all bodies of canonical blocks stay in
    /// memory. For tests and throw-away chains.
    Memory,
    /// In a log in this directory, which is created if need be and locked while the store is open.
    Directory(PathBuf),
}

/// Settings of a [`Store`](crate::Store). Only `durability` has no default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Where blocks are made durable.
    pub durability: Durability,
    /// The states of this many blocks below the head are always held (default 256).
    pub window_blocks: u64,
    /// The states from the finalized block to the head are held as well, but never of more than
    /// this many blocks below the head (default 1,024): a chain whose finality stalls must not
    /// fill the memory.
    pub window_blocks_max: u64,
    /// Blocks outside the canonical chain that are held (default 1,024); above it, those with the
    /// lowest numbers are dropped and counted.
    pub side_blocks_max: usize,
    /// The newest transactions that can be found by hash (default 2,000,000; between half of it
    /// and all of it are held, at about 60 bytes each).
    pub transactions_indexed_max: usize,
    /// Blocks read back from the log that are kept for the next reader (default 64).
    pub blocks_cached_max: usize,
    /// Durable blocks that stay in memory, in bytes (default 64 MiB; the newest stays in any case).
    /// Older ones are read back from the log, also where their states are held. As many bytes of
    /// those read back are kept.
    pub bodies_bytes_max: usize,
    /// Size of a log file in bytes (default 16 MiB). A larger record gets a larger file.
    pub segment_bytes: u64,
}

impl StoreConfig {
    /// Defaults, in memory only.
    pub const fn in_memory() -> Self {
        Self::new(Durability::Memory)
    }

    /// Defaults, durable in `directory`.
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self::new(Durability::Directory(directory.into()))
    }

    const fn new(durability: Durability) -> Self {
        Self {
            durability,
            window_blocks: 256,
            window_blocks_max: 1024,
            side_blocks_max: 1024,
            transactions_indexed_max: 2_000_000,
            blocks_cached_max: 64,
            bodies_bytes_max: 64 * 1024 * 1024,
            segment_bytes: 16 * 1024 * 1024,
        }
    }
}
