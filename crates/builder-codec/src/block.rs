//! The beacon block with which a proposer asks for a payload, blinded or full.

use alloy_primitives::{B256, FixedBytes};
use ssz::{Decode, Encode};
use ssz_derive::{Decode, Encode};
use ssz_types::VariableList;
use ssz_types::typenum::{U2, U16, U128, U4096};
use tree_hash::TreeHash;
use tree_hash_derive::TreeHash;

use crate::{
    Attestation, AttesterSlashing, Deposit, Eth1Data, ExecutionPayloadBellatrix,
    ExecutionPayloadCapella, ExecutionPayloadDeneb, ExecutionPayloadHeaderBellatrix,
    ExecutionPayloadHeaderCapella, ExecutionPayloadHeaderDeneb, ProposerSlashing,
    SignedBlsToExecutionChange, SignedVoluntaryExit, SyncAggregate,
};

/// Which containers a block has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayloadFork {
    /// Before Canyon.
    Bellatrix,
    /// From Canyon on.
    Capella,
    /// From Ecotone on.
    Deneb,
}

/// Bytes that are no beacon block of this fork, neither blinded nor full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no SSZ beacon block of {fork:?}, neither blinded nor full")]
pub struct BlockError {
    /// The fork whose containers were expected.
    pub fork: PayloadFork,
}

/// A beacon block around `B`, the body of a fork.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct BeaconBlock<B: Encode + Decode + TreeHash> {
    /// Slot: the block number.
    pub slot: u64,
    /// Proposer: 0.
    pub proposer_index: u64,
    /// Root of the parent: zero.
    pub parent_root: B256,
    /// Root of the state after it: zero.
    pub state_root: B256,
    /// Body.
    pub body: B,
}

/// The body of Bellatrix around `P`, a payload or its header.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct BeaconBlockBodyBellatrix<P: Encode + Decode + TreeHash> {
    /// Randomness.
    pub randao_reveal: FixedBytes<96>,
    /// The deposits' chain.
    pub eth1_data: Eth1Data,
    /// Anything.
    pub graffiti: B256,
    /// At most 16.
    pub proposer_slashings: VariableList<ProposerSlashing, U16>,
    /// At most 2.
    pub attester_slashings: VariableList<AttesterSlashing, U2>,
    /// At most 128.
    pub attestations: VariableList<Attestation, U128>,
    /// At most 16.
    pub deposits: VariableList<Deposit, U16>,
    /// At most 16.
    pub voluntary_exits: VariableList<SignedVoluntaryExit, U16>,
    /// Sync committee.
    pub sync_aggregate: SyncAggregate,
    /// The payload or its header.
    pub payload: P,
}

/// The body of Capella around `P`, a payload or its header.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct BeaconBlockBodyCapella<P: Encode + Decode + TreeHash> {
    /// Randomness.
    pub randao_reveal: FixedBytes<96>,
    /// The deposits' chain.
    pub eth1_data: Eth1Data,
    /// Anything.
    pub graffiti: B256,
    /// At most 16.
    pub proposer_slashings: VariableList<ProposerSlashing, U16>,
    /// At most 2.
    pub attester_slashings: VariableList<AttesterSlashing, U2>,
    /// At most 128.
    pub attestations: VariableList<Attestation, U128>,
    /// At most 16.
    pub deposits: VariableList<Deposit, U16>,
    /// At most 16.
    pub voluntary_exits: VariableList<SignedVoluntaryExit, U16>,
    /// Sync committee.
    pub sync_aggregate: SyncAggregate,
    /// The payload or its header.
    pub payload: P,
    /// At most 16.
    pub bls_to_execution_changes: VariableList<SignedBlsToExecutionChange, U16>,
}

