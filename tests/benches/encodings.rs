//! What a flashblock of 1,000 transactions weighs and costs in each form and encoding.
//!
//! 600 transfers and 400 ERC-20 transfers (with their log) among 2,000 accounts, EIP-1559, random
//! signatures; the second flashblock of its block. `cargo bench -p blockwright --bench encodings`.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_consensus::{Eip658Value, Receipt, SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{
    Address, B256, Bloom, Bytes, Log, LogData, Signature, TxKind, U256, keccak256,
};
use blockwright_flashblocks::{
    Dialect, Form, FrameEncoder, MetadataDetail, decode_json, decode_spec,
};
use blockwright_stream::Codec;
use blockwright_types::{
    AccountChange, AccountPost, BlockPart, Changes, Flashblock, FlashblockBase, PayloadId,
    RecoveredTx,
};
use op_alloy_consensus::{OpReceipt, OpTxEnvelope};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TRANSACTIONS: u64 = 1_000;
const ACCOUNTS: u64 = 2_000;
const ROUNDS: usize = 101;

fn random(subject: &str, n: u64) -> B256 {
    keccak256([subject.as_bytes(), &n.to_be_bytes()].concat())
}

fn account(n: u64) -> Address {
    Address::from_word(random("account", n % ACCOUNTS))
}

fn amount(n: u64) -> U256 {
    U256::from_be_bytes(random("amount", n).0) >> 190
}

/// Transaction `n` and its receipt: two of five move a token.
fn transaction(n: u64) -> (OpTxEnvelope, Receipt) {
    let (from, to) = (account(n), account(n * 7 + 1));
    let token = Address::repeat_byte(0x70);
    let is_token = n % 5 < 2;
    let (kind, value, input) = if is_token {
        let mut call = hex::decode("a9059cbb").unwrap();
        call.extend(to.into_word());
        call.extend(amount(n).to_be_bytes::<32>());
        (token, U256::ZERO, Bytes::from(call))
    } else {
        (to, amount(n), Bytes::new())
    };
    let unsigned = TxEip1559 {
        chain_id: 901,
        nonce: n % 300,
        gas_limit: if is_token { 60_000 } else { 21_000 },
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000 + u128::from(n),
        to: TxKind::Call(kind),
        value,
        input,
        ..TxEip1559::default()
    };
    let (r, s) = (random("r", n).into(), random("s", n).into());
    let signed = unsigned.into_signed(Signature::new(r, s, n.is_multiple_of(2)));
    let transfer = keccak256("Transfer(address,address,uint256)");
    let log = Log {
        address: token,
        data: LogData::new_unchecked(
            vec![transfer, from.into_word(), to.into_word()],
            amount(n).to_be_bytes::<32>().into(),
        ),
    };
    let receipt = Receipt {
        status: Eip658Value::Eip658(true),
        cumulative_gas_used: 21_000 * (n + 1),
        logs: if is_token { vec![log] } else { Vec::new() },
    };
    (signed.into(), receipt)
}

fn part(numbers: std::ops::Range<u64>) -> BlockPart {
    let mut changes = Changes::default();
    let (mut transactions, mut receipts) = (Vec::new(), Vec::new());
    for n in numbers {
        for address in [account(n), account(n * 7 + 1)] {
            let post = AccountPost {
                balance: U256::from(10).pow(U256::from(18)) - amount(n),
                nonce: n % 300 + 1,
                code_hash: B256::ZERO,
            };
            let change = AccountChange {
                post: Some(post),
                storage_wiped: false,
                storage: Default::default(),
            };
            changes.accounts.insert(address, change);
        }
        let (envelope, receipt) = transaction(n);
        let encoded = envelope.encoded_2718().into();
        let recovered = RecoveredTx::new(envelope, encoded, account(n));
        transactions.push(Arc::new(recovered));
        receipts.push(OpReceipt::Eip1559(receipt));
    }
    BlockPart::new(transactions, receipts, vec![Arc::new(changes)])
}

