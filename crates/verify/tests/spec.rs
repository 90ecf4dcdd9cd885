//! Dialect `spec`: hash chain, metadata, pairs with JSON frames, signatures.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../../../fuzz/src/feed_spec.rs"]
mod feed_spec;
mod support;

use std::sync::Arc;

use alloy_primitives::{Address, B256, FixedBytes, U256, address};
use blockwright_flashblocks::{
    FlashblocksMetadata, FlashblocksPayloadV1, OpFlashblockPayload, SPEC_VERSION, SpecDecodeError,
    TransactionMetadata, decode_spec,
};
use blockwright_signer::{InvalidSignature, LocalSigner, SecretText, Signer as _};
use blockwright_types::OpFork;
use blockwright_verify::{
    ChainError, Link, MemoryLimits, PairDifference, Report, SignatureError, SpecChain,
    SpecMetadataError, Verifier, VerifierRules, check_signature, compare_pair, spec_payload,
};
use support::{complaints, stream};

const KEY: &str = "4646464646464646464646464646464646464646464646464646464646464646";
const SIGNER: Address = address!("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");

/// The same flashblocks as containers, without accounts, each with the hash of the one before.
fn containers(flashblocks: &[OpFlashblockPayload]) -> Vec<FlashblocksPayloadV1> {
    let mut all: Vec<FlashblocksPayloadV1> = Vec::new();
    let mut gas_before = 0;
    for json in flashblocks {
        let mut outcomes = vec![TransactionMetadata {
            status: 1,
            gas_used: json.diff.gas_used - gas_before,
            contract_address: None.into(),
        }];
        outcomes.resize(
            json.diff.transactions.len(),
            TransactionMetadata {
                status: 0,
                gas_used: 0,
                contract_address: None.into(),
            },
        );
        gas_before = json.diff.gas_used;
        let mut container = FlashblocksPayloadV1 {
            version: SPEC_VERSION,
            payload_id: json.payload_id.0,
            parent_flash_hash: all.last().map(FlashblocksPayloadV1::flash_hash).into(),
            index: json.index,
            base: json
                .base
                .as_ref()
                .map(|base| base.try_into().unwrap())
                .into(),
            diff: (&json.diff).try_into().unwrap(),
            metadata: FlashblocksMetadata::default(),
        };
        container.metadata.transactions = outcomes.try_into().unwrap();
        all.push(container);
    }
    all
}

/// The pinned containers of one payload.
fn golden() -> Vec<(FlashblocksPayloadV1, B256)> {
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let folder = std::path::Path::new(&package).join("../flashblocks/tests/golden");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    [
        "0_opening",
        "1_every_type",
        "2_empty",
        "3_contracts",
        "4_contracts_again",
    ]
    .into_iter()
    .map(|name| {
        let bytes = alloy_primitives::hex::decode(read(&format!("spec_{name}.ssz.hex")).trim());
        let told: serde_json::Value =
            serde_json::from_str(&read(&format!("spec_{name}.json"))).unwrap();
        let hash = told["hash_tree_root"].as_str().unwrap().parse().unwrap();
        (decode_spec(&bytes.unwrap()).unwrap(), hash)
    })
    .collect()
}

/// A payload of three flashblocks in both forms.
fn both() -> (Vec<OpFlashblockPayload>, Vec<FlashblocksPayloadV1>) {
    let json = stream(OpFork::Jovian, 7, &[3, 1]).flashblocks;
    let spec = containers(&json);
    (json, spec)
}

fn verify_spec(fork: OpFork, flashblocks: &[FlashblocksPayloadV1], number: u64) -> Vec<Report> {
    let mut verifier = Verifier::new(VerifierRules::spec());
    let payloads = flashblocks
        .iter()
        .map(|flashblock| Arc::new(spec_payload(flashblock, number)));
    payloads
        .map(|payload| verifier.check(&payload, |_| fork))
        .collect()
}

#[test]
fn the_golden_chain_holds_and_names_its_block() {
    let mut chain = SpecChain::default();
    for (flashblock, hash) in golden() {
        let report = chain.check(&flashblock);
        assert_eq!(report.flash_hash, hash);
        assert_eq!(report.link, Ok(Link::Proved), "{}", flashblock.index);
        assert_eq!(report.metadata, Ok(()), "{}", flashblock.index);
        assert!(report.block_number.is_some());
        // A repetition is nothing wrong.
        assert_eq!(chain.check(&flashblock).link, Ok(Link::Proved));
    }
}

