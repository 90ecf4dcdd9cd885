//! Records made by hand, for tests.

use alloy_primitives::{B256, Bytes, keccak256};
use blockwright_flashblocks::{OpFlashblockPayload, OpFlashblockPayloadDelta};
use serde_json::json;

use crate::{
    BlockRecord, CrowdRecord, Frame, Load, Machine, Pace, ProcessUsage, RunPlan, RunRecord,
    SentTransaction, TroubleRecord, TxOutcome, standard_set,
};

/// First fork choice, in microseconds since the epoch.
pub(crate) const START_US: u64 = 1_700_000_000_000_000;
/// The fixture's interval in microseconds.
pub(crate) const INTERVAL_US: u64 = 250_000;
/// How long a transaction of the fixture waits for its flashblock, in microseconds.
pub(crate) const WAIT_US: u64 = 100_000;
/// When a block's payload is there, in microseconds after its fork choice.
pub(crate) const SEALED_US: u64 = 950_000;
/// Arrival of flashblock 0 after the fork choice, in microseconds.
pub(crate) const FIRST_US: u64 = 5_000;
/// Gas of each block.
pub(crate) const GAS: u64 = 105_000;
/// Gas limit of each block.
pub(crate) const GAS_LIMIT: u64 = 1_000_000;

/// A block to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct BlockScript {
    /// Index and content of each flashblock in order of arrival.
    pub(crate) flashblocks: Vec<(u64, Vec<Bytes>)>,
    /// Content of the sealed block.
    pub(crate) sealed: Vec<Bytes>,
    /// State root of the sealed block.
    pub(crate) state_root: B256,
}

/// The bytes of the fixture's transaction `number`.
pub(crate) fn transaction(number: u64) -> Bytes {
    Bytes::from([&[2], &number.to_be_bytes()[..]].concat())
}

fn deposit(block: u64) -> Bytes {
    Bytes::from([&[0x7e], &block.to_be_bytes()[..]].concat())
}

/// `count` blocks of a correct builder: a deposit in flashblock 0, one transaction of the load in
/// each of the four others.
pub(crate) fn honest(count: u64) -> Vec<BlockScript> {
    (0..count)
        .map(|block| {
            let loaded = (1..=4).map(|index| (index, vec![transaction(block * 4 + index)]));
            let flashblocks: Vec<_> = std::iter::once((0, vec![deposit(block)]))
                .chain(loaded)
                .collect();
            let sealed = flashblocks.iter().flat_map(|(_, content)| content.clone());
            BlockScript {
                sealed: sealed.collect(),
                flashblocks,
                state_root: B256::repeat_byte(1),
            }
        })
        .collect()
}

/// The record of a run in which every block was under load. Flashblocks after index 0 arrive every
/// 250 ms across blocks; every transaction of an honest run was sent 100 ms before its flashblock.
pub(crate) fn record(scripts: &[BlockScript]) -> RunRecord {
    let count = scripts.len() as u64;
    let blocks: Vec<_> = (0..)
        .zip(scripts)
        .map(|(block, script)| block_record(block, script))
        .collect();
    let frames = (0..)
        .zip(scripts)
        .flat_map(|(block, script)| frames(block, script));
    RunRecord {
        plan: plan(count),
        client_version: Some("fixture/v1".to_owned()),
        started_us: START_US,
        ended_us: START_US + count * 1_000_000,
        transactions: (1..=count * 4).map(sent).collect(),
        blocks_under_load: blocks.len(),
        blocks,
        slots_missed: 0,
        frames: frames.collect(),
        stream_error: None,
        crowd: CrowdRecord::default(),
        trouble: TroubleRecord::default(),
        resuming: None,
        builder: Some(ProcessUsage {
            cpu_s: 1.5,
            rss_peak_bytes: 123_456_789,
        }),
        meter: ProcessUsage {
            cpu_s: 0.039,
            rss_peak_bytes: 20_000_000,
        },
        machine: Machine {
            cpu: "fixture".to_owned(),
            cores: 2,
            memory_bytes: 1,
            kernel: "6".to_owned(),
            other_cpu_s: 0.78,
        },
        validations: Vec::new(),
    }
}

/// Arrival of a flashblock, in microseconds since the epoch.
pub(crate) fn arrival_us(block: u64, index: u64) -> u64 {
    let start_us = START_US + block * 1_000_000;
    match index {
        0 => start_us + FIRST_US,
        _ => start_us + index * INTERVAL_US - 75_000,
    }
}

/// The JSON of a flashblock.
pub(crate) fn frame_bytes(block: u64, index: u64, content: &[Bytes]) -> bytes::Bytes {
    let mut flashblock = OpFlashblockPayload {
        index,
        diff: OpFlashblockPayloadDelta {
            state_root: B256::repeat_byte(1),
            transactions: content.to_vec(),
            ..OpFlashblockPayloadDelta::default()
        },
        ..OpFlashblockPayload::default()
    };
    flashblock.payload_id.0 = payload_id(block).into();
    flashblock.metadata.block_number = block + 1;
    serde_json::to_vec(&flashblock).unwrap().into()
}

/// The JSON of a sealed block.
pub(crate) fn envelope(sealed: &[Bytes], state_root: B256) -> bytes::Bytes {
    let payload = json!({
        "executionPayload": {
            "stateRoot": state_root,
            "gasUsed": format!("{GAS:#x}"),
            "gasLimit": format!("{GAS_LIMIT:#x}"),
            "transactions": sealed,
        },
    });
    payload.to_string().into_bytes().into()
}

fn payload_id(block: u64) -> [u8; 8] {
    (block + 100).to_be_bytes()
}

fn plan(blocks: u64) -> RunPlan {
    let mut plan = standard_set().remove(0);
    plan.name = "fixture".to_owned();
    plan.load = Load::Transfers;
    plan.pace = Pace::Rate { tx_per_s: 4.0 };
    plan.blocks = blocks;
    plan
}

fn sent(number: u64) -> SentTransaction {
    let (block, index) = ((number - 1) / 4, (number - 1) % 4 + 1);
    SentTransaction {
        hash: keccak256(transaction(number)),
        sent_us: arrival_us(block, index) - WAIT_US,
        outcome: TxOutcome::Accepted,
    }
}

fn block_record(block: u64, script: &BlockScript) -> BlockRecord {
    let started_us = START_US + block * 1_000_000;
    BlockRecord {
        number: block + 1,
        hash: B256::from([block as u8 + 1; 32]),
        timestamp_s: started_us / 1_000_000 + 1,
        payload_id: payload_id(block),
        started_us,
        sealed_us: started_us + SEALED_US,
        slip_us: 300,
        fork_choice_us: 1_000 + block,
        get_payload_us: 2_000 + block,
        new_payload_us: 3_000 + block,
        fork_choice_head_us: 4_000 + block,
        envelope: envelope(&script.sealed, script.state_root),
    }
}

fn frames(block: u64, script: &BlockScript) -> Vec<Frame> {
    let frames = script.flashblocks.iter();
    frames
        .map(|(index, content)| Frame {
            at_us: arrival_us(block, *index),
            bytes: frame_bytes(block, *index, content),
        })
        .collect()
}
