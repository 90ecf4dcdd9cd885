//! Beacon blocks around a payload or a header, everything else at its default: what a proposer of an OP chain,
//! which has no beacon chain, signs.

use alloy_primitives::{B256, FixedBytes};
use ssz::{Decode, Encode};
use ssz_types::VariableList;
use tree_hash::TreeHash;

use crate::{
    BeaconBlock, BeaconBlockBodyBellatrix, BeaconBlockBodyCapella, BeaconBlockBodyDeneb, Eth1Data,
    ExecutionPayloadHeader, SyncAggregate,
};

/// A beacon block that is to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedBlock {
    /// SSZ.
    pub bytes: Vec<u8>,
    /// Hash tree root, which is signed under the domain of beacon proposers.
    pub root: B256,
}

impl<B: Encode + Decode + TreeHash> BeaconBlock<B> {
    /// The block of `slot` with this body and nothing else.
    pub const fn around(slot: u64, body: B) -> Self {
        Self {
            slot,
            proposer_index: 0,
            parent_root: B256::ZERO,
            state_root: B256::ZERO,
            body,
        }
    }

    /// Ready to be signed.
    pub fn unsigned(&self) -> UnsignedBlock {
        UnsignedBlock {
            bytes: self.as_ssz_bytes(),
            root: self.tree_hash_root(),
        }
    }
}

impl ExecutionPayloadHeader {
    /// The blinded block with which a proposer asks for the payload of this header.
    pub fn blinded_block(&self) -> UnsignedBlock {
        match self.clone() {
            Self::Bellatrix(header) => {
                let slot = header.block_number;
                BeaconBlock::around(slot, BeaconBlockBodyBellatrix::around(header)).unsigned()
            }
            Self::Capella(header) => {
                let slot = header.block_number;
                BeaconBlock::around(slot, BeaconBlockBodyCapella::around(header)).unsigned()
            }
            Self::Deneb(header) => {
                let slot = header.block_number;
                BeaconBlock::around(slot, BeaconBlockBodyDeneb::around(header)).unsigned()
            }
        }
    }
}

macro_rules! around {
    ($($body:ident { $($newer:ident),* })*) => {$(
        impl<P: Encode + Decode + TreeHash> $body<P> {
            /// The body with this payload or header and nothing else.
            pub fn around(payload: P) -> Self {
                Self {
                    randao_reveal: FixedBytes::ZERO,
                    eth1_data: Eth1Data::default(),
                    graffiti: B256::ZERO,
                    proposer_slashings: VariableList::default(),
                    attester_slashings: VariableList::default(),
                    attestations: VariableList::default(),
                    deposits: VariableList::default(),
                    voluntary_exits: VariableList::default(),
                    sync_aggregate: SyncAggregate::default(),
                    payload,
                    $($newer: VariableList::default(),)*
                }
            }
        }
    )*};
}

around! {
    BeaconBlockBodyBellatrix {}
    BeaconBlockBodyCapella { bls_to_execution_changes }
    BeaconBlockBodyDeneb { bls_to_execution_changes, blob_kzg_commitments }
}
