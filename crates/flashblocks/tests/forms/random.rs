//! Random flashblocks: what is encoded is decoded, in every form.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_consensus::TxEip1559;
use alloy_primitives::{
    Address, B256, Bloom, Bytes, FixedBytes, KECCAK256_EMPTY, TxKind, U256, keccak256,
};
use blockwright_flashblocks::{
    ExecutionPayloadFlashblockDeltaV1, ExecutionPayloadStaticV1, Form, FrameEncoder, SpecEncoder,
    V1Encoder, decode_json, decode_spec,
};
use blockwright_types::{
    AccountChange, AccountPost, BlockPart, Changes, Flashblock, FlashblockBase, PayloadId,
};
use op_alloy_consensus::OpReceipt;
use ssz::Encode;

use crate::v1;

/// A small deterministic generator (xorshift).
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    fn fixed<const N: usize>(&mut self) -> FixedBytes<N> {
        FixedBytes::from_slice(&self.bytes(N as u64))
    }

    /// One of a few, so that they come again.
    fn address(&mut self) -> Address {
        Address::repeat_byte(self.below(30) as u8)
    }
}

/// The flashblocks of one payload.
fn payload(rng: &mut Rng) -> Vec<Flashblock> {
    let payload_id = PayloadId(rng.fixed());
    let block_number = rng.next();
    let mut gas_used = 0;
    (0..=rng.below(5))
        .map(|index| Flashblock {
            payload_id,
            index,
            base: (index == 0).then(|| base(rng, block_number)),
            block_number,
            state_root: rng.fixed(),
            receipts_root: rng.fixed(),
            logs_bloom: Bloom::from(rng.fixed::<256>()),
            part: Arc::new(part(rng, &mut gas_used)),
            gas_used,
            block_hash: rng.fixed(),
            withdrawals_root: rng.fixed(),
            blob_gas_used: (rng.below(3) > 0).then(|| rng.next()),
        })
        .collect()
}

fn base(rng: &mut Rng, block_number: u64) -> FlashblockBase {
    let extra_data_bytes = rng.below(33);
    FlashblockBase {
        parent_beacon_block_root: rng.fixed(),
        parent_hash: rng.fixed(),
        fee_recipient: Address::from(rng.fixed::<20>()),
        prev_randao: rng.fixed(),
        block_number,
        gas_limit: rng.next(),
        timestamp: rng.next(),
        extra_data: rng.bytes(extra_data_bytes).into(),
        base_fee_per_gas: U256::from_be_bytes(rng.fixed::<32>().0),
    }
}

fn part(rng: &mut Rng, gas_used: &mut u64) -> BlockPart {
    let mut transactions = Vec::new();
    let mut receipts = Vec::new();
    for _ in 0..rng.below(6) {
        let creates = rng.below(2) == 0;
        let envelope = v1::sign(TxEip1559 {
            chain_id: 901,
            nonce: rng.next(),
            to: if creates {
                TxKind::Create
            } else {
                TxKind::Call(rng.address())
            },
            ..Default::default()
        });
        let size_bytes = rng.below(200);
        let encoded = Bytes::from(rng.bytes(size_bytes));
        transactions.push(v1::shared(envelope, Some(encoded)));
        *gas_used += rng.below(1 << 40);
        let success = rng.below(2) == 0;
        let receipt = v1::receipt(success, *gas_used, Vec::new());
        receipts.push(OpReceipt::Eip1559(receipt));
    }
    let pieces = (0..rng.below(4)).map(|_| Arc::new(changes(rng)));
    let pieces = pieces.collect();
    BlockPart::new(transactions, receipts, pieces)
}

fn changes(rng: &mut Rng) -> Changes {
    let mut changes = Changes::default();
    for _ in 0..rng.below(10) {
        let mut code_hash = KECCAK256_EMPTY;
        if rng.below(4) == 0 {
            let size_bytes = 1 + rng.below(60);
            let code = Bytes::from(rng.bytes(size_bytes));
            code_hash = keccak256(&code);
            changes.code.insert(code_hash, code);
        }
        let post = AccountPost {
            balance: U256::from(rng.below(3)),
            nonce: rng.next(),
            code_hash,
        };
        let change = AccountChange {
            post: (rng.below(6) > 0).then_some(post),
            storage_wiped: rng.below(6) == 0,
            storage: (0..rng.below(5))
                .map(|_| (U256::from(rng.below(600)), U256::from(rng.next())))
                .collect(),
        };
        let address = rng.address();
        changes.accounts.insert(address, change);
    }
    changes
}