fn flashblock(index: u64) -> Flashblock {
    let base = FlashblockBase {
        parent_beacon_block_root: random("beacon", 1),
        parent_hash: random("parent", 1),
        fee_recipient: Address::repeat_byte(0x11),
        prev_randao: random("randao", 1),
        block_number: 100,
        gas_limit: 60_000_000,
        timestamp: 1_700_000_000,
        extra_data: Default::default(),
        base_fee_per_gas: U256::from(1_000_000_000),
    };
    let first = index * TRANSACTIONS;
    Flashblock {
        payload_id: PayloadId::new([1; 8]),
        index,
        base: (index == 0).then_some(base),
        block_number: 100,
        state_root: random("state", index),
        receipts_root: random("receipts", index),
        logs_bloom: Bloom::from_slice(&random("bloom", index).repeat(8)),
        gas_used: 21_000 * (first + TRANSACTIONS),
        block_hash: random("block", index),
        withdrawals_root: random("withdrawals", 1),
        blob_gas_used: Some(0),
        part: Arc::new(part(first..first + TRANSACTIONS)),
    }
}

/// The median time of `work`, which is made ready by `prepare` each time.
fn median<T, R>(mut prepare: impl FnMut() -> T, mut work: impl FnMut(T) -> R) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let ready = prepare();
            let started = Instant::now();
            black_box(work(ready));
            started.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

struct Row {
    name: &'static str,
    size_bytes: usize,
    made: Duration,
    read: Duration,
}

/// A frame of `form` and what it costs to make and to read.
fn plain(name: &'static str, form: Form, block: &[Flashblock; 2]) -> (Vec<u8>, Row) {
    let [first, second] = block;
    let ready = || {
        let mut encoder = FrameEncoder::new(false);
        let mut frames = encoder.advance(first).unwrap();
        frames.encode(form, Vec::new()).unwrap();
        second.part.forget_transactions_json();
        encoder
    };
    let encode = |mut encoder: FrameEncoder| {
        let mut frames = encoder.advance(second).unwrap();
        frames.encode(form, Vec::new()).unwrap()
    };
    let frame = encode(ready());
    let read = match form.dialect() {
        Dialect::Spec => median(|| (), |()| decode_spec(&frame).unwrap().diff.gas_used),
        Dialect::V1 | Dialect::Subblocks => {
            median(|| (), |()| decode_json(&frame).unwrap().payload.index)
        }
    };
    let row = Row {
        name,
        size_bytes: frame.len(),
        made: median(ready, encode),
        read,
    };
    (frame, row)
}

fn packed(name: &'static str, codec: Codec, frame: &[u8]) -> Row {
    let packed = codec.compress(frame).unwrap();
    let unpack = || match codec {
        Codec::Zstd => zstd::bulk::decompress(&packed, frame.len()).unwrap(),
        Codec::Brotli => {
            let mut plain = Vec::with_capacity(frame.len());
            let mut reader = brotli::Decompressor::new(packed.as_slice(), 64 * 1024);
            reader.read_to_end(&mut plain).unwrap();
            plain
        }
    };
    assert_eq!(unpack(), frame);
    Row {
        name,
        size_bytes: packed.len(),
        made: median(|| (), |()| codec.compress(frame).unwrap()),
        read: median(|| (), |()| unpack()),
    }
}

fn main() {
    let block = [flashblock(0), flashblock(1)];
    let (json, full) = plain("v1", Form::V1(MetadataDetail::Full), &block);
    let (_, minimal) = plain(
        "v1, minimal metadata",
        Form::V1(MetadataDetail::Minimal),
        &block,
    );
    let (_, ssz) = plain("spec (SSZ, with its hash)", Form::Spec, &block);
    let rows = [
        full,
        minimal,
        ssz,
        packed("v1 in brotli", Codec::Brotli, &json),
        packed("v1 in zstd", Codec::Zstd, &json),
    ];
    println!("| 1,000 transactions | bytes | made in | read in |\n|---|---:|---:|---:|");
    for row in rows {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (made, read) = (ms(row.made), ms(row.read));
        println!(
            "| {} | {} | {made:.2} ms | {read:.2} ms |",
            row.name, row.size_bytes
        );
    }
}
