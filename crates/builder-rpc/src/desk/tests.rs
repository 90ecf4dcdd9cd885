use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use alloy_consensus::Header;
use alloy_primitives::hex;
use blockwright_builder_codec::{
    BeaconBlock, BeaconBlockBodyDeneb, ExecutionPayloadDeneb, ExecutionPayloadHeader, Transactions,
    transactions_root,
};
use blockwright_signer::{BlsLocalSigner, SecretText};
use blockwright_types::{OpFork, SealedBlock};
use ssz_types::VariableList;
use tokio::sync::watch;

use super::*;
use crate::{Bid, Head};

const PARENT: B256 = B256::repeat_byte(0x11);
const IDLE_PARENT: B256 = B256::repeat_byte(0x12);
const RECIPIENT: Address = Address::repeat_byte(0xfe);

/// Shows the block it is told to; counts what is handed out.
struct Shown {
    block: Mutex<Arc<Sealed>>,
    revealed: Arc<AtomicUsize>,
}

struct Sealed {
    block: Arc<SealedBlock>,
    fork: OpFork,
    revealed: Arc<AtomicUsize>,
}

impl OfferedBlock for Sealed {
    fn block(&self) -> &Arc<SealedBlock> {
        &self.block
    }

    fn fork(&self) -> OpFork {
        self.fork
    }

    fn value_for(&self, fee_recipient: Address) -> U256 {
        assert_eq!(fee_recipient, RECIPIENT);
        self.block.value
    }

    fn reveal(&self) -> Vec<Bytes> {
        self.revealed.fetch_add(1, Ordering::Relaxed);
        vec![Bytes::from(format!("\"{}\"", self.block.hash))]
    }
}

impl OfferSource for Shown {
    fn is_known(&self, hash: B256) -> bool {
        hash == PARENT || hash == IDLE_PARENT
    }

    fn offer(&self, parent_hash: B256) -> Result<Arc<dyn OfferedBlock>, NotOffered> {
        if parent_hash != PARENT {
            return Err(NotOffered::NothingBuilt);
        }
        Ok(Arc::clone(&*self.block.lock()) as Arc<dyn OfferedBlock>)
    }

    fn bids(&self) -> watch::Receiver<Option<Bid>> {
        watch::channel(None).1
    }

    fn head(&self) -> Head {
        Head::default()
    }

    fn jobs(&self) -> usize {
        1
    }
}

fn signer(byte: u8) -> BlsLocalSigner {
    BlsLocalSigner::from_hex(&SecretText::new(hex::encode([byte; 32]))).unwrap()
}

struct Rig {
    desk: Arc<BlindDesk>,
    source: Arc<Shown>,
}

fn sealed(fork: OpFork, gas_used: u64, revealed: &Arc<AtomicUsize>) -> Arc<Sealed> {
    let header = Header {
        parent_hash: PARENT,
        number: 191,
        gas_limit: 30_000_000,
        gas_used,
        extra_data: vec![0; 9].into(),
        base_fee_per_gas: Some(7),
        ..Header::default()
    };
    let block = SealedBlock {
        hash: header.hash_slow(),
        header,
        parts: Vec::new(),
        value: U256::from(1_000),
    };
    Arc::new(Sealed {
        block: Arc::new(block),
        fork,
        revealed: Arc::clone(revealed),
    })
}

impl Rig {
    fn new(config: BlindDeskConfig) -> Self {
        Self::of_fork(config, OpFork::Karst)
    }

    fn of_fork(config: BlindDeskConfig, fork: OpFork) -> Self {
        let revealed = Arc::default();
        let source = Arc::new(Shown {
            block: Mutex::new(sealed(fork, 21_000, &revealed)),
            revealed,
        });
        let shown = Arc::clone(&source) as Arc<dyn OfferSource>;
        let config = BlindDeskConfig {
            signer: Some(Arc::new(signer(1))),
            ..config
        };
        let desk = Arc::new(BlindDesk::open(config, shown).unwrap());
        Self { desk, source }
    }

    /// A rig in which proposer 2 is listed and registered.
    fn registered() -> Self {
        let rig = Self::new(listed(&[2]));
        rig.register(2, None).unwrap();
        rig
    }

