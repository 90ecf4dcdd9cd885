//! What a beacon block carries beside its payload. On an OP chain all of it is empty; it is decoded all the
//! same, because its roots are part of what is signed.

use alloy_primitives::{Address, B256, FixedBytes};
use ssz_derive::{Decode, Encode};
use ssz_types::typenum::{U33, U512, U2048};
use ssz_types::{BitList, BitVector, FixedVector, VariableList};
use tree_hash_derive::TreeHash;

/// The deposits' chain as a validator sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct Eth1Data {
    /// Root of the deposits.
    pub deposit_root: B256,
    /// Number of deposits.
    pub deposit_count: u64,
    /// Block hash.
    pub block_hash: B256,
}

/// A boundary of epochs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct Checkpoint {
    /// Epoch.
    pub epoch: u64,
    /// Block root.
    pub root: B256,
}

/// A beacon block's header.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct BeaconBlockHeader {
    /// Slot.
    pub slot: u64,
    /// Proposer.
    pub proposer_index: u64,
    /// Root of the parent.
    pub parent_root: B256,
    /// Root of the state after it.
    pub state_root: B256,
    /// Root of the body.
    pub body_root: B256,
}

/// A signed header.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct SignedBeaconBlockHeader {
    /// Header.
    pub message: BeaconBlockHeader,
    /// BLS signature.
    pub signature: FixedBytes<96>,
}

/// Two headers of one proposer and slot.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct ProposerSlashing {
    /// One.
    pub signed_header_1: SignedBeaconBlockHeader,
    /// The other.
    pub signed_header_2: SignedBeaconBlockHeader,
}

/// What is attested.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct AttestationData {
    /// Slot.
    pub slot: u64,
    /// Committee.
    pub index: u64,
    /// Head.
    pub beacon_block_root: B256,
    /// Justified checkpoint.
    pub source: Checkpoint,
    /// Target checkpoint.
    pub target: Checkpoint,
}

/// An attestation with its attesters' numbers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct IndexedAttestation {
    /// Attesters.
    pub attesting_indices: VariableList<u64, U2048>,
    /// What is attested.
    pub data: AttestationData,
    /// BLS signature.
    pub signature: FixedBytes<96>,
}

/// Two attestations that contradict.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct AttesterSlashing {
    /// One.
    pub attestation_1: IndexedAttestation,
    /// The other.
    pub attestation_2: IndexedAttestation,
}

/// An aggregated attestation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct Attestation {
    /// Which of the committee.
    pub aggregation_bits: BitList<U2048>,
    /// What is attested.
    pub data: AttestationData,
    /// BLS signature.
    pub signature: FixedBytes<96>,
}

/// A deposit.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct DepositData {
    /// Validator's key.
    pub pubkey: FixedBytes<48>,
    /// Credentials.
    pub withdrawal_credentials: B256,
    /// In gwei.
    pub amount: u64,
    /// BLS signature.
    pub signature: FixedBytes<96>,
}

/// A deposit with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct Deposit {
    /// Merkle branch.
    pub proof: FixedVector<B256, U33>,
    /// Deposit.
    pub data: DepositData,
}

/// A validator's wish to leave.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct VoluntaryExit {
    /// Earliest epoch.
    pub epoch: u64,
    /// Validator.
    pub validator_index: u64,
}

/// A signed exit.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct SignedVoluntaryExit {
    /// Exit.
    pub message: VoluntaryExit,
    /// BLS signature.
    pub signature: FixedBytes<96>,
}

/// The sync committee's signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct SyncAggregate {
    /// Which of the committee.
    pub sync_committee_bits: BitVector<U512>,
    /// BLS signature.
    pub sync_committee_signature: FixedBytes<96>,
}

/// A validator's new withdrawal address.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct BlsToExecutionChange {
    /// Validator.
    pub validator_index: u64,
    /// Key that stood for withdrawals.
    pub from_bls_pubkey: FixedBytes<48>,
    /// Address.
    pub to_execution_address: Address,
}

/// A signed change.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TreeHash)]
pub struct SignedBlsToExecutionChange {
    /// Change.
    pub message: BlsToExecutionChange,
    /// BLS signature.
    pub signature: FixedBytes<96>,
}
