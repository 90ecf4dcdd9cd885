//! What one flashblock changed, in a form that can be read.

use std::sync::{Arc, OnceLock};

use alloy_primitives::B256;
use alloy_primitives::map::B256Map;
use blockwright_state::analysed_code;
use blockwright_types::{AccountChange, BlockPart, Changes};
use revm_database_interface::state::Bytecode;

/// One flashblock's part of the block with what readers need of it, made when first asked for: most
/// flashblocks are superseded before anybody reads them.
#[derive(Debug)]
pub(crate) struct Layer {
    part: Arc<BlockPart>,
    /// Position in the block of the part's first transaction.
    first: usize,
    /// Hash of the block that ends with this flashblock; zero where it has no roots.
    hash: B256,
    merged: OnceLock<Changes>,
    code: OnceLock<B256Map<Bytecode>>,
    positions: OnceLock<B256Map<usize>>,
}

impl Layer {
    pub(crate) const fn new(part: Arc<BlockPart>, first: usize, hash: B256) -> Self {
        Self {
            part,
            first,
            hash,
            merged: OnceLock::new(),
            code: OnceLock::new(),
            positions: OnceLock::new(),
        }
    }

    /// The net post-values of the flashblock.
    pub(crate) fn changes(&self) -> &Changes {
        match self.part.changes.as_slice() {
            [only] => only,
            _ => self.merged.get_or_init(|| self.part.net_changes()),
        }
    }

    /// What became of an account; `None` where this flashblock did not touch it.
    pub(crate) fn account(&self, address: &alloy_primitives::Address) -> Option<&AccountChange> {
        self.changes().accounts.get(address)
    }

    /// Code deployed by this flashblock.
    pub(crate) fn code(&self, hash: &B256) -> Option<&Bytecode> {
        if self.part.changes.iter().all(|piece| piece.code.is_empty()) {
            return None;
        }
        let analysed = self.code.get_or_init(|| {
            let code = self.changes().code.iter();
            code.map(|(hash, bytes)| (*hash, analysed_code(bytes)))
                .collect()
        });
        analysed.get(hash)
    }

    /// Position in the block of a transaction of this flashblock.
    pub(crate) fn transaction(&self, hash: &B256) -> Option<usize> {
        let positions = self.positions.get_or_init(|| {
            let transactions = self.part.transactions.iter().enumerate();
            transactions
                .map(|(place, tx)| (tx.hash, self.first + place))
                .collect()
        });
        positions.get(hash).copied()
    }

    /// Hash of the block that ends with this flashblock; zero where it has no roots.
    pub(crate) const fn hash(&self) -> B256 {
        self.hash
    }

    /// Position in the block of the first transaction after this flashblock.
    pub(crate) fn end(&self) -> usize {
        self.first + self.part.transactions.len()
    }
}