    fn register(&self, key: u8, named: Option<u8>) -> Result<(), BlindError> {
        let domain = self.desk.config.domain.domain(DOMAIN_APPLICATION_BUILDER);
        let root = compute_signing_root(fee_recipient_root(RECIPIENT), domain);
        let signature = signer(key).sign_root(root).unwrap();
        let named = named.map(|key| signer(key).public_key());
        self.desk.set_fee_recipient(RECIPIENT, &signature, named)
    }

    /// Another block, with a header of its own that is handed out.
    fn another_block(&self, gas_used: u64) -> ExecutionPayloadHeader {
        let fork = self.source.block.lock().fork;
        *self.source.block.lock() = sealed(fork, gas_used, &self.source.revealed);
        self.header()
    }

    /// The header of the block shown, which is asked for.
    fn header(&self) -> ExecutionPayloadHeader {
        self.desk.blind(PARENT).unwrap();
        let shown = self.source.block.lock();
        let no_transactions = transactions_root(&[]).unwrap();
        let fork = payload_fork(shown.fork);
        let header = header_of(&shown.block, fork, no_transactions).unwrap();
        header.header()
    }

    fn reveal(&self, header: &ExecutionPayloadHeader, key: u8) -> Result<Vec<Bytes>, BlindError> {
        let block = header.blinded_block();
        let signature = proposal(block.root, key);
        self.desk.reveal(&block.bytes, &signature, None)
    }
}

fn proposal(root: B256, key: u8) -> BlsSignature {
    let domain = ChainDomain::default().domain(DOMAIN_BEACON_PROPOSER);
    let root = compute_signing_root(root, domain);
    signer(key).sign_root(root).unwrap()
}

fn listed(keys: &[u8]) -> BlindDeskConfig {
    BlindDeskConfig {
        proposers: keys.iter().map(|key| signer(*key).public_key()).collect(),
        ..BlindDeskConfig::default()
    }
}

fn code<T>(outcome: Result<T, BlindError>) -> i32 {
    match outcome {
        Ok(_) => 0,
        Err(error) => error.code().code(),
    }
}

#[test]
fn a_listed_proposer_registers_under_its_key_alone() {
    let rig = Rig::new(listed(&[2, 3]));
    assert_eq!(rig.desk.expected(), None);
    rig.register(2, None).unwrap();
    rig.register(3, Some(3)).unwrap();
    let expected = Some((signer(3).public_key(), RECIPIENT));
    assert_eq!(rig.desk.expected(), expected);
    for (key, named) in [(4, None), (4, Some(4)), (4, Some(2)), (2, Some(3))] {
        assert_eq!(code(rig.register(key, named)), -32_005, "{key} {named:?}");
    }
    assert_eq!(rig.desk.expected(), expected);
}

#[test]
fn without_a_list_whoever_names_its_key_registers() {
    let rig = Rig::new(BlindDeskConfig::default());
    let unnamed = rig.register(4, None).unwrap_err();
    assert!(unnamed.to_string().contains("--name-key"), "{unnamed}");
    assert_eq!(code::<()>(Err(unnamed)), -32_005);
    assert_eq!(code(rig.register(4, Some(5))), -32_005);
    rig.register(4, Some(4)).unwrap();
    rig.reveal(&rig.header(), 4).unwrap();
}

#[test]
fn where_proposers_of_another_api_are_listed_no_other_key_registers() {
    let folder = tempfile::tempdir().unwrap();
    let config = |is_closed, keys: &[u8]| BlindDeskConfig {
        is_closed,
        folder: Some(folder.path().to_owned()),
        ..listed(keys)
    };
    Rig::new(config(false, &[])).register(4, Some(4)).unwrap();
    let rig = Rig::new(config(true, &[]));
    for named in [None, Some(4)] {
        let refused = rig.register(4, named).unwrap_err();
        assert!(refused.to_string().contains("proposer-bls"), "{refused}");
        assert_eq!(code::<()>(Err(refused)), -32_005);
    }
    // Nor has who registered before anything to reveal.
    assert_eq!(rig.desk.expected(), None);
    assert_eq!(code(rig.desk.blind(PARENT)), -32_002);
    let rig = Rig::new(config(true, &[2]));
    rig.register(2, None).unwrap();
    assert_eq!(code(rig.register(4, Some(4))), -32_005);
}

