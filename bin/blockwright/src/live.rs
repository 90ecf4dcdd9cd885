//! The calm line a block.

use core::fmt;

use blockwright_launch::SealedBlock;

/// A block as one line of the terminal.
pub(crate) struct BlockLine {
    number: u64,
    hash: String,
    transactions: usize,
    flashblocks: usize,
    gas_used: u64,
    gas_limit: u64,
}

impl BlockLine {
    /// The line of `block` on a chain with `gas_limit`.
    pub(crate) fn new(block: &SealedBlock, gas_limit: u64) -> Self {
        Self {
            number: block.header.number,
            hash: block.hash.to_string(),
            transactions: block.transaction_count(),
            flashblocks: block.parts.len(),
            gas_used: block.header.gas_used,
            gas_limit,
        }
    }
}

impl fmt::Display for BlockLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = 100.0 * self.gas_used as f64 / self.gas_limit.max(1) as f64;
        let hash = self.hash.get(..10).unwrap_or(&self.hash);
        write!(
            f,
            "block {:>6}  {hash}…  {:>6} tx  {:>8.2} Mgas {share:>5.1} %  {:>2} flashblocks",
            self.number,
            self.transactions,
            self.gas_used as f64 / 1e6,
            self.flashblocks,
        )
    }
}
