//! What a root costs: 1,000,000 accounts from scratch, then 1,000 and 10,000 of them changed.
//! Also prints the memory that the state takes, and what reading it costs.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use blockwright_state::{Genesis, StateTrie, Store, StoreConfig};
use blockwright_types::{AccountChange, AccountPost, Changes};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

const ACCOUNTS: u64 = 1_000_000;

fn address(number: u64) -> Address {
    Address::from_slice(&keccak256(number.to_be_bytes())[12..])
}

/// `count` accounts spread over all, with a balance that depends on `salt`.
fn changes(count: u64, salt: u64) -> Changes {
    let mut changes = Changes::default();
    for number in 0..count {
        let number = (number * (ACCOUNTS / count) + salt) % ACCOUNTS;
        let post = AccountPost {
            balance: U256::from(1_000_000_000_000_000_000u128 + u128::from(salt)),
            nonce: salt,
            code_hash: KECCAK256_EMPTY,
        };
        let change = AccountChange {
            post: Some(post),
            storage_wiped: false,
            storage: Default::default(),
        };
        changes.accounts.insert(address(number), change);
    }
    changes
}

fn resident_mib() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or_default();
    pages * 4096 / 1024 / 1024
}

fn roots(criterion: &mut Criterion) {
    let all = changes(ACCOUNTS, 0);
    let before = resident_mib();
    let mut trie = StateTrie::default();
    trie.apply(&all).unwrap();
    let state_root = trie.roots().unwrap().state;
    println!(
        "memory: {} MiB for a state of 1M accounts",
        resident_mib() - before
    );
    drop(trie);
    let mut group = criterion.benchmark_group("root");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(10));
    group.bench_function("1M accounts from scratch", |bencher| {
        bencher.iter_batched(
            StateTrie::default,
            |mut trie| {
                trie.apply(&all).unwrap();
                black_box(trie.roots().unwrap());
                trie
            },
            BatchSize::PerIteration,
        );
    });
    let header = Header {
        state_root,
        ..Header::default()
    };
    let hash = B256::repeat_byte(1);
    let genesis = Genesis {
        header,
        hash,
        changes: all,
    };
    let store = Store::open(StoreConfig::in_memory(), genesis).unwrap();
    group.sample_size(30);
    for count in [100, 1_000, 10_000] {
        let mut salt = 1;
        // The parent's version stays held, as it does in a node: every path is copied.
        group.bench_function(format!("{count} changed of 1M"), |bencher| {
            bencher.iter_batched(
                || {
                    salt += 1;
                    changes(count, salt)
                },
                |changes| store.roots_after(hash, &changes).unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    let reader = store.reader(hash).unwrap();
    let addresses: Vec<_> = (0..100_000).map(|n| address(n * 10)).collect();
    let mut number = 0;
    group.bench_function("read one account of 1M", |bencher| {
        bencher.iter(|| {
            number += 7919;
            reader.account(&addresses[number % addresses.len()])
        });
    });
    group.finish();
}

criterion_group!(benches, roots);
criterion_main!(benches);