#[test]
fn a_parent_that_is_not_the_one_before_is_found() {
    let (_, mut spec) = both();
    let expected = Some(spec[0].flash_hash());
    spec[1].parent_flash_hash = Some(B256::repeat_byte(9)).into();
    let mut chain = SpecChain::default();
    assert_eq!(chain.check(&spec[0]).link, Ok(Link::Proved));
    let stated = Some(B256::repeat_byte(9));
    let wrong = ChainError::Parent { stated, expected };
    assert_eq!(chain.check(&spec[1]).link, Err(wrong));
    // Nor does the next one hang on what was changed.
    assert!(matches!(
        chain.check(&spec[2]).link,
        Err(ChainError::Parent { .. })
    ));
    spec[0].parent_flash_hash = stated.into();
    spec[1].parent_flash_hash = None.into();
    let mut chain = SpecChain::default();
    for flashblock in &spec[..2] {
        let link = chain.check(flashblock).link;
        assert!(matches!(link, Err(ChainError::Parent { .. })), "{link:?}");
    }
}

#[test]
fn what_was_not_seen_is_neither_proved_nor_wrong() {
    let (_, spec) = both();
    let mut chain = SpecChain::default();
    let report = chain.check(&spec[1]);
    assert_eq!((report.link, report.block_number), (Ok(Link::Open), None));
    assert_eq!(report.metadata, Ok(()));
    assert_eq!(chain.check(&spec[2]).link, Ok(Link::Proved));
    assert_eq!(chain.check(&spec[0]).block_number, Some(7));
    assert_eq!(chain.check(&spec[1]).link, Ok(Link::Proved));
}

#[test]
fn a_second_hash_for_one_place_is_found_though_only_metadata_differ() {
    let (_, spec) = both();
    let mut chain = SpecChain::default();
    let first = chain.check(&spec[0]).flash_hash;
    let mut other = spec[0].clone();
    let mut outcomes = other.metadata.transactions.to_vec();
    outcomes[0].status = 0;
    other.metadata.transactions = outcomes.try_into().unwrap();
    let second = other.flash_hash();
    let error = ChainError::Second { first, second };
    assert_eq!(chain.check(&other).link, Err(error));
    assert_eq!(
        chain.check(&spec[1]).link,
        Ok(Link::Proved),
        "the first stands"
    );
}

#[test]
fn the_past_is_bounded_and_the_chain_goes_on() {
    let limits = MemoryLimits {
        payloads_max: 1,
        flashblocks_max: 1,
        ..MemoryLimits::default()
    };
    let (_, spec) = both();
    let next = containers(&stream(OpFork::Jovian, 8, &[1]).flashblocks);
    let mut chain = SpecChain::new(limits);
    for flashblock in spec.iter().chain(&next) {
        assert_eq!(chain.check(flashblock).link, Ok(Link::Proved));
    }
    assert_eq!(chain.check(&spec[2]).link, Ok(Link::Open), "forgotten");
}

#[test]
fn metadata_that_contradict_the_flashblock_are_found() {
    let (_, spec) = both();
    let mut chain = SpecChain::default();
    chain.check(&spec[0]);
    let outcomes = spec[1].metadata.transactions.to_vec();
    let mut few = spec[1].clone();
    few.metadata.transactions = outcomes[1..].to_vec().try_into().unwrap();
    let error = SpecMetadataError::Outcomes {
        outcomes: 2,
        transactions: 3,
    };
    assert_eq!(chain.check(&few).metadata, Err(error));
    let mut more = outcomes;
    more[1].gas_used += 5;
    let mut gas = spec[1].clone();
    gas.metadata.transactions = more.try_into().unwrap();
    let stated = gas.diff.gas_used;
    let expected = stated + 5;
    let error = SpecMetadataError::Gas { stated, expected };
    assert_eq!(chain.check(&gas).metadata, Err(error));

    let (full, _) = golden().swap_remove(3);
    let mut reversed = full.clone();
    let mut accounts = reversed.metadata.accounts.to_vec();
    accounts.reverse();
    reversed.metadata.accounts = accounts.try_into().unwrap();
    let found = SpecChain::default().check(&reversed).metadata;
    assert!(
        matches!(found, Err(SpecMetadataError::AccountOrder { .. })),
        "{found:?}"
    );
    let mut accounts = full.metadata.accounts.to_vec();
    let with_slots = accounts
        .iter_mut()
        .find(|account| !account.storage_slots.is_empty());
    let account = with_slots.unwrap();
    let slot = account.storage_slots[0];
    account.storage_slots = vec![slot, slot].try_into().unwrap();
    let (address, key) = (account.address, slot.key);
    let mut repeated = full;
    repeated.metadata.accounts = accounts.try_into().unwrap();
    let found = SpecChain::default().check(&repeated).metadata;
    assert_eq!(found, Err(SpecMetadataError::SlotOrder { address, key }));
}

