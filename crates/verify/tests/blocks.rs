//! Whole streams under every fork, and what is said of them.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_flashblocks::{OpFlashblockPayload, decode_v1};
use blockwright_types::OpFork;
use blockwright_verify::{
    Accumulator, BlockError, BlockRules, Outcome, Prefix, Verifier, VerifierRules,
    decode_transactions,
};
use support::{Stream, complaints, stream, verify};

fn append(block: &mut Accumulator, flashblock: &OpFlashblockPayload) -> Result<Prefix, BlockError> {
    let transactions = decode_transactions(flashblock)?;
    block.append(flashblock, &transactions)
}

fn opened(rules: BlockRules, stream: &Stream) -> Accumulator {
    let base = stream.flashblocks[0].base.as_ref().unwrap();
    Accumulator::open(rules, base).unwrap()
}

#[test]
fn every_fork_accumulates_to_the_stated_headers() {
    for fork in OpFork::ALL {
        let stream = stream(fork, 100, &[3, 0, 5, 140]);
        let mut block = opened(BlockRules::new(fork), &stream);
        let mut transactions = 0;
        for (flashblock, header) in stream.flashblocks.iter().zip(&stream.headers) {
            transactions += flashblock.diff.transactions.len();
            let prefix = append(&mut block, flashblock)
                .unwrap_or_else(|error| panic!("{fork}, {}: {error}", flashblock.index));
            let wanted = Prefix {
                index: flashblock.index,
                block_hash: Some(header.hash_slow()),
                transactions,
                gas_used: header.gas_used,
                receipts_verified: true,
                footprint_verified: fork >= OpFork::Jovian,
            };
            assert_eq!(prefix, wanted, "{fork}");
            assert_eq!(block.header(), header, "{fork}");
        }
    }
}

/// op-alloy's own conversion makes the same block of the payload.
#[test]
fn the_payload_is_the_block_in_the_forks_version() {
    for fork in OpFork::ALL {
        let stream = stream(fork, 7, &[4, 2]);
        let mut block = opened(BlockRules::new(fork), &stream);
        assert!(block.execution_data().is_none());
        for flashblock in &stream.flashblocks {
            append(&mut block, flashblock).unwrap();
        }
        let data = block.execution_data().unwrap();
        let header = stream.headers.last().unwrap();
        assert_eq!(data.payload.block_hash(), header.hash_slow(), "{fork}");
        let rebuilt = data
            .payload
            .into_block_with_sidecar_raw(&data.sidecar)
            .unwrap();
        assert_eq!(rebuilt.header, *header, "{fork}");
        let all = stream.flashblocks.iter();
        let all: Vec<_> = all.flat_map(|f| f.diff.transactions.clone()).collect();
        assert_eq!(rebuilt.body.transactions, all, "{fork}");
    }
}

#[test]
fn frames_survive_json() {
    let stream = stream(OpFork::Karst, 9, &[6, 3]);
    let frames = stream.flashblocks.iter();
    let read: Vec<_> = frames
        .map(|flashblock| decode_v1(&serde_json::to_vec(flashblock).unwrap()).unwrap())
        .collect();
    let reports = verify(OpFork::Karst, &read);
    assert!(reports.iter().all(blockwright_verify::Report::is_clean));
}

#[test]
fn without_roots_a_prefix_is_no_block() {
    for fork in [OpFork::Granite, OpFork::Karst] {
        let mut stream = stream(fork, 100, &[3, 2]);
        for flashblock in &mut stream.flashblocks {
            flashblock.diff.state_root = B256::ZERO;
            flashblock.diff.block_hash = B256::ZERO;
            flashblock.diff.withdrawals_root = B256::ZERO;
        }
        let mut block = opened(BlockRules::new(fork), &stream);
        for flashblock in &stream.flashblocks {
            let prefix = append(&mut block, flashblock).unwrap();
            assert_eq!((prefix.block_hash, prefix.receipts_verified), (None, true));
        }
        assert!(block.execution_data().is_none());
        let strict = BlockRules {
            roots_required: true,
            ..BlockRules::new(fork)
        };
        let refused = append(&mut opened(strict, &stream), &stream.flashblocks[0]);
        assert!(matches!(refused, Err(BlockError::RootsAbsent)));
    }
}

#[test]
fn minimal_metadata_leave_the_hash_to_prove() {
    let mut stream = stream(OpFork::Jovian, 100, &[3, 2]);
    for flashblock in &mut stream.flashblocks {
        flashblock.metadata.receipts.clear();
        flashblock.metadata.new_account_balances.clear();
    }
    let mut block = opened(BlockRules::new(OpFork::Jovian), &stream);
    for (flashblock, header) in stream.flashblocks.iter().zip(&stream.headers) {
        let prefix = append(&mut block, flashblock).unwrap();
        assert!(!prefix.receipts_verified && prefix.footprint_verified);
        assert_eq!(prefix.block_hash, Some(header.hash_slow()));
    }
    let strict = verify(OpFork::Jovian, &stream.flashblocks);
    assert!(complaints(&strict)[0].starts_with("ReceiptsAbsent { transactions: 2 }"));
}

