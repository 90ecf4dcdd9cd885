//! Frames of a block of four flashblocks with 5,000 transfers each, of 5,000 senders to as many
//! accounts that are new in every flashblock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_consensus::{Eip658Value, Receipt, SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bloom, Signature, TxKind, U256, keccak256};
use blockwright_flashblocks::{SpecEncoder, V1Encoder};
use blockwright_types::{
    AccountChange, AccountPost, BlockPart, Changes, Flashblock, FlashblockBase, PayloadId,
    RecoveredTx,
};
use op_alloy_consensus::{OpReceipt, OpTxEnvelope};

const FLASHBLOCKS: u64 = 4;
const TRANSACTIONS: u64 = 5_000;
const ROUNDS: usize = 21;

fn address(n: u64) -> Address {
    Address::from_slice(&keccak256(n.to_be_bytes())[12..])
}

fn transfer(n: u64) -> OpTxEnvelope {
    let tx = TxEip1559 {
        chain_id: 901,
        nonce: n / TRANSACTIONS,
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000,
        to: TxKind::Call(address(TRANSACTIONS + n)),
        value: U256::ONE,
        ..TxEip1559::default()
    };
    let word = U256::from_be_bytes(keccak256(n.to_be_bytes()).0);
    tx.into_signed(Signature::new(word, word >> 1, n.is_multiple_of(2)))
        .into()
}

fn part(index: u64) -> BlockPart {
    let first = index * TRANSACTIONS;
    let mut changes = Changes::default();
    let mut transactions = Vec::new();
    let mut receipts = Vec::new();
    for n in first..first + TRANSACTIONS {
        let sender = address(n - first);
        for account in [sender, address(TRANSACTIONS + n)] {
            let post = AccountPost {
                balance: U256::from(10).pow(U256::from(18)) + U256::from(n),
                nonce: index,
                code_hash: B256::ZERO,
            };
            let change = AccountChange {
                post: Some(post),
                storage_wiped: false,
                storage: Default::default(),
            };
            changes.accounts.insert(account, change);
        }
        let envelope = transfer(n);
        let encoded = envelope.encoded_2718().into();
        transactions.push(Arc::new(RecoveredTx::new(envelope, encoded, sender)));
        receipts.push(OpReceipt::Eip1559(Receipt {
            status: Eip658Value::Eip658(true),
            cumulative_gas_used: 21_000 * (n + 1),
            logs: Vec::new(),
        }));
    }
    BlockPart::new(transactions, receipts, vec![Arc::new(changes)])
}

fn flashblock(index: u64) -> Flashblock {
    let base = FlashblockBase {
        parent_beacon_block_root: B256::ZERO,
        parent_hash: B256::ZERO,
        fee_recipient: Address::ZERO,
        prev_randao: B256::ZERO,
        block_number: 1,
        gas_limit: 1_000_000_000,
        timestamp: 1,
        extra_data: Default::default(),
        base_fee_per_gas: U256::ONE,
    };
    Flashblock {
        payload_id: PayloadId::new([1; 8]),
        index,
        base: (index == 0).then_some(base),
        block_number: 1,
        state_root: B256::ZERO,
        receipts_root: B256::ZERO,
        logs_bloom: Bloom::ZERO,
        gas_used: 21_000 * TRANSACTIONS * (index + 1),
        block_hash: B256::ZERO,
        withdrawals_root: B256::ZERO,
        blob_gas_used: Some(0),
        part: Arc::new(part(index)),
    }
}

/// The median times of each flashblock's frame, and of the hash that is signed.
pub fn print() {
    let block: Vec<Flashblock> = (0..FLASHBLOCKS).map(flashblock).collect();
    let mut sizes = Vec::new();
    let frames = rounds(&block, |encoder: &mut V1Encoder, flashblock| {
        let frame = encoder.encode(flashblock).unwrap();
        sizes.push(frame.len());
    });
    let hashes = rounds(&block, |encoder: &mut SpecEncoder, flashblock| {
        encoder.container(flashblock).unwrap();
    });
    println!("frames of {TRANSACTIONS} transfers each, {ROUNDS} rounds");
    for ((index, frame), hash) in frames.iter().enumerate().zip(&hashes) {
        let each = |time: &Duration| time.as_secs_f64() * 1e6 / TRANSACTIONS as f64;
        println!(
            "  flashblock {index}: {} KB, {frame:?}, {:.2} us a transaction; its hash {hash:?}, {:.2} us",
            sizes[index] / 1_000,
            each(frame),
            each(hash),
        );
    }
}

/// The median times of `step` for each flashblock of `block`.
fn rounds<E: Default>(
    block: &[Flashblock],
    mut step: impl FnMut(&mut E, &Flashblock),
) -> Vec<Duration> {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); block.len()];
    for _ in 0..ROUNDS {
        let mut encoder = E::default();
        for (times, flashblock) in times.iter_mut().zip(block) {
            flashblock.part.forget_transactions_json();
            let started = Instant::now();
            step(&mut encoder, flashblock);
            times.push(started.elapsed());
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    times.into_iter().map(median).collect()
}
