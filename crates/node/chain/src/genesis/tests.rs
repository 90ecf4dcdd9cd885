use alloy_primitives::{Address, B256, U256, address, b256};
use blockwright_types::{L2_TO_L1_MESSAGE_PASSER, OpFork};
use serde_json::{Value, json};

use super::*;
use crate::testing::{chain_of, dev_document, op_sepolia_genesis};

const SPELLINGS: &str = include_str!("../../data/spellings_genesis.json");

#[test]
fn op_sepolia_has_its_known_genesis_hash_and_forks() {
    let chain = ChainSpec::from_genesis_json(&op_sepolia_genesis()).unwrap();
    assert_eq!(chain.chain_id(), 11_155_420);
    assert_eq!(
        chain.genesis_hash(),
        b256!("102de6ffb001480cc9b8b548fd05c34cd4f46ae4aa91759393db90ea0409887d")
    );
    assert_eq!(chain.genesis_header().timestamp, 1_691_802_540);
    assert_eq!(chain.fork_at(1_691_802_540), OpFork::Regolith);
    assert_eq!(chain.fork_at(1_699_981_200), OpFork::Canyon);
    assert_eq!(chain.fork_at(1_744_905_599), OpFork::Holocene);
    assert_eq!(
        chain.activation(1_744_905_598, 1_744_905_600),
        Some(OpFork::Isthmus)
    );
    assert_eq!(chain.fork_at(1_763_568_001), OpFork::Jovian);
    assert_eq!(chain.fork_at(u64::MAX), OpFork::Karst);
}

#[test]
fn spellings_give_op_geths_hash() {
    let chain = ChainSpec::from_genesis_json(SPELLINGS.as_bytes()).unwrap();
    assert_eq!(
        chain.genesis_header().state_root,
        b256!("0646ae39a4524efaaf4ead57877eaa141bbc340c8d8f8c3cb4c63f5eb59572c5")
    );
    assert_eq!(
        chain.genesis_hash(),
        b256!("3b6d66d8a0b16a177147a9a774add9faeb9a8ee1a4e46d3fc521dbcd5a49ddd3")
    );
    let changes = chain.genesis_changes();
    assert_eq!(
        changes.accounts.len(),
        4,
        "empty accounts are part of the state"
    );
    let contract = &changes.accounts[&address!("00000000000000000000000000000000000000cc")];
    assert_eq!(contract.storage.len(), 2, "zero slots are not");
    assert_eq!(contract.storage[&U256::from(3)], U256::from(0x04ff));
    let code = &changes.code[&contract.post.unwrap().code_hash];
    assert_eq!(code.as_ref(), [0x60, 0x01]);
    assert_eq!(changes.code.len(), 1);
}

/// A document with one change: the path of a field and its new value (null removes it).
fn with(mut document: Value, path: &str, value: Value) -> Value {
    let mut at = &mut document;
    for key in path.split('/') {
        if at[key].is_null() {
            at[key] = json!({});
        }
        at = &mut at[key];
    }
    *at = value;
    document
}

fn refusal(document: &Value) -> String {
    ChainSpec::from_genesis_json(&serde_json::to_vec(document).unwrap())
        .unwrap_err()
        .to_string()
}

const JUNK: &str = "alloc/0x00000000000000000000000000000000000000aa";