/// The body of Deneb around `P`, a payload or its header.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct BeaconBlockBodyDeneb<P: Encode + Decode + TreeHash> {
    /// Randomness.
    pub randao_reveal: FixedBytes<96>,
    /// The deposits' chain.
    pub eth1_data: Eth1Data,
    /// Anything.
    pub graffiti: B256,
    /// At most 16.
    pub proposer_slashings: VariableList<ProposerSlashing, U16>,
    /// At most 2.
    pub attester_slashings: VariableList<AttesterSlashing, U2>,
    /// At most 128.
    pub attestations: VariableList<Attestation, U128>,
    /// At most 16.
    pub deposits: VariableList<Deposit, U16>,
    /// At most 16.
    pub voluntary_exits: VariableList<SignedVoluntaryExit, U16>,
    /// Sync committee.
    pub sync_aggregate: SyncAggregate,
    /// The payload or its header.
    pub payload: P,
    /// At most 16.
    pub bls_to_execution_changes: VariableList<SignedBlsToExecutionChange, U16>,
    /// At most 4096.
    pub blob_kzg_commitments: VariableList<FixedBytes<48>, U4096>,
}

/// What of a beacon block matters to a builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestedBlock {
    /// Slot: the block number.
    pub slot: u64,
    /// Hash tree root of the whole block, the same blinded and full: what the proposer signed.
    pub root: B256,
    /// Block hash of the payload that is asked for.
    pub block_hash: B256,
    /// Hash tree root of the payload or its header: the payload is asked for as it was offered where
    /// this is the root of the header that was offered.
    pub payload_root: B256,
    /// Whether there is a header in place of the payload.
    pub is_blinded: bool,
}

impl RequestedBlock {
    /// Decodes a block of `fork`, blinded or full: the two cannot be mistaken for each other, because
    /// the payload's first offset tells its length.
    ///
    /// # Errors
    /// [`BlockError`] where it is neither.
    pub fn decode(fork: PayloadFork, bytes: &[u8]) -> Result<Self, BlockError> {
        let decoded = match fork {
            PayloadFork::Bellatrix => of_body::<
                BeaconBlockBodyBellatrix<ExecutionPayloadHeaderBellatrix>,
            >(bytes)
            .or_else(|| of_body::<BeaconBlockBodyBellatrix<ExecutionPayloadBellatrix>>(bytes)),
            PayloadFork::Capella => {
                of_body::<BeaconBlockBodyCapella<ExecutionPayloadHeaderCapella>>(bytes)
                    .or_else(|| of_body::<BeaconBlockBodyCapella<ExecutionPayloadCapella>>(bytes))
            }
            PayloadFork::Deneb => {
                of_body::<BeaconBlockBodyDeneb<ExecutionPayloadHeaderDeneb>>(bytes)
                    .or_else(|| of_body::<BeaconBlockBodyDeneb<ExecutionPayloadDeneb>>(bytes))
            }
        };
        decoded.ok_or(BlockError { fork })
    }
}

/// A body of any fork.
trait Body {
    type Payload: Payload;

    fn payload(&self) -> &Self::Payload;
}

/// A payload or a header of any fork.
trait Payload: TreeHash {
    const IS_BLINDED: bool;

    fn block_hash(&self) -> B256;
}

fn of_body<B: Body + Encode + Decode + TreeHash>(bytes: &[u8]) -> Option<RequestedBlock> {
    let block = BeaconBlock::<B>::from_ssz_bytes(bytes).ok()?;
    let payload = block.body.payload();
    Some(RequestedBlock {
        slot: block.slot,
        root: block.tree_hash_root(),
        block_hash: payload.block_hash(),
        payload_root: payload.tree_hash_root(),
        is_blinded: B::Payload::IS_BLINDED,
    })
}

macro_rules! bodies {
    ($($body:ident),*) => {$(
        impl<P: Payload + Encode + Decode> Body for $body<P> {
            type Payload = P;

            fn payload(&self) -> &P {
                &self.payload
            }
        }
    )*};
}

bodies!(
    BeaconBlockBodyBellatrix,
    BeaconBlockBodyCapella,
    BeaconBlockBodyDeneb
);

macro_rules! payloads {
    ($($payload:ident is blinded: $is_blinded:literal),* $(,)?) => {$(
        impl Payload for $payload {
            const IS_BLINDED: bool = $is_blinded;

            fn block_hash(&self) -> B256 {
                self.block_hash
            }
        }
    )*};
}

payloads!(
    ExecutionPayloadHeaderBellatrix is blinded: true,
    ExecutionPayloadHeaderCapella is blinded: true,
    ExecutionPayloadHeaderDeneb is blinded: true,
    ExecutionPayloadBellatrix is blinded: false,
    ExecutionPayloadCapella is blinded: false,
    ExecutionPayloadDeneb is blinded: false,
);

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
