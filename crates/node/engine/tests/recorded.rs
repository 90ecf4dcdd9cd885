//! What a real op-node asked a real engine, replayed. The recording is trimmed: large blooms and long
//! lists are cut; what was cut is filled in where it is known and left out where it is not.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;

use alloy_primitives::{B256, Bloom};
use blockwright_chain::dev::{DevGenesis, GenesisAccount};
use blockwright_chain::{L1_ATTRIBUTES_DEPOSITOR, L1Attributes};
use blockwright_engine::{
    ExecutionPayload, ForkchoiceVersion, GetPayloadVersion, NewPayloadVersion, PayloadEnvelope,
};
use blockwright_state::StoreConfig;
use blockwright_types::OpFork;
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use serde_json::Value;
use support::{Rig, state};

/// The recorded exchanges; `None` (with a notice) where the folder is not given outside CI.
fn recording() -> Option<Vec<Value>> {
    let Some(folder) = std::env::var_os("BLOCKWRIGHT_BLOCKS") else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "BLOCKWRIGHT_BLOCKS must name the folder with recorded data"
        );
        println!("skipped: BLOCKWRIGHT_BLOCKS is not set");
        return None;
    };
    let path = PathBuf::from(folder).join("engine/op-node-v1.19.6.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

/// Fills in zero blooms and empty lists; `None` where more was cut.
fn complete(value: &Value) -> Option<Value> {
    let text = value
        .to_string()
        .replace("0x00..(zero bloom)", &Bloom::ZERO.to_string());
    (!text.contains("..(")).then(|| serde_json::from_str(&text).unwrap())
}

fn of<'a>(rows: &'a [Value], method: &str) -> impl Iterator<Item = &'a Value> {
    rows.iter().filter(move |row| {
        row["http"] == 200 && row["req"]["method"].as_str().unwrap().starts_with(method)
    })
}

#[test]
fn real_blocks_engine_payload_ids_are_those_of_the_recorded_engine() {
    let Some(rows) = recording() else { return };
    let mut compared = 0;
    for row in of(&rows, "engine_forkchoiceUpdated") {
        let Some(params) = complete(&row["req"]["params"]) else {
            continue;
        };
        let id = &row["resp"]["result"]["payloadId"];
        if params[1].is_null() || id.is_null() {
            continue;
        }
        let attributes: OpPayloadAttributes = serde_json::from_value(params[1].clone()).unwrap();
        let parent: B256 = serde_json::from_value(params[0]["headBlockHash"].clone()).unwrap();
        assert_eq!(
            &attributes.payload_id(&parent, 3).to_string(),
            id.as_str().unwrap()
        );
        compared += 1;
    }
    assert!(compared >= 15, "only {compared}");
}

/// Made by op-geth's own function; the devnet's Go module checks that they are.
const PAYLOAD_IDS: &str = include_str!("../../../../tests/devnet/payloadid/vectors.json");

#[test]
fn payload_ids_are_op_geths_in_both_versions() {
    let vectors: Vec<Value> = serde_json::from_str(PAYLOAD_IDS).unwrap();
    let mut versions = BTreeSet::new();
    for vector in &vectors {
        let attributes: OpPayloadAttributes =
            serde_json::from_value(vector["attributes"].clone()).unwrap();
        let parent: B256 = serde_json::from_value(vector["parent"].clone()).unwrap();
        let version = u8::try_from(vector["version"].as_u64().unwrap()).unwrap();
        let id = attributes.payload_id(&parent, version).to_string();
        assert_eq!(&id, vector["id"].as_str().unwrap(), "{}", vector["name"]);
        versions.insert(version);
    }
    assert_eq!(versions, BTreeSet::from([3, 4]));
}

#[test]
fn real_blocks_engine_recorded_payloads_hash_to_their_block_hash() {
    let Some(rows) = recording() else { return };
    let mut compared = 0;
    for row in of(&rows, "engine_newPayloadV4") {
        let params = &row["req"]["params"];
        let Some(payload) = complete(&params[0]) else {
            continue;
        };
        let payload: ExecutionPayload = serde_json::from_value(payload).unwrap();
        let root: B256 = serde_json::from_value(params[2].clone()).unwrap();
        let header = payload.header(OpFork::Jovian, Some(root));
        assert_eq!(
            header.hash_slow(),
            payload.block_hash,
            "block {}",
            payload.block_number
        );
        compared += 1;
    }
    assert!(compared >= 10, "only {compared}");
}