#[test]
fn every_malformed_field_is_named() {
    let good = dev_document(OpFork::Karst);
    chain_of(&good);
    for (path, value, expected) in [
        ("config", json!(null), "config is missing"),
        ("config", json!([]), "config must be an object"),
        ("config/chainId", json!(null), "config.chainId is missing"),
        ("config/chainId", json!(0), "config.chainId must not be 0"),
        (
            "config/chainId",
            json!(-1),
            "config.chainId is not a number of at most 64 bits: \"-1\"",
        ),
        (
            "config/chainId",
            json!(1.5),
            "config.chainId is not a number",
        ),
        (
            "config/chainId",
            json!("0x10000000000000000"),
            "config.chainId is not a number of at most 64 bits",
        ),
        (
            "config/chainId",
            json!("ten"),
            "config.chainId is not a number of at most 64 bits: \"ten\"",
        ),
        (
            "config/chainId",
            json!(true),
            "config.chainId must be a number or a string",
        ),
        ("config/optimism", json!(null), "config.optimism is missing"),
        (
            "config/optimism",
            json!(6),
            "config.optimism must be an object",
        ),
        (
            "config/optimism/eip1559Elasticity",
            json!(null),
            "config.optimism.eip1559Elasticity is missing",
        ),
        (
            "config/optimism/eip1559Elasticity",
            json!(0),
            "config.optimism.eip1559Elasticity must not be 0",
        ),
        (
            "config/optimism/eip1559Denominator",
            json!(null),
            "config.optimism.eip1559Denominator is missing",
        ),
        (
            "config/optimism/eip1559Denominator",
            json!(4_294_967_296_u64),
            "config.optimism.eip1559Denominator is not a number of at most 32 bits",
        ),
        (
            "config/optimism/eip1559DenominatorCanyon",
            json!(null),
            "config.optimism.eip1559DenominatorCanyon is missing",
        ),
        (
            "config/optimism/eip1559DenominatorCanyon",
            json!(0),
            "config.optimism.eip1559DenominatorCanyon must not be 0",
        ),
        (
            "config/londonBlock",
            json!(null),
            "config.londonBlock is missing",
        ),
        (
            "config/londonBlock",
            json!(5),
            "config.londonBlock must be 0, got 5",
        ),
        (
            "config/bedrockBlock",
            json!(null),
            "config.bedrockBlock is missing",
        ),
        (
            "config/bedrockBlock",
            json!(105_235_063),
            "config.bedrockBlock must be 0, got 105235063",
        ),
        (
            "config/grayGlacierBlock",
            json!(1),
            "config.grayGlacierBlock must be 0, got 1",
        ),
        (
            "config/terminalTotalDifficulty",
            json!(1),
            "config.terminalTotalDifficulty must be 0",
        ),
        (
            "config/canyonTime",
            json!("soon"),
            "config.canyonTime is not a number",
        ),
        (
            "config/shanghaiTime",
            json!(9),
            "config.shanghaiTime 9 contradicts config.canyonTime 0",
        ),
        (
            "config/osakaTime",
            json!(9),
            "config.osakaTime 9 contradicts config.karstTime 0",
        ),
        (
            "config/lagoonTime",
            json!(99),
            "config.lagoonTime schedules a fork that is not supported",
        ),
        (
            "config/amsterdamTime",
            json!(99),
            "config.amsterdamTime schedules a fork that is not supported",
        ),
        ("gasLimit", json!(null), "gasLimit is missing"),
        (
            "gasLimit",
            json!(0),
            "gasLimit must be between 1 and 2^63 - 1",
        ),
        (
            "gasLimit",
            json!("0x8000000000000000"),
            "gasLimit must be between 1 and 2^63 - 1",
        ),
        ("gasLimit", json!("0x"), "gasLimit is not a number"),
        ("difficulty", json!(null), "difficulty is missing"),
        (
            "timestamp",
            json!("0xzz"),
            "timestamp is not a number of at most 64 bits: \"0xzz\"",
        ),
        ("number", json!(1), "number must be 0"),
        ("stateHash", json!(B256::ZERO), "stateHash is not supported"),
        (
            "nonce",
            json!("0x10000000000000000"),
            "nonce is not a number of at most 64 bits",
        ),
        (
            "baseFeePerGas",
            json!("0x10000000000000000"),
            "baseFeePerGas is not a number of at most 64 bits",
        ),
        (
            "mixHash",
            json!("0x00"),
            "mixHash is not valid hex: 32 bytes expected, got 1",
        ),
        ("coinbase", json!(4), "coinbase must be a hex string"),
        (
            "coinbase",
            json!("4200"),
            "coinbase is not valid hex: it must begin with 0x",
        ),
        ("extraData", json!("0x0"), "extraData is not valid hex"),
        ("extraData", json!("0x0g"), "extraData is not valid hex"),
        (
            "extraData",
            json!("0x00000000fa00000006"),
            "extraData must be 17 bytes under karst, got 9",
        ),
        (
            "extraData",
            json!("0x00000000fa000000060000000000000000"),
            "extraData version must be 1 under karst, got 0",
        ),
        (
            "extraData",
            json!("0x0100000000000000060000000000000000"),
            "zero EIP-1559 denominator",
        ),
        (
            "extraData",
            json!("0x01000000fa000000000000000000000000"),
            "zero EIP-1559 elasticity",
        ),
        (
            "extraData",
            json!(null),
            "extraData must be 17 bytes under karst, got 0",
        ),
        ("alloc", json!(null), "alloc is missing"),
        ("alloc", json!("0x"), "alloc must be an object"),
        (
            "alloc/0x12",
            json!({"balance": 1}),
            "alloc.0x12 is not valid hex: an address of 20 bytes expected",
        ),
        (JUNK, json!(1), "00aa must be an object"),
        (JUNK, json!({}), "00aa.balance is missing"),
        (
            JUNK,
            json!({"balance": "1 ETH"}),
            "00aa.balance is not a number of at most 256 bits: \"1 ETH\"",
        ),
        (
            JUNK,
            json!({"balance": "-1"}),
            "00aa.balance is not a number",
        ),
        (
            JUNK,
            json!({"balance": 1, "nonce": "0x1ffffffffffffffff"}),
            "00aa.nonce is not a number of at most 64 bits",
        ),
        (
            JUNK,
            json!({"balance": 1, "code": "6001"}),
            "00aa.code is not valid hex: it must begin with 0x",
        ),
        (
            JUNK,
            json!({"balance": 1, "code": "0x600"}),
            "00aa.code is not valid hex",
        ),
        (
            JUNK,
            json!({"balance": 1, "storage": []}),
            "00aa.storage must be an object",
        ),
        (
            JUNK,
            json!({"balance": 1, "storage": {"xyz": "0x01"}}),
            "00aa.storage.xyz is not valid hex",
        ),
        (
            JUNK,
            json!({"balance": 1, "storage": {"0x01": "0x1"}}),
            "00aa.storage.0x01 is not valid hex",
        ),
        (
            JUNK,
            json!({"balance": 1, "storage": {"0x01": 1}}),
            "00aa.storage.0x01 must be a hex string",
        ),
        (
            JUNK,
            json!({"balance": 1, "storage": {"0x01": "0x01", "01": "0x02"}}),
            "is given twice",
        ),
    ] {
        let message = refusal(&with(good.clone(), path, value.clone()));
        assert!(
            message.starts_with("genesis: ") && message.contains(expected),
            "{path} = {value}: {message:?} does not say {expected:?}"
        );
    }
}

