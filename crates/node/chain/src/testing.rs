//! What several test modules need.

use std::io::Read;
use std::path::{Path, PathBuf};

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH, Header};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::B256;
use blockwright_types::OpFork;
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::dev::DevGenesis;
use crate::{ChainSpec, FeeParams, encode_extra_data};

/// Whether a missing prerequisite fails a test instead of skipping it.
pub(crate) fn on_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// The folder of recorded blocks, or `None` where the test is to be skipped.
pub(crate) fn recorded_blocks() -> Option<PathBuf> {
    let folder = std::env::var_os("BLOCKWRIGHT_BLOCKS").map(PathBuf::from);
    if folder.is_none() {
        assert!(
            !on_ci(),
            "BLOCKWRIGHT_BLOCKS must name the folder of recorded blocks"
        );
        eprintln!("skipped: BLOCKWRIGHT_BLOCKS is not set");
    }
    folder
}

pub(crate) fn read_gz_json(path: &Path) -> Value {
    let compressed = std::fs::read(path).unwrap();
    let mut json = Vec::new();
    GzDecoder::new(compressed.as_slice())
        .read_to_end(&mut json)
        .unwrap();
    serde_json::from_slice(&json).unwrap()
}

pub(crate) fn op_sepolia_genesis() -> Vec<u8> {
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let path = Path::new(&package).join("data/op_sepolia_genesis.json.gz");
    serde_json::to_vec(&read_gz_json(&path)).unwrap()
}

/// A chain with `fork` in force from the start.
pub(crate) fn chain_at(fork: OpFork) -> ChainSpec {
    chain_of(&dev_document(fork))
}

pub(crate) fn dev_document(fork: OpFork) -> Value {
    let genesis = DevGenesis {
        fork,
        timestamp: 1_700_000_000,
        ..DevGenesis::default()
    };
    genesis.build().unwrap()
}

pub(crate) fn chain_of(document: &Value) -> ChainSpec {
    ChainSpec::from_genesis_json(&serde_json::to_vec(document).unwrap()).unwrap()
}

/// A header that may follow `parent` two seconds later under `chain`'s rules, without
/// transactions.
pub(crate) fn child_of(chain: &ChainSpec, parent: &Header) -> Header {
    let timestamp = parent.timestamp + 2;
    let fork = chain.fork_at(timestamp);
    let params = FeeParams {
        denominator: 250,
        elasticity: 6,
        min_base_fee: 0,
    };
    Header {
        parent_hash: parent.hash_slow(),
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        number: parent.number + 1,
        gas_limit: 60_000_000,
        timestamp,
        extra_data: encode_extra_data(fork, &params),
        base_fee_per_gas: Some(chain.next_base_fee(parent, timestamp).unwrap()),
        withdrawals_root: (fork >= OpFork::Canyon).then_some(EMPTY_ROOT_HASH),
        blob_gas_used: (fork >= OpFork::Ecotone).then_some(0),
        excess_blob_gas: (fork >= OpFork::Ecotone).then_some(0),
        parent_beacon_block_root: (fork >= OpFork::Ecotone).then_some(B256::ZERO),
        requests_hash: (fork >= OpFork::Isthmus).then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}
