//! Blocks that break a rule: each is INVALID by the name of what is wrong, and costs nothing else.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, Bloom, Bytes, U256, bytes};
use alloy_rpc_types_engine::{PayloadStatus, PayloadStatusEnum};
use blockwright_engine::{EngineError, NewPayloadVersion, PayloadEnvelope};
use blockwright_types::OpFork;
use support::payloads::rehashed;
use support::{Rig, transfer};

const WRONG: B256 = B256::repeat_byte(0xee);
const RECEIVER: Address = Address::repeat_byte(0x77);

fn reason(status: &PayloadStatus) -> &str {
    match &status.status {
        PayloadStatusEnum::Invalid { validation_error } => validation_error,
        other => panic!("expected INVALID, got {other:?}"),
    }
}

/// A change to a valid block and what the refusal must name.
type Case = (&'static str, fn(&mut PayloadEnvelope));

const CASES: &[Case] = &[
    ("gasUsed", |it| it.execution_payload.gas_used += 1),
    ("gasLimit", |it| it.execution_payload.gas_limit = 21_000),
    ("receiptsRoot", |it| {
        it.execution_payload.receipts_root = WRONG
    }),
    ("stateRoot", |it| it.execution_payload.state_root = WRONG),
    ("logsBloom", |it| {
        it.execution_payload.logs_bloom = Bloom::repeat_byte(1)
    }),
    ("withdrawalsRoot", |it| {
        it.execution_payload.withdrawals_root = Some(WRONG)
    }),
    ("blobGasUsed", |it| {
        it.execution_payload.blob_gas_used = Some(1)
    }),
    ("excessBlobGas", |it| {
        it.execution_payload.excess_blob_gas = Some(1)
    }),
    ("baseFeePerGas", |it| {
        it.execution_payload.base_fee_per_gas += U256::ONE
    }),
    ("baseFeePerGas", |it| {
        it.execution_payload.base_fee_per_gas = U256::MAX
    }),
    ("extraData", |it| {
        it.execution_payload.extra_data = Bytes::from_static(&[1, 2])
    }),
    ("number", |it| it.execution_payload.block_number += 1),
    ("timestamp", |it| it.execution_payload.timestamp -= 2),
    // These two are wrong only by what execution makes of them.
    ("stateRoot", |it| {
        it.execution_payload.fee_recipient = RECEIVER
    }),
    ("stateRoot", |it| it.parent_beacon_block_root = Some(WRONG)),
    ("gasUsed", |it| {
        drop(it.execution_payload.transactions.pop())
    }),
    ("transaction 2: nonce", |it| {
        let again = it.execution_payload.transactions[1].clone();
        it.execution_payload.transactions.push(again);
    }),
    ("transaction 2", |it| {
        it.execution_payload.transactions.push(bytes!("02c0"))
    }),
    ("withdrawals", |it| {
        it.execution_payload.withdrawals = Some(vec![Withdrawal::default()])
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_field_is_named_and_the_right_block_still_imports() {
    let source = Rig::new(OpFork::Karst);
    let rig = Rig::new(OpFork::Karst);
    let genesis = rig.genesis();
    let good = source.build(genesis, &[transfer(0, RECEIVER)]).await;
    for (name, change) in CASES {
        let bad = rehashed(&rig.chain, &good, change);
        let status = rig.import(&bad).await;
        assert!(reason(&status).contains(name), "{name}: {status:?}");
        assert!(
            !rig.store.contains(bad.execution_payload.block_hash),
            "{name}"
        );
    }
    assert!(rig.import(&good).await.is_valid());
    source.stop().await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_follows_an_invalid_block_is_invalid_too() {
    let rig = Rig::new(OpFork::Karst);
    let genesis = rig.genesis();
    let good = rig.build(genesis, &[]).await;
    let bad = rehashed(&rig.chain, &good, |it| {
        it.execution_payload.state_root = WRONG
    });
    let hash = bad.execution_payload.block_hash;
    for _ in 0..2 {
        let status = rig.import(&bad).await;
        assert!(reason(&status).contains("stateRoot"));
        assert_eq!(status.latest_valid_hash, Some(genesis));
    }
    let child = rehashed(&rig.chain, &good, |it| {
        it.execution_payload.parent_hash = hash;
        it.execution_payload.block_number = 2;
        it.execution_payload.timestamp += 2;
    });
    let status = rig.import(&child).await;
    assert_eq!(status.latest_valid_hash, Some(genesis), "{status:?}");
    for hash in [hash, child.execution_payload.block_hash] {
        let chosen = rig.choose(hash).await;
        assert!(chosen.is_invalid(), "{chosen:?}");
        assert_eq!(chosen.payload_status.latest_valid_hash, Some(genesis));
    }
    assert_eq!(rig.store.head().hash, genesis);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_block_hash_says_nothing_about_the_block_it_names() {
    let rig = Rig::new(OpFork::Karst);
    let good = rig.build(rig.genesis(), &[]).await;
    for changed in [false, true] {
        let mut bad = good.clone();
        if changed {
            // Our own block's hash over other contents.
            bad.execution_payload.gas_used += 1;
        } else {
            bad.execution_payload.block_hash = WRONG;
        }
        let status = rig.import(&bad).await;
        assert!(reason(&status).contains("blockHash"), "{status:?}");
        assert_eq!(status.latest_valid_hash, None);
    }
    assert!(rig.import(&good).await.is_valid());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_of_another_fork_are_invalid_params() {
    let rig = Rig::new(OpFork::Karst);
    let good = rig.build(rig.genesis(), &[]).await;
    let changes: [Case; 4] = [
        ("withdrawals", |it| it.execution_payload.withdrawals = None),
        ("withdrawalsRoot", |it| {
            it.execution_payload.withdrawals_root = None
        }),
        ("blobGasUsed", |it| {
            it.execution_payload.blob_gas_used = None
        }),
        ("parentBeaconBlockRoot", |it| {
            it.parent_beacon_block_root = None
        }),
    ];
    for (name, change) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        let payload = bad.execution_payload;
        let root = bad.parent_beacon_block_root;
        let answer = rig
            .engine
            .new_payload(NewPayloadVersion::V4, payload, root)
            .await;
        let error = answer.unwrap_err();
        assert!(matches!(error, EngineError::InvalidParams(_)), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let payload = good.execution_payload.clone();
    let answer = rig
        .engine
        .new_payload(NewPayloadVersion::V3, payload, None)
        .await;
    assert_eq!(answer.unwrap_err().code(), -38005);
    rig.stop().await;
}
