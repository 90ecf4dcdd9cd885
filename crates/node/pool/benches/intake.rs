//! What the pool costs: intake of signed transactions, opening a job, following a head.

use std::hint::black_box;
use std::sync::Arc;

use alloy_consensus::{Header, SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Signature, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use blockwright_pool::{
    AccountFacts, AccountView, HeadView, Pool, PoolConfig, RollupFeeView, ViewError,
};
use blockwright_seams::{Candidates, Wake};
use blockwright_types::{
    AccountChange, AccountPost, BlockContext, BlockPart, BuildRequest, Changes, OpFork, PayloadId,
    RecoveredTx, SealedBlock, SharedTx, UnixUs,
};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use op_alloy_consensus::OpTxEnvelope;

const CHAIN_ID: u64 = 901;
const BATCH: usize = 100;

/// Every account is rich and has sent the same number of transactions.
struct Rich {
    nonce: u64,
}

impl AccountView for Rich {
    fn account(&self, _: Address) -> Result<AccountFacts, ViewError> {
        Ok(AccountFacts {
            nonce: self.nonce,
            balance: U256::from(u128::MAX),
            ..AccountFacts::default()
        })
    }
}

struct NoFee;

impl RollupFeeView for NoFee {
    fn cost(&self, _: &RecoveredTx) -> U256 {
        U256::ZERO
    }
}

fn head(nonce: u64) -> HeadView {
    HeadView {
        hash: B256::with_last_byte(nonce as u8),
        number: nonce,
        fork: OpFork::Karst,
        base_fee: 100,
        gas_limit: 30_000_000,
        accounts: Arc::new(Rich { nonce }),
        fees: Arc::new(NoFee),
    }
}

fn pool(threads: usize) -> Pool {
    let mut config = PoolConfig::new(CHAIN_ID);
    config.intake_threads = threads;
    let pool = Pool::new(config);
    pool.on_head_jump(head(0));
    pool
}

fn transfer(nonce: u64, tip: u128) -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 1_000_000,
        max_priority_fee_per_gas: tip,
        to: TxKind::Call(Address::repeat_byte(0x77)),
        value: U256::from(1),
        ..TxEip1559::default()
    }
}

/// Signed transfers of 20 senders, in batches.
fn signed_batches(count: usize) -> Vec<Vec<Bytes>> {
    let keys: Vec<PrivateKeySigner> = (1..=20)
        .filter_map(|index| PrivateKeySigner::from_bytes(&B256::repeat_byte(index)).ok())
        .collect();
    let all: Vec<Bytes> = (0..count)
        .map(|index| {
            let key = &keys[index % keys.len()];
            let tx = transfer((index / keys.len()) as u64, 10);
            let signature = key
                .sign_hash_sync(&tx.signature_hash())
                .expect("a local key signs every digest");
            let envelope = OpTxEnvelope::Eip1559(tx.into_signed(signature));
            Bytes::from(envelope.encoded_2718())
        })
        .collect();
    all.chunks(BATCH).map(<[Bytes]>::to_vec).collect()
}