#[test]
fn the_spec_dialects_missing_field_is_computed() {
    for fork in [OpFork::Canyon, OpFork::Isthmus, OpFork::Jovian] {
        let mut stream = stream(fork, 100, &[3]);
        for flashblock in &mut stream.flashblocks {
            flashblock.diff.blob_gas_used = None;
        }
        let mut verifier = Verifier::new(VerifierRules::spec());
        for (flashblock, header) in stream.flashblocks.into_iter().zip(&stream.headers) {
            let report = verifier.check(&Arc::new(flashblock), |_| fork);
            let prefix = report.block.unwrap().unwrap();
            assert_eq!(prefix.block_hash, Some(header.hash_slow()), "{fork}");
        }
    }
}

#[test]
fn a_refuted_payload_stays_refuted_and_the_next_one_starts_anew() {
    let (mut one, two) = (
        stream(OpFork::Karst, 1, &[2, 2, 2]),
        stream(OpFork::Karst, 2, &[2]),
    );
    one.flashblocks[1].diff.state_root = B256::repeat_byte(1);
    one.flashblocks.extend(two.flashblocks);
    let reports = verify(OpFork::Karst, &one.flashblocks);
    let said: Vec<String> = complaints(&reports);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].starts_with("BlockHash"), "{said:?}");
    assert_eq!(said[1..], ["Broken", "Broken"]);
    assert!(reports[4].is_clean() && reports[5].is_clean());
}

#[test]
fn what_is_handed_in_must_be_the_flashblocks_own() {
    let stream = stream(OpFork::Karst, 1, &[3]);
    let [first, second] = &stream.flashblocks[..] else {
        panic!("two flashblocks");
    };
    let txs = decode_transactions(first).unwrap();
    let others = decode_transactions(second).unwrap();
    let rules = BlockRules::new(OpFork::Karst);
    let swapped = opened(rules, &stream).append(first, &others);
    assert!(matches!(swapped, Err(BlockError::Given { position: 0 })));
    let short = opened(rules, &stream).append(first, &txs[..1]);
    assert!(matches!(short, Err(BlockError::Given { position: 1 })));
    let mut block = opened(rules, &stream);
    assert!(matches!(
        block.append(second, &others),
        Err(BlockError::Index {
            expected: 0,
            got: 1
        })
    ));
    block.append(first, &txs).unwrap();
    let small = BlockRules {
        size_max_bytes: 100,
        ..rules
    };
    let large = opened(small, &stream).append(first, &txs);
    assert!(matches!(large, Err(BlockError::Size { max_bytes: 100 })));
}

#[test]
fn a_transaction_comes_once() {
    let mut stream = stream(OpFork::Karst, 1, &[3, 1]);
    let repeated = stream.flashblocks[1].diff.transactions[2].clone();
    stream.flashblocks[2].diff.transactions.push(repeated);
    let said = complaints(&verify(OpFork::Karst, &stream.flashblocks));
    assert!(
        said[0].starts_with("Repeated { position: 1, ") && said[0].ends_with("first_index: 1 }"),
        "{said:?}"
    );
}

#[test]
fn a_base_no_header_can_have_is_refused() {
    let base = |change: &dyn Fn(&mut OpFlashblockPayload)| {
        let mut stream = stream(OpFork::Canyon, 1, &[]);
        change(&mut stream.flashblocks[0]);
        complaints(&verify(OpFork::Canyon, &stream.flashblocks)).remove(0)
    };
    let fee = base(&|f| f.base.as_mut().unwrap().base_fee_per_gas = alloy_primitives::U256::MAX);
    assert!(fee.starts_with("BaseFee"), "{fee}");
    let extra = base(&|f| f.base.as_mut().unwrap().extra_data = vec![0; 9].into());
    assert!(extra.starts_with("ExtraData(Length"), "{extra}");
    let root = base(&|f| f.base.as_mut().unwrap().parent_beacon_block_root = B256::repeat_byte(1));
    assert!(root.starts_with("BeaconRoot"), "{root}");
    let passed = base(&|f| f.diff.withdrawals.push(Default::default()));
    assert!(passed.starts_with("Withdrawals(1)"), "{passed}");
}

fn golden() -> Vec<OpFlashblockPayload> {
    let folder = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("../flashblocks/tests/golden");
    let names = ["0_opening", "1_every_type", "2_empty", "3_before_ecotone"];
    let frames = names.map(|name| std::fs::read(folder.join(format!("v1_{name}.json"))).unwrap());
    frames
        .iter()
        .map(|frame| decode_v1(frame).unwrap())
        .collect()
}

/// The golden frames are a sequence, but their roots and signatures are made up; the first thing
/// that is not true is named.
#[test]
fn golden_frames_are_a_sequence_with_made_up_contents() {
    let golden = golden();
    let jovian = verify(OpFork::Jovian, &golden);
    let accepted = jovian.iter().all(|report| report.outcome.is_accepted());
    assert!(accepted, "{:?}", complaints(&jovian));
    assert!(complaints(&jovian)[0].starts_with("ExtraData(Length"));
    let bedrock = verify(OpFork::Bedrock, &golden[3..]);
    assert!(complaints(&bedrock)[0].starts_with("ReceiptsRoot"));
    let late = verify(OpFork::Bedrock, &golden[1..3]);
    let waits = |outcome: &Outcome| matches!(outcome, Outcome::NotBegun);
    assert!(late.iter().all(|report| waits(&report.outcome)));
}