#[test]
fn a_block_is_accumulated_from_spec_under_every_fork() {
    for fork in OpFork::ALL {
        let json = stream(fork, 3, &[4, 0, 2]).flashblocks;
        let reports = verify_spec(fork, &containers(&json), 3);
        assert_eq!(complaints(&reports), Vec::<String>::new(), "{fork}");
        let last = reports.last().unwrap().block.as_ref().unwrap();
        let hash = last.as_ref().unwrap().block_hash;
        assert_eq!(hash, Some(json.last().unwrap().diff.block_hash), "{fork}");
    }
}

#[test]
fn a_changed_field_of_spec_is_found_by_the_block() {
    let (_, spec) = both();
    let mut changed = spec;
    changed[1].diff.receipts_root = B256::repeat_byte(1);
    let said = complaints(&verify_spec(OpFork::Jovian, &changed, 7));
    assert!(said[0].contains("BlockHash"), "{said:?}");
}

#[test]
fn the_two_dialects_of_one_flashblock_agree() {
    let (json, spec) = both();
    for (json, spec) in json.iter().zip(&spec) {
        assert_eq!(compare_pair(json, spec, true), Ok(()));
        let mut bare = json.clone();
        bare.diff.state_root = B256::ZERO;
        bare.diff.block_hash = B256::ZERO;
        bare.diff.withdrawals_root = B256::ZERO;
        assert_eq!(compare_pair(&bare, spec, false), Ok(()));
        assert!(compare_pair(&bare, spec, true).is_err());
    }
}