#[test]
fn spec_frames_decode_to_what_was_encoded_and_tell_what_the_part_did() {
    for seed in 1..150 {
        let mut rng = Rng(seed);
        let mut encoder = SpecEncoder::new();
        for _ in 0..2 {
            let mut balances = BTreeMap::new();
            let mut gas_used = 0;
            let mut parent: Option<B256> = None;
            for flashblock in payload(&mut rng) {
                let frame = encoder.encode(&flashblock).unwrap();
                let read = decode_spec(&frame.bytes).unwrap();
                assert_eq!(read.as_ssz_bytes(), frame.bytes, "seed {seed}");
                assert_eq!(read.flash_hash(), frame.flash_hash, "seed {seed}");
                assert_eq!(read.parent_flash_hash.0, parent, "seed {seed}");
                parent = Some(frame.flash_hash);

                let changed = flashblock.part.net_changes().accounts;
                assert_eq!(read.metadata.accounts.len(), changed.len(), "seed {seed}");
                for account in &read.metadata.accounts {
                    let change = &changed[&account.address];
                    if let Some(balance) = account.balance.0 {
                        let before = balances.insert(account.address, balance);
                        assert_ne!(before, Some(balance), "seed {seed}");
                    }
                    let balance = change.post.map_or(U256::ZERO, |post| post.balance);
                    assert_eq!(balances[&account.address], balance, "seed {seed}");
                    assert_eq!(account.storage_slots.len(), change.storage.len());
                }
                let outcomes = &read.metadata.transactions;
                assert_eq!(outcomes.len(), read.diff.transactions.len());
                gas_used += outcomes.iter().map(|tx| tx.gas_used).sum::<u64>();
                assert_eq!(gas_used, flashblock.gas_used, "seed {seed}");
            }
        }
    }
}

/// The JSON types are what op-alloy reads from our v1 frames.
#[test]
fn spec_and_json_forms_are_made_from_each_other() {
    for seed in 1..60 {
        let mut rng = Rng(seed);
        let (mut spec, mut v1) = (SpecEncoder::new(), V1Encoder::new());
        for flashblock in payload(&mut rng) {
            let (container, _) = spec.container(&flashblock).unwrap();
            let frame = v1.encode(&flashblock).unwrap();
            let json = decode_json(&frame).unwrap().payload;
            assert_eq!(container.json_base(), json.base, "seed {seed}");
            assert_eq!(container.json_diff(json.diff.blob_gas_used), json.diff);
            let diff = ExecutionPayloadFlashblockDeltaV1::try_from(&json.diff);
            assert_eq!(diff, Ok(container.diff), "seed {seed}");
            let base = json.base.as_ref().map(ExecutionPayloadStaticV1::try_from);
            assert_eq!(base.transpose(), Ok(container.base.0), "seed {seed}");
        }
    }
}

/// Which forms were asked for before changes nothing: the chain and the balances go on.
#[test]
fn a_form_is_the_same_whatever_else_is_encoded() {
    for seed in 1..60 {
        let mut rng = Rng(seed);
        let (mut sparse, mut every) = (FrameEncoder::new(true), FrameEncoder::new(true));
        for _ in 0..3 {
            for flashblock in payload(&mut rng) {
                let mut frames = every.advance(&flashblock).unwrap();
                let all = Form::ALL.map(|form| frames.encode(form, Vec::new()).unwrap());
                let mut frames = sparse.advance(&flashblock).unwrap();
                for _ in 0..rng.below(3) {
                    let position = rng.below(Form::ALL.len() as u64) as usize;
                    let memory = vec![7; 100];
                    let frame = frames.encode(Form::ALL[position], memory).unwrap();
                    assert_eq!(frame, all[position], "seed {seed}");
                }
            }
        }
    }
}
