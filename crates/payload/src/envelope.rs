//! The answer of `engine_getPayload`.

use alloy_primitives::{B256, Bytes, U256};
use blockwright_types::{OpFork, SealedBlock};
use serde::{Deserialize, Serialize};

use crate::ExecutionPayload;

/// `BlobsBundleV1`/`V2`: always empty, there are no blobs on an OP Stack chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobsBundle {
    /// None.
    pub commitments: Vec<Bytes>,
    /// None.
    pub proofs: Vec<Bytes>,
    /// None.
    pub blobs: Vec<Bytes>,
}

/// The answer of `engine_getPayloadV2` and later. What a version does not have is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayloadEnvelope {
    /// The block.
    pub execution_payload: ExecutionPayload,
    /// Priority fees the block pays its fee recipient, in wei.
    pub block_value: U256,
    /// From V3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blobs_bundle: Option<BlobsBundle>,
    /// From V3; always false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub should_override_builder: Option<bool>,
    /// From V3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_beacon_block_root: Option<B256>,
    /// From V4; always empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_requests: Option<Vec<Bytes>>,
}

impl PayloadEnvelope {
    /// The envelope of a sealed block of `fork`, with what the fork's method version has.
    pub fn of_block(block: &SealedBlock, fork: OpFork) -> Self {
        let mut envelope = Self::without_transactions(block, fork);
        envelope.execution_payload.transactions = ExecutionPayload::transactions_of(block);
        envelope
    }

    /// All but the transactions of [`Self::of_block`].
    pub fn without_transactions(block: &SealedBlock, fork: OpFork) -> Self {
        let ecotone = fork >= OpFork::Ecotone;
        Self {
            execution_payload: ExecutionPayload::without_transactions(block, fork),
            block_value: block.value,
            blobs_bundle: ecotone.then(BlobsBundle::default),
            should_override_builder: ecotone.then_some(false),
            parent_beacon_block_root: block.header.parent_beacon_block_root.filter(|_| ecotone),
            execution_requests: (fork >= OpFork::Isthmus).then(Vec::new),
        }
    }
}