#[test]
fn a_header_is_given_for_a_known_parent_to_a_registered_proposer() {
    let rig = Rig::new(listed(&[2]));
    assert_eq!(code(rig.desk.blind(B256::repeat_byte(9))), -32_001);
    assert_eq!(code(rig.desk.blind(PARENT)), -32_002);
    rig.register(2, None).unwrap();
    assert_eq!(code(rig.desk.blind(IDLE_PARENT)), -32_000);
    let answer = rig.desk.blind(PARENT).unwrap();
    let json: serde_json::Value = serde_json::from_str(answer.get()).unwrap();
    assert_eq!(json["value"], format!("0x{:064x}", 1_000));
    assert_eq!(json["payload"]["blockNumber"], "0xbf");
    let signature: BlsSignature = serde_json::from_value(json["signature"].clone()).unwrap();
    let header = rig.header();
    let domain = ChainDomain::default().domain(DOMAIN_APPLICATION_BUILDER);
    let root = compute_signing_root(bid_root(&header, U256::from(1_000)), domain);
    verify_bls(root, &signature, &signer(1).public_key()).unwrap();
    // The same again, from memory.
    assert!(Arc::ptr_eq(&rig.desk.blind(PARENT).unwrap(), &answer));
    assert_eq!(rig.source.revealed.load(Ordering::Relaxed), 0);
}

#[test]
fn every_fork_has_its_fields() {
    for (fork, withdrawals, blobs) in [
        (OpFork::Bedrock, false, false),
        (OpFork::Regolith, false, false),
        (OpFork::Canyon, true, false),
        (OpFork::Ecotone, true, true),
        (OpFork::Isthmus, true, true),
        (OpFork::Karst, true, true),
    ] {
        let rig = Rig::of_fork(listed(&[2]), fork);
        rig.register(2, None).unwrap();
        let answer = rig.desk.blind(PARENT).unwrap();
        let json: serde_json::Value = serde_json::from_str(answer.get()).unwrap();
        let payload = &json["payload"];
        let has = |field| payload.get(field).is_some();
        assert_eq!(has("withdrawalsRoot"), withdrawals, "{fork}");
        assert_eq!(has("blobGasUsed"), blobs, "{fork}");
        assert_eq!(has("excessBlobGas"), blobs, "{fork}");
        assert_eq!(
            payload.as_object().unwrap().len(),
            match (withdrawals, blobs) {
                (_, true) => 17,
                (true, false) => 15,
                (false, false) => 14,
            }
        );
        rig.reveal(&rig.header(), 2).unwrap();
    }
}

#[test]
fn a_block_is_revealed_for_its_proposers_signature() {
    let rig = Rig::registered();
    let header = rig.header();
    assert_eq!(code(rig.reveal(&header, 3)), -32_005);
    let block = header.blinded_block();
    let good = proposal(block.root, 2);
    let reveal = |bytes: &[u8], signature, named: Option<u8>| {
        let named = named.map(|key| signer(key).public_key());
        code(rig.desk.reveal(bytes, signature, named))
    };
    assert_eq!(reveal(&block.bytes, &BlsSignature::ZERO, None), -32_005);
    assert_eq!(reveal(&block.bytes, &good, Some(3)), -32_005);
    assert_eq!(rig.source.revealed.load(Ordering::Relaxed), 0);
    assert_eq!(reveal(&block.bytes, &good, Some(2)), 0);
    assert_eq!(reveal(&block.bytes, &good, None), 0, "the same again");
    // A header of a block that was never shown.
    let ExecutionPayloadHeader::Deneb(mut other) = header.clone() else {
        panic!("{header:?}");
    };
    other.gas_used += 1;
    let variation = ExecutionPayloadHeader::Deneb(other);
    assert_eq!(code(rig.reveal(&variation, 2)), -32_004);
    // The right payload for another slot.
    let ExecutionPayloadHeader::Deneb(inner) = header else {
        panic!("{variation:?}");
    };
    let body = BeaconBlockBodyDeneb::around(inner);
    let other_slot = BeaconBlock::around(192, body).unsigned();
    let signature = proposal(other_slot.root, 2);
    assert_eq!(reveal(&other_slot.bytes, &signature, None), -32_004);
}