#[test]
fn every_difference_of_a_pair_is_named() {
    type Change = fn(&mut OpFlashblockPayload);
    let (json, spec) = both();
    let cases: [(&str, Change); 14] = [
        ("flashblock 5", |json| json.index = 5),
        ("payload 0x03", |json| {
            json.payload_id = blockwright_types::PayloadId::new([3; 8]);
        }),
        ("base", |json| json.base.as_mut().unwrap().gas_limit += 1),
        ("base", |json| json.base = None),
        ("block_number 8", |json| json.metadata.block_number = 8),
        ("gas_used", |json| json.diff.gas_used += 1),
        ("receipts_root", |json| json.diff.receipts_root.0[31] ^= 1),
        ("logs_bloom", |json| json.diff.logs_bloom.0[200] ^= 1),
        ("state_root", |json| json.diff.state_root.0[0] ^= 1),
        ("block_hash", |json| json.diff.block_hash.0[0] ^= 1),
        ("withdrawals_root", |json| {
            json.diff.withdrawals_root.0[9] ^= 1
        }),
        ("withdrawals differs", |json| {
            json.diff
                .withdrawals
                .push(alloy_eips::eip4895::Withdrawal::default());
        }),
        ("transaction 1", |json| json.diff.transactions.truncate(1)),
        ("transaction 0", |json| json.diff.transactions.swap(0, 1)),
    ];
    for (expected, change) in cases {
        let mut changed = json[0].clone();
        change(&mut changed);
        let said = compare_pair(&changed, &spec[0], true)
            .unwrap_err()
            .to_string();
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn the_balances_that_a_flashblock_changed_are_compared() {
    let (spec, _) = golden().swap_remove(1);
    let mut json = spec_payload(&spec, 100);
    assert_eq!(compare_pair(&json, &spec, true), Ok(()), "without balances");
    let changed: Vec<(Address, U256)> = spec
        .metadata
        .accounts
        .iter()
        .filter_map(|account| Some((account.address, (*account.balance)?)))
        .collect();
    let balances = &mut json.metadata.new_account_balances;
    balances.extend(changed.iter().copied());
    balances.insert(Address::repeat_byte(0xee), U256::from(1));
    assert_eq!(compare_pair(&json, &spec, true), Ok(()));
    let (address, balance) = changed[0];
    let mut difference = PairDifference::Balance {
        address,
        json: Some(balance + U256::from(1)),
        spec: balance,
    };
    let balances = &mut json.metadata.new_account_balances;
    *balances.get_mut(&address).unwrap() += U256::from(1);
    assert_eq!(compare_pair(&json, &spec, true).unwrap_err(), difference);
    json.metadata.new_account_balances.remove(&address);
    if let PairDifference::Balance { json, .. } = &mut difference {
        *json = None;
    }
    assert_eq!(compare_pair(&json, &spec, true).unwrap_err(), difference);
}

#[test]
fn a_signature_leads_to_its_signer() {
    let signer = LocalSigner::from_hex(&SecretText::new(KEY.to_owned())).unwrap();
    let (_, spec) = both();
    let hash = spec[0].flash_hash();
    let signature = signer.sign(hash).unwrap();
    let other = Address::repeat_byte(1);
    let check = |signature: Option<&FixedBytes<65>>, signers: &[Address]| {
        check_signature(hash, signature, signers)
    };
    assert_eq!(check(Some(&signature), &[other, SIGNER]), Ok(SIGNER));
    assert_eq!(check(None, &[SIGNER]), Err(SignatureError::Missing));
    let wrong = SignatureError::Signer { signer: SIGNER };
    assert_eq!(check(Some(&signature), &[other]), Err(wrong));
    assert!(wrong.to_string().contains(&SIGNER.to_string()));
    let mut bad = signature;
    bad[64] = 27;
    let invalid = SignatureError::Invalid(InvalidSignature::RecoveryId(27));
    assert_eq!(check(Some(&bad), &[SIGNER]), Err(invalid));
    // The signature of another flashblock is somebody else's.
    let moved = check_signature(spec[1].flash_hash(), Some(&signature), &[SIGNER]);
    assert!(moved.is_err_and(|error| error != SignatureError::Missing));
}

#[test]
fn unknown_versions_are_refused_by_name() {
    let version = FixedBytes::new([0, 0, 0, 2]);
    let error = decode_spec(&version.0).unwrap_err();
    assert_eq!(error, SpecDecodeError::UnknownVersion { version });
    assert!(error.to_string().contains("0x00000002"), "{error}");
}

/// The fuzz target over the golden payload, whole and with changed bytes.
#[test]
fn changed_bytes_of_spec_never_break_the_checks() {
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let folder = std::path::Path::new(&package).join("../flashblocks/tests/golden");
    let mut frames = Vec::new();
    for name in ["0_opening", "1_every_type", "2_empty", "3_contracts"] {
        let text = std::fs::read_to_string(folder.join(format!("spec_{name}.ssz.hex"))).unwrap();
        frames.push(alloy_primitives::hex::decode(text.trim()).unwrap());
    }
    let joined = |frames: &[Vec<u8>]| -> Vec<u8> {
        let framed = frames.iter().map(|frame| {
            let length = u32::try_from(frame.len()).unwrap();
            [&length.to_le_bytes()[..], frame].concat()
        });
        framed.collect::<Vec<_>>().concat()
    };
    assert_eq!(feed_spec::feed(&joined(&frames)), (4, 4));
    let mut seed = 0x5eed_u64;
    let mut below = |bound: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % bound as u64) as usize
    };
    let (mut read, mut linked) = (0, 0);
    for _ in 0..2_000 {
        let mut changed = frames.clone();
        for _ in 0..1 + below(3) {
            let frame = below(changed.len());
            let at = below(changed[frame].len());
            changed[frame][at] ^= 1 << below(8);
        }
        let (more, fine) = feed_spec::feed(&joined(&changed));
        read += more;
        linked += fine;
    }
    assert!(read > 3_000, "{read} frames were read");
    assert!(linked > 500 && linked < read, "{linked} were linked");
}
