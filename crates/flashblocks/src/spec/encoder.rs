//! Writing dialect `spec`.

use alloy_primitives::B256;
use blockwright_types::{Changes, Flashblock, FlashblockBase};
use ssz::Encode;
use ssz_types::{ListEncodedOption, VariableList};

use super::containers::{
    ExecutionPayloadFlashblockDeltaV1, ExecutionPayloadStaticV1, FlashblocksMetadata,
    FlashblocksPayloadV1, SPEC_VERSION,
};
use super::known::Known;
use super::limit::{ExceedsLimit, byte_list, list};
use crate::EncodeError;
use crate::sequence::Sequence;

/// Encodes the flashblocks of a stream, in publishing order.
///
/// Each flashblock names the hash of the one before, so the encoder must see all of a payload from
/// index 0; index 0 of any payload starts anew.
#[derive(Debug, Default)]
pub struct SpecEncoder {
    sequence: Sequence,
    /// Hash of the flashblock before.
    parent: B256,
    known: Known,
}

/// An encoded flashblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecFrame {
    /// The SSZ bytes.
    pub bytes: Vec<u8>,
    /// The hash tree root: what the next flashblock names as its parent, and what is signed.
    pub flash_hash: B256,
}

impl SpecEncoder {
    /// An encoder that expects an index 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes the frame of `flashblock`.
    ///
    /// # Errors
    /// As [`Self::container`].
    pub fn encode(&mut self, flashblock: &Flashblock) -> Result<SpecFrame, EncodeError> {
        let (container, flash_hash) = self.container(flashblock)?;
        Ok(SpecFrame {
            bytes: container.as_ssz_bytes(),
            flash_hash,
        })
    }

    /// The container of `flashblock` and its hash.
    ///
    /// # Errors
    /// [`EncodeError`] where the flashblock does not continue the sequence, contradicts itself or
    /// has more of something than the container holds; nothing is changed then.
    pub fn container(
        &mut self,
        flashblock: &Flashblock,
    ) -> Result<(FlashblocksPayloadV1, B256), EncodeError> {
        self.sequence.check(flashblock)?;
        let nothing = Known::default();
        let is_first = flashblock.index == 0;
        let known = if is_first { &nothing } else { &self.known };
        let changes = flashblock.part.net_changes();
        let container = self
            .build(flashblock, known, &changes)
            .map_err(|refusal| refusal.at(flashblock))?;
        let flash_hash = container.flash_hash();
        if is_first {
            self.known.clear();
        }
        self.known.advance(&flashblock.part, &changes);
        self.sequence.advance(flashblock);
        self.parent = flash_hash;
        Ok((container, flash_hash))
    }

    fn build(
        &self,
        flashblock: &Flashblock,
        known: &Known,
        changes: &Changes,
    ) -> Result<FlashblocksPayloadV1, Refusal> {
        let part = &flashblock.part;
        let base = flashblock.base.as_ref().map(container_base).transpose()?;
        Ok(FlashblocksPayloadV1 {
            version: SPEC_VERSION,
            payload_id: flashblock.payload_id.0,
            parent_flash_hash: ListEncodedOption((flashblock.index != 0).then_some(self.parent)),
            index: flashblock.index,
            base: ListEncodedOption(base),
            diff: container_diff(flashblock)?,
            metadata: FlashblocksMetadata {
                accounts: list("accounts", known.accounts(changes)?)?,
                transactions: list("transactions", known.transactions(part)?)?,
            },
        })
    }
}

fn container_base(base: &FlashblockBase) -> Result<ExecutionPayloadStaticV1, ExceedsLimit> {
    Ok(ExecutionPayloadStaticV1 {
        parent_beacon_block_root: base.parent_beacon_block_root,
        parent_hash: base.parent_hash,
        fee_recipient: base.fee_recipient,
        prev_randao: base.prev_randao,
        block_number: base.block_number,
        gas_limit: base.gas_limit,
        timestamp: base.timestamp,
        extra_data: byte_list("extra_data", &base.extra_data)?,
        base_fee_per_gas: base.base_fee_per_gas,
    })
}

fn container_diff(
    flashblock: &Flashblock,
) -> Result<ExecutionPayloadFlashblockDeltaV1, ExceedsLimit> {
    let transactions = flashblock.part.transactions.iter();
    let transactions = transactions
        .map(|tx| byte_list("transactions", &tx.encoded))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(ExecutionPayloadFlashblockDeltaV1 {
        state_root: flashblock.state_root,
        receipts_root: flashblock.receipts_root,
        logs_bloom: *flashblock.logs_bloom,
        gas_used: flashblock.gas_used,
        block_hash: flashblock.block_hash,
        transactions: list("transactions", transactions)?,
        withdrawals: VariableList::default(),
        withdrawals_root: flashblock.withdrawals_root,
    })
}

/// Why a flashblock has no container.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// More items or bytes than a field holds.
    Limit(ExceedsLimit),
    /// A receipt's cumulative gas is below that of the one before.
    Gas { position: usize },
}

impl From<ExceedsLimit> for Refusal {
    fn from(limit: ExceedsLimit) -> Self {
        Self::Limit(limit)
    }
}

impl Refusal {
    const fn at(self, flashblock: &Flashblock) -> EncodeError {
        let Flashblock {
            payload_id, index, ..
        } = *flashblock;
        match self {
            Self::Limit(cause) => EncodeError::Limit {
                payload_id,
                index,
                cause,
            },
            Self::Gas { position } => EncodeError::Gas {
                payload_id,
                index,
                position,
            },
        }
    }
}
