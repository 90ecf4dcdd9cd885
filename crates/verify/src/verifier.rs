//! Everything at once, for consumers that follow one stream.

use std::sync::Arc;

use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_types::{OpFork, RecoveredTx};

use crate::{
    Accumulator, BlockError, BlockRules, OnGap, OrderViolation, Outcome, Prefix, Sequence,
    SequenceRules, check_order, decode_transactions, priority,
};

/// What a stream promises.
#[derive(Clone, Copy, Debug)]
pub struct VerifierRules {
    /// Rules of the sequence.
    pub sequence: SequenceRules,
    /// See [`BlockRules::receipts_required`].
    pub receipts_required: bool,
    /// See [`BlockRules::roots_required`].
    pub roots_required: bool,
    /// See [`BlockRules::has_blob_gas_used`].
    pub has_blob_gas_used: bool,
    /// Rank of a transaction at a base fee (wei) under the declared policy; `None` where no order is
    /// declared.
    pub rank: Option<fn(&RecoveredTx, u64) -> Option<u128>>,
}

impl VerifierRules {
    /// Dialect `v1` in priority order, with receipts and roots optional.
    pub fn v1() -> Self {
        Self {
            sequence: SequenceRules::default(),
            receipts_required: false,
            roots_required: false,
            has_blob_gas_used: true,
            rank: Some(priority),
        }
    }

    /// Dialect `subblocks` in priority order: a wrong index ends the sequence.
    pub fn subblocks() -> Self {
        Self {
            sequence: SequenceRules {
                on_gap: OnGap::Discard,
                ..SequenceRules::default()
            },
            ..Self::v1()
        }
    }

    /// Dialect `spec` in priority order: the blob gas used is computed.
    pub fn spec() -> Self {
        Self {
            has_blob_gas_used: false,
            ..Self::v1()
        }
    }

    const fn block(&self, fork: OpFork) -> BlockRules {
        BlockRules {
            fork,
            receipts_required: self.receipts_required,
            roots_required: self.roots_required,
            has_blob_gas_used: self.has_blob_gas_used,
            ..BlockRules::new(fork)
        }
    }
}

/// All that was found out about one flashblock.
#[derive(Debug)]
pub struct Report {
    /// Its place in the sequence.
    pub outcome: Outcome,
    /// The block so far; `None` where the flashblock was not accepted.
    pub block: Option<Result<Prefix, BlockError>>,
    /// Its order; `None` where it was not accepted, could not be decoded, or no order is declared.
    pub order: Option<Result<(), OrderViolation>>,
}

impl Report {
    /// Whether the flashblock was accepted and nothing is wrong with it.
    pub fn is_clean(&self) -> bool {
        self.outcome.is_accepted()
            && matches!(self.block, Some(Ok(_)))
            && !matches!(self.order, Some(Err(_)))
    }
}

/// A [`Sequence`] whose accepted flashblocks are accumulated and whose order is proved.
#[derive(Debug)]
pub struct Verifier {
    rules: VerifierRules,
    sequence: Sequence,
    /// The running block; `None` where its base was refuted.
    block: Option<Accumulator>,
}

impl Verifier {
    /// A verifier that waits for an index 0.
    pub const fn new(rules: VerifierRules) -> Self {
        Self {
            sequence: Sequence::new(rules.sequence),
            rules,
            block: None,
        }
    }

    /// The sequence: what comes next, and the counters.
    pub const fn sequence(&self) -> &Sequence {
        &self.sequence
    }

    /// The running block.
    pub const fn block(&self) -> Option<&Accumulator> {
        self.block.as_ref()
    }

    /// Takes the next flashblock of the stream. `fork_at` tells the fork by a block's timestamp in
    /// seconds; it is asked at index 0.
    pub fn check(
        &mut self,
        flashblock: &Arc<OpFlashblockPayload>,
        fork_at: impl Fn(u64) -> OpFork,
    ) -> Report {
        let outcome = self.sequence.check(flashblock);
        if !outcome.is_accepted() {
            return Report {
                outcome,
                block: None,
                order: None,
            };
        }
        let (block, order) = match self.append(flashblock, fork_at) {
            Ok((block, order)) => (block, order),
            Err(error) => (Err(error), None),
        };
        if block.is_err() {
            self.block = None;
        }
        Report {
            outcome,
            block: Some(block),
            order,
        }
    }

    /// Errors are those that leave nothing to prove an order of.
    fn append(
        &mut self,
        flashblock: &OpFlashblockPayload,
        fork_at: impl Fn(u64) -> OpFork,
    ) -> Result<Verified, BlockError> {
        if let Some(base) = &flashblock.base {
            self.block = None;
            let rules = self.rules.block(fork_at(base.timestamp));
            self.block = Some(Accumulator::open(rules, base)?);
        }
        let block = self.block.as_mut().ok_or(BlockError::Broken)?;
        let transactions = decode_transactions(flashblock)?;
        let prefix = block.append(flashblock, &transactions);
        let base_fee = block.header().base_fee_per_gas.unwrap_or_default();
        let order = self
            .rules
            .rank
            .map(|rank| check_order(flashblock.index, &transactions, |tx| rank(tx, base_fee)));
        Ok((prefix, order))
    }
}

type Verified = (
    Result<Prefix, BlockError>,
    Option<Result<(), OrderViolation>>,
);
