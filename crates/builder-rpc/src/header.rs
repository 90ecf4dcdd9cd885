//! A block's header as the consensus layer has it.

use alloy_primitives::{B256, U256};
use blockwright_builder_codec::{
    ExecutionPayloadHeader, ExecutionPayloadHeaderBellatrix, ExecutionPayloadHeaderCapella,
    ExecutionPayloadHeaderDeneb, PayloadFork,
};
use blockwright_types::{OpFork, SealedBlock};
use ssz_types::VariableList;

use crate::BlindError;

/// Hash tree root of an empty list of withdrawals, of which a payload may have 16.
pub(crate) const NO_WITHDRAWALS_ROOT: B256 = B256::new(alloy_primitives::hex!(
    "792930bbd5baac43bcc798ee49aa8185ef76bb3b44ba62b91d86ae569e4bb535"
));

/// The containers of blocks of `fork`.
pub(crate) const fn payload_fork(fork: OpFork) -> PayloadFork {
    match fork {
        OpFork::Bedrock | OpFork::Regolith => PayloadFork::Bellatrix,
        OpFork::Canyon => PayloadFork::Capella,
        OpFork::Ecotone
        | OpFork::Fjord
        | OpFork::Granite
        | OpFork::Holocene
        | OpFork::Isthmus
        | OpFork::Jovian
        | OpFork::Karst => PayloadFork::Deneb,
    }
}

/// The header of `block`, whose containers are those of `fork` and whose transactions have this root.
pub(crate) fn header_of(
    block: &SealedBlock,
    fork: PayloadFork,
    transactions_root: B256,
) -> Result<HeaderFields, BlindError> {
    let header = &block.header;
    let extra_data = VariableList::new(header.extra_data.to_vec())
        .map_err(|_| BlindError::Fault("the block's extra data has more than 32 bytes"))?;
    let all = ExecutionPayloadHeaderDeneb {
        parent_hash: header.parent_hash,
        fee_recipient: header.beneficiary,
        state_root: header.state_root,
        receipts_root: header.receipts_root,
        logs_bloom: header.logs_bloom.0,
        prev_randao: header.mix_hash,
        block_number: header.number,
        gas_limit: header.gas_limit,
        gas_used: header.gas_used,
        timestamp: header.timestamp,
        extra_data,
        base_fee_per_gas: U256::from(header.base_fee_per_gas.unwrap_or_default()),
        block_hash: block.hash,
        transactions_root,
        withdrawals_root: NO_WITHDRAWALS_ROOT,
        blob_gas_used: header.blob_gas_used.unwrap_or_default(),
        excess_blob_gas: header.excess_blob_gas.unwrap_or_default(),
    };
    Ok(HeaderFields { all, fork })
}

/// The fields of the newest fork, of which an older one has the first ones.
#[derive(Clone, Debug)]
pub(crate) struct HeaderFields {
    pub(crate) all: ExecutionPayloadHeaderDeneb,
    pub(crate) fork: PayloadFork,
}

impl HeaderFields {
    /// The header in its fork's container.
    pub(crate) fn header(&self) -> ExecutionPayloadHeader {
        let all = self.all.clone();
        match self.fork {
            PayloadFork::Bellatrix => {
                ExecutionPayloadHeader::Bellatrix(ExecutionPayloadHeaderBellatrix {
                    parent_hash: all.parent_hash,
                    fee_recipient: all.fee_recipient,
                    state_root: all.state_root,
                    receipts_root: all.receipts_root,
                    logs_bloom: all.logs_bloom,
                    prev_randao: all.prev_randao,
                    block_number: all.block_number,
                    gas_limit: all.gas_limit,
                    gas_used: all.gas_used,
                    timestamp: all.timestamp,
                    extra_data: all.extra_data,
                    base_fee_per_gas: all.base_fee_per_gas,
                    block_hash: all.block_hash,
                    transactions_root: all.transactions_root,
                })
            }
            PayloadFork::Capella => {
                ExecutionPayloadHeader::Capella(ExecutionPayloadHeaderCapella {
                    parent_hash: all.parent_hash,
                    fee_recipient: all.fee_recipient,
                    state_root: all.state_root,
                    receipts_root: all.receipts_root,
                    logs_bloom: all.logs_bloom,
                    prev_randao: all.prev_randao,
                    block_number: all.block_number,
                    gas_limit: all.gas_limit,
                    gas_used: all.gas_used,
                    timestamp: all.timestamp,
                    extra_data: all.extra_data,
                    base_fee_per_gas: all.base_fee_per_gas,
                    block_hash: all.block_hash,
                    transactions_root: all.transactions_root,
                    withdrawals_root: all.withdrawals_root,
                })
            }
            PayloadFork::Deneb => ExecutionPayloadHeader::Deneb(all),
        }
    }
}