#[test]
fn a_full_block_is_as_good_as_a_blinded_one() {
    let rig = Rig::registered();
    let ExecutionPayloadHeader::Deneb(header) = rig.header() else {
        panic!("Karst has Deneb's container");
    };
    let payload = ExecutionPayloadDeneb {
        parent_hash: header.parent_hash,
        fee_recipient: header.fee_recipient,
        state_root: header.state_root,
        receipts_root: header.receipts_root,
        logs_bloom: header.logs_bloom,
        prev_randao: header.prev_randao,
        block_number: header.block_number,
        gas_limit: header.gas_limit,
        gas_used: header.gas_used,
        timestamp: header.timestamp,
        extra_data: header.extra_data,
        base_fee_per_gas: header.base_fee_per_gas,
        block_hash: header.block_hash,
        transactions: Transactions::default(),
        withdrawals: VariableList::default(),
        blob_gas_used: header.blob_gas_used,
        excess_blob_gas: header.excess_blob_gas,
    };
    let block = BeaconBlock::around(191, BeaconBlockBodyDeneb::around(payload)).unsigned();
    let signature = proposal(block.root, 2);
    rig.desk.reveal(&block.bytes, &signature, None).unwrap();
}

#[test]
fn one_of_two_blocks_of_a_slot_is_revealed_whoever_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let config = BlindDeskConfig {
        folder: Some(folder.path().to_owned()),
        ..listed(&[2, 3])
    };
    let rig = Rig::new(config.clone());
    rig.register(2, None).unwrap();
    let blocks = [rig.header(), rig.another_block(42_000)].map(|header| header.blinded_block());
    let start = Barrier::new(16);
    let outcomes: Vec<(usize, i32)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|thread| {
                let (rig, start, block) = (&rig, &start, &blocks[thread % 2]);
                scope.spawn(move || {
                    let signature = proposal(block.root, 2);
                    start.wait();
                    let outcome = rig.desk.reveal(&block.bytes, &signature, None);
                    (thread % 2, code(outcome))
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let (winner, _) = outcomes.iter().find(|(_, code)| *code == 0).unwrap();
    for (block, code) in &outcomes {
        let expected = if block == winner { 0 } else { -32_000 };
        assert_eq!(*code, expected);
    }
    // Also where a new process shows the other one.
    let again = Rig::new(config);
    assert_eq!(again.desk.expected(), rig.desk.expected());
    let headers = [again.header(), again.another_block(42_000)];
    assert_eq!(code(again.reveal(&headers[*winner], 2)), 0);
    assert_eq!(code(again.reveal(&headers[1 - *winner], 2)), -32_000);
}

#[test]
fn a_header_stays_good_while_its_proposer_is_not_the_newest_any_more() {
    let rig = Rig::new(listed(&[2, 3]));
    rig.register(2, None).unwrap();
    let header = rig.header();
    rig.register(3, None).unwrap();
    assert_eq!(
        code(rig.reveal(&header, 3)),
        -32_005,
        "it was not asked for by 3"
    );
    rig.reveal(&header, 2).unwrap();
    rig.desk.blind(PARENT).unwrap();
    rig.reveal(&header, 3).unwrap();
}

#[test]
fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["fee-recipients.json", "reveals.json"] {
        let path = folder.path().join(name);
        std::fs::write(&path, "{}").unwrap();
        let revealed = Arc::default();
        let source = Shown {
            block: Mutex::new(sealed(OpFork::Karst, 0, &revealed)),
            revealed,
        };
        let config = BlindDeskConfig {
            folder: Some(folder.path().to_owned()),
            ..BlindDeskConfig::default()
        };
        let refused = BlindDesk::open(config, Arc::new(source)).err().unwrap();
        assert!(refused.to_string().contains(name), "{refused}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn mutated_blocks_are_refused_and_nothing_else_happens() {
    let rig = Rig::registered();
    let block = rig.header().blinded_block();
    let signature = proposal(block.root, 2);
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3_000 {
        let mut bytes = block.bytes.clone();
        let length = bytes.len() as u64;
        for _ in 0..=random() % 3 {
            let at = usize::try_from(random() % length).unwrap();
            match random() % 4 {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), random().to_le_bytes()[0]),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << (random() % 8);
                    }
                }
            }
        }
        if bytes != block.bytes {
            seen.insert(code(rig.desk.reveal(&bytes, &signature, None)));
        }
    }
    let named: Vec<i32> = seen.into_iter().collect();
    assert_eq!(named, [-32_005, -32_004, -32_003]);
    for hopeless in [
        vec![],
        vec![0; 84],
        vec![0xff; 10_000],
        vec![0; BLOCK_BYTES_MAX + 1],
    ] {
        assert_eq!(code(rig.desk.reveal(&hopeless, &signature, None)), -32_003);
    }
    assert_eq!(rig.source.revealed.load(Ordering::Relaxed), 0);
}