#[test]
fn an_account_spelled_twice_is_refused() {
    let twice = with(
        with(dev_document(OpFork::Karst), JUNK, json!({"balance": 1})),
        "alloc/00000000000000000000000000000000000000AA",
        json!({"balance": 2}),
    );
    assert!(
        refusal(&twice).contains("00aa is given twice"),
        "{}",
        refusal(&twice)
    );
}

#[test]
fn what_is_not_json_is_refused_with_the_place() {
    for text in ["", "{", "{\"config\": }", "\u{0}"] {
        let error = ChainSpec::from_genesis_json(text.as_bytes()).unwrap_err();
        assert!(matches!(error, GenesisError::Json(_)), "{text:?}: {error}");
        assert!(error.to_string().contains("line 1"), "{error}");
    }
    let error = ChainSpec::from_genesis_json(b"[]").unwrap_err().to_string();
    assert_eq!(error, "genesis: the document must be an object");
}

#[test]
fn forks_must_be_complete_and_in_order() {
    let bare = dev_document(OpFork::Regolith);
    let at = |times: &[(&str, u64)]| {
        let mut document = bare.clone();
        for (field, time) in times {
            document["config"][*field] = json!(time);
        }
        document
    };
    assert_eq!(
        refusal(&at(&[("ecotoneTime", 20)])),
        "genesis: config.ecotoneTime is set, but config.canyonTime is not"
    );
    assert_eq!(
        refusal(&at(&[("canyonTime", 20), ("ecotoneTime", 19)])),
        "genesis: config.ecotoneTime 19 is before config.canyonTime 20: forks out of order"
    );
    assert_eq!(
        refusal(&at(&[("canyonTime", 20), ("karstTime", 30)])),
        "genesis: config.karstTime is set, but config.ecotoneTime is not"
    );
    assert_eq!(
        refusal(&at(&[("shanghaiTime", 20)])),
        "genesis: config.shanghaiTime 20 contradicts config.canyonTime (not set)"
    );
    let chain = chain_of(&at(&[("canyonTime", 20), ("ecotoneTime", 20)]));
    assert_eq!(chain.fork_at(20), OpFork::Ecotone);
    let mut unscheduled = at(&[]);
    unscheduled["config"]["regolithTime"] = json!(null);
    assert_eq!(chain_of(&unscheduled).fork_at(u64::MAX), OpFork::Bedrock);
}