/// Transfers with senders given, `rounds` for each of `senders`.
fn recovered(senders: u64, rounds: u64) -> Vec<SharedTx> {
    let signature = Signature::new(U256::from(1), U256::from(1), false);
    let one = |sender: u64, nonce: u64| {
        let mut address = [0; 20];
        address[..8].copy_from_slice(&sender.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let mut tx = transfer(nonce, u128::from((sender * 31 + nonce * 17) % 1_000));
        // Senders would else share hashes, the signature being the same.
        tx.value = U256::from(sender);
        let envelope = OpTxEnvelope::Eip1559(tx.into_signed(signature));
        let encoded = envelope.encoded_2718().into();
        Arc::new(RecoveredTx::new(envelope, encoded, Address::from(address)))
    };
    (0..rounds)
        .flat_map(|nonce| (0..senders).map(move |sender| one(sender, nonce)))
        .collect()
}

fn filled(txs: &[SharedTx]) -> Pool {
    let pool = pool(1);
    for tx in txs {
        pool.add_recovered(tx.clone())
            .expect("a valid transaction in an empty pool");
    }
    pool
}

fn request() -> BuildRequest {
    BuildRequest {
        id: PayloadId::default(),
        context: BlockContext {
            chain_id: CHAIN_ID,
            fork: OpFork::Karst,
            activates: None,
            parent_hash: head(0).hash,
            number: 1,
            timestamp: 2,
            fee_recipient: Address::ZERO,
            prev_randao: B256::ZERO,
            gas_limit: 30_000_000,
            base_fee: 100,
            extra_data: Bytes::new(),
            parent_beacon_block_root: Some(B256::ZERO),
        },
        sequencer_transactions: Vec::new(),
        no_tx_pool: false,
        received_at: UnixUs(0),
        parent_timestamp: 0,
    }
}

fn block(txs: &[SharedTx]) -> Arc<SealedBlock> {
    let mut changes = Changes::default();
    for tx in txs {
        let post = AccountPost {
            balance: U256::from(u128::MAX),
            nonce: 1,
            code_hash: KECCAK256_EMPTY,
        };
        changes.accounts.insert(
            tx.sender,
            AccountChange {
                post: Some(post),
                storage_wiped: false,
                storage: Default::default(),
            },
        );
    }
    let part = BlockPart::new(txs.to_vec(), Vec::new(), vec![Arc::new(changes)]);
    Arc::new(SealedBlock {
        header: Header::default(),
        hash: B256::ZERO,
        parts: vec![Arc::new(part)],
        value: U256::ZERO,
    })
}

/// Signed bytes to executable transactions, in batches of 100, eight at a time.
fn intake(c: &mut Criterion) {
    let batches = signed_batches(2_000);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without I/O needs nothing of the system");
    let mut group = c.benchmark_group("intake_batches_of_100");
    group.throughput(Throughput::Elements(2_000));
    group.sample_size(10);
    for threads in [1, 2] {
        group.bench_function(BenchmarkId::new("threads", threads), |b| {
            b.iter_batched(
                || (pool(threads), batches.clone()),
                |(pool, batches)| {
                    runtime.block_on(async {
                        let sent: Vec<_> = batches
                            .into_iter()
                            .map(|batch| {
                                let pool = pool.clone();
                                tokio::spawn(async move { pool.add_batch(batch).await })
                            })
                            .collect();
                        for batch in sent {
                            let results = batch.await.expect("the task does not panic");
                            assert!(results.iter().all(Result::is_ok));
                        }
                    });
                    pool
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// A job on 100,000 pooled transactions of 5,000 senders.
fn job(c: &mut Criterion) {
    let pool = filled(&recovered(5_000, 20));
    let view: Arc<dyn AccountView> = Arc::new(Rich { nonce: 0 });
    let wake: Wake = Arc::new(|| {});
    let request = request();
    let mut group = c.benchmark_group("job_on_100k_pooled");
    group.bench_function("open", |b| {
        b.iter(|| pool.candidates(&request, view.clone(), wake.clone()));
    });
    group.bench_function("open_and_poll_5000_heads", |b| {
        b.iter(|| {
            let mut job = pool.candidates(&request, view.clone(), wake.clone());
            let mut heads = Vec::with_capacity(5_000);
            while job.poll_new(256, &mut heads) {}
            assert_eq!(heads.len(), 5_000);
            heads
        });
    });
    group.bench_function("commit_and_next", |b| {
        let mut job = pool.candidates(&request, view.clone(), wake.clone());
        let mut heads = Vec::with_capacity(5_000);
        while job.poll_new(256, &mut heads) {}
        let mut turn = 0;
        b.iter(|| {
            turn = (turn + 1) % heads.len();
            black_box(job.committed(&heads[turn].tx))
        });
    });
    group.finish();
}

/// Following a block of 1,000 transactions of as many senders, and taking it back.
fn follow(c: &mut Criterion) {
    let mut group = c.benchmark_group("block_of_1000");
    group.sample_size(10);
    for rounds in [4, 20] {
        let txs = recovered(5_000, rounds);
        let pool = filled(&txs);
        let block = [block(&txs[..1_000])];
        let pooled = 5_000 * rounds;
        let include = || pool.on_new_head(head(1), &[], &block);
        let revert = || pool.on_new_head(head(0), &block, &[]);
        group.bench_function(BenchmarkId::new("included_pooled", pooled), |b| {
            b.iter_batched(revert, |()| include(), BatchSize::PerIteration);
        });
        group.bench_function(BenchmarkId::new("reverted_pooled", pooled), |b| {
            b.iter_batched(include, |()| revert(), BatchSize::PerIteration);
        });
        assert_eq!(pool.status().executable as u64, pooled);
    }
    group.finish();
}

criterion_group!(benches, intake, job, follow);
criterion_main!(benches);