#[test]
fn real_blocks_engine_recorded_envelopes_survive_a_round_trip() {
    let Some(rows) = recording() else { return };
    let mut compared = 0;
    for row in of(&rows, "engine_getPayload") {
        let Some(mut recorded) = complete(&row["resp"]["result"]) else {
            continue;
        };
        let envelope: PayloadEnvelope = serde_json::from_value(recorded.clone()).unwrap();
        // op-geth writes a field of a later fork as null.
        recorded["executionPayload"]
            .as_object_mut()
            .unwrap()
            .remove("slotNumber");
        assert_eq!(serde_json::to_value(&envelope).unwrap(), recorded);
        compared += 1;
    }
    assert!(compared >= 10, "only {compared}");
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// Block 1 and its cycle: with the recorded attributes our block has the recorded gas, receipts, fee
/// and extra data. State root and hashes differ, for the recorded chain's allocation is not known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_blocks_engine_first_block_of_the_recording() {
    let Some(rows) = recording() else { return };
    let started = of(&rows, "engine_forkchoiceUpdatedV3").nth(1).unwrap();
    let recorded = &of(&rows, "engine_getPayloadV4").next().unwrap()["resp"]["result"];
    let attributes: OpPayloadAttributes =
        serde_json::from_value(started["req"]["params"][1].clone()).unwrap();
    // The recorded chain's genesis is that of a running chain: its depositor sent one before.
    let depositor = GenesisAccount::default().with_nonce(Some(1));
    let chain = support::spec(&DevGenesis {
        alloc: [(L1_ATTRIBUTES_DEPOSITOR, depositor)].into(),
        fork: OpFork::Jovian,
        timestamp: attributes.payload_attributes.timestamp - 2,
        gas_limit: attributes.gas_limit.unwrap(),
        l1_attributes: L1Attributes::default(),
        ..DevGenesis::default()
    });
    let rig = Rig::on(chain, &StoreConfig::in_memory());
    let fork_choice = state(rig.genesis(), rig.genesis(), rig.genesis());
    let answer = rig
        .engine
        .fork_choice_updated(ForkchoiceVersion::V3, fork_choice, Some(attributes))
        .await
        .unwrap();
    let answer_json = serde_json::to_value(&answer).unwrap();
    let expected = &started["resp"]["result"];
    assert_eq!(keys(&answer_json), keys(expected));
    assert_eq!(
        keys(&answer_json["payloadStatus"]),
        keys(&expected["payloadStatus"])
    );
    let id = answer.payload_id.unwrap();
    let envelope = rig
        .engine
        .get_payload(GetPayloadVersion::V4, id)
        .await
        .unwrap();
    let ours = serde_json::to_value(&envelope).unwrap();
    assert_eq!(keys(&ours), keys(recorded));
    let mut recorded_keys = keys(&recorded["executionPayload"]);
    recorded_keys.remove("slotNumber");
    assert_eq!(keys(&ours["executionPayload"]), recorded_keys);
    for field in [
        "gasUsed",
        "gasLimit",
        "receiptsRoot",
        "extraData",
        "baseFeePerGas",
        "blobGasUsed",
        "transactions",
        "timestamp",
        "feeRecipient",
        "prevRandao",
        "blockNumber",
        "withdrawals",
    ] {
        let (ours, recorded) = (&ours["executionPayload"], &recorded["executionPayload"]);
        assert_eq!(ours[field], recorded[field], "{field}");
    }
    let root = envelope.parent_beacon_block_root;
    let payload = envelope.execution_payload;
    let status = rig
        .engine
        .new_payload(NewPayloadVersion::V4, payload, root)
        .await
        .unwrap();
    assert!(status.is_valid());
    rig.stop().await;
}