#[test]
fn times_that_do_not_concern_execution_are_ignored() {
    let mut document = dev_document(OpFork::Karst);
    let hash = chain_of(&document).genesis_hash();
    for field in ["deltaTime", "pectraBlobScheduleTime", "bpo1Time"] {
        document["config"][field] = json!(77);
    }
    document["config"]["depositContractAddress"] = json!(Address::ZERO);
    document["config"]["lagoonTime"] = json!(null);
    assert_eq!(chain_of(&document).genesis_hash(), hash);
}

#[test]
fn isthmus_needs_the_message_passer() {
    let mut document = dev_document(OpFork::Isthmus);
    let alloc = document["alloc"].as_object_mut().unwrap();
    alloc
        .remove(&format!("{L2_TO_L1_MESSAGE_PASSER:?}"))
        .unwrap();
    let message = refusal(&document);
    assert!(
        message.contains(
            "alloc has no L2ToL1MessagePasser (0x4200000000000000000000000000000000000016)"
        ),
        "{message}"
    );
    document["config"]["isthmusTime"] = json!(1_800_000_000);
    document["config"]["pragueTime"] = json!(null);
    chain_of(&document);
}

#[test]
fn fields_of_later_forks_are_absent_before() {
    let mut document = dev_document(OpFork::Canyon);
    let header = chain_of(&document).genesis_header().clone();
    assert_eq!(
        header.withdrawals_root,
        Some(alloy_consensus::EMPTY_ROOT_HASH)
    );
    assert_eq!(header.excess_blob_gas, None);
    assert_eq!(header.parent_beacon_block_root, None);
    assert_eq!(header.requests_hash, None);
    document["blobGasUsed"] = json!("0x0");
    assert_eq!(chain_of(&document).genesis_header(), &header);
    document["blobGasUsed"] = json!("0x1");
    assert!(refusal(&document).contains("blobGasUsed is not allowed before Ecotone"));
}

#[test]
fn a_chain_can_be_had_by_its_rules() {
    let whole = ChainSpec::from_genesis_json(&op_sepolia_genesis()).unwrap();
    let forks = OpFork::ALL.into_iter().skip(1);
    let rules = ChainRules {
        chain_id: whole.chain_id(),
        times: forks
            .filter_map(|fork| Some((fork, whole.forks().activation_time(fork)?)))
            .collect(),
        optimism: *whole.optimism(),
        genesis: whole.genesis_header().clone(),
        genesis_hash: whole.genesis_hash(),
    };
    let same = ChainSpec::from_rules(rules.clone()).unwrap();
    assert_eq!(same.chain_id(), whole.chain_id());
    assert_eq!(same.forks(), whole.forks());
    assert_eq!(same.optimism(), whole.optimism());
    assert_eq!(same.genesis_hash(), whole.genesis_hash());
    assert!(same.genesis_changes().is_empty());

    let refused = |change: fn(&mut ChainRules)| {
        let mut rules = rules.clone();
        change(&mut rules);
        ChainSpec::from_rules(rules).unwrap_err().to_string()
    };
    let said = refused(|rules| rules.chain_id = 0);
    assert!(said.contains("chain id"), "{said}");
    let said = refused(|rules| rules.times.retain(|(fork, _)| *fork != OpFork::Canyon));
    assert!(said.contains("canyonTime"), "{said}");
    let said = refused(|rules| rules.times = vec![(OpFork::Regolith, 9), (OpFork::Canyon, 8)]);
    assert!(said.contains("canyonTime"), "{said}");
}
