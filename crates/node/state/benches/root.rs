//! What roots and reads cost with 1,000,000 accounts and a contract of 1,000,000 slots: roots from
//! scratch and after a flashblock's changes, first reads of random accounts and slots, and the
//! drop of a version. Also prints the memory that the state takes.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use blockwright_state::{Genesis, StateReader, StateTrie, Store, StoreConfig};
use blockwright_types::{AccountChange, AccountPost, Changes};
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};

/// The node's allocator, so that the figures are the node's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ACCOUNTS: u64 = 1_000_000;
const SLOTS: u64 = 1_000_000;
/// What a flashblock of a flood changes.
const FLASHBLOCK: u64 = 8_000;
const READS: u64 = 10_000;
/// The contract with the slots.
const TOKEN: Address = Address::repeat_byte(0x70);
const GENESIS: B256 = B256::repeat_byte(1);

fn address(number: u64) -> Address {
    Address::from_slice(&keccak256(number.to_be_bytes())[12..])
}

fn slot(number: u64) -> U256 {
    U256::from_be_bytes(keccak256(number.to_le_bytes()).0)
}

/// `count` numbers below `end`, spread over all, shifted by `salt`.
fn spread(count: u64, end: u64, salt: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |number| (number * (end / count) + salt * 7) % end)
}

fn account(salt: u64) -> AccountChange {
    AccountChange {
        post: Some(AccountPost {
            balance: U256::from(1_000_000_000_000_000_000u128 + u128::from(salt)),
            nonce: salt,
            code_hash: KECCAK256_EMPTY,
        }),
        storage_wiped: false,
        storage: Default::default(),
    }
}

fn accounts(numbers: impl Iterator<Item = u64>, salt: u64) -> Changes {
    let mut changes = Changes::default();
    for number in numbers {
        changes.accounts.insert(address(number), account(salt));
    }
    changes
}

fn slots(numbers: impl Iterator<Item = u64>, salt: u64) -> Changes {
    let mut change = account(salt);
    change.storage = numbers
        .map(|number| (slot(number), U256::from(1_000_000_000 + salt)))
        .collect();
    let mut changes = Changes::default();
    changes.accounts.insert(TOKEN, change);
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

/// A store whose genesis is 1,000,000 accounts and the contract.
fn store() -> Store {
    let mut changes = accounts(0..ACCOUNTS, 0);
    let before = resident_mib();
    let mut trie = StateTrie::default();
    trie.apply(&changes).unwrap();
    trie.roots().unwrap();
    let after_accounts = resident_mib();
    let contract = slots(0..SLOTS, 0);
    let before_slots = resident_mib();
    trie.apply(&contract).unwrap();
    let state_root = trie.roots().unwrap().state;
    println!(
        "memory: {} MiB for a state of 1M accounts, {} MiB for 1M slots",
        after_accounts - before,
        resident_mib() - before_slots
    );
    drop(trie);
    changes.extend(&contract);
    let header = Header {
        state_root,
        ..Header::default()
    };
    let genesis = Genesis {
        header,
        hash: GENESIS,
        changes,
    };
    Store::open(StoreConfig::in_memory(), genesis).unwrap()
}

/// Roots after changes; the parent's version stays held, as it does in a node: every path is
/// copied.
fn root(
    group: &mut BenchmarkGroup<'_, WallTime>,
    store: &Store,
    name: &str,
    changes: impl Fn(u64) -> Changes,
) {
    let mut salt = 1;
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || {
                salt += 1;
                changes(salt)
            },
            |changes| store.roots_after(GENESIS, &changes).unwrap(),
            BatchSize::PerIteration,
        );
    });
}

fn reads(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, read: impl Fn(u64)) {
    let mut salt = 1;
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || {
                salt += 1;
                spread(READS, ACCOUNTS, salt * 13).collect::<Vec<_>>()
            },
            |numbers| numbers.into_iter().for_each(&read),
            BatchSize::PerIteration,
        );
    });
}

fn roots(criterion: &mut Criterion) {
    let all = accounts(0..ACCOUNTS, 0);
    let mut group = criterion.benchmark_group("root");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(5));
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
    drop(all);
    let store = store();
    group.sample_size(30);
    for count in [100, 1_000, FLASHBLOCK, 10_000] {
        let changed = |salt| accounts(spread(count, ACCOUNTS, salt), salt);
        let name = format!("{count} changed of 1M");
        root(&mut group, &store, &name, changed);
    }
    root(&mut group, &store, "8000 fresh accounts", |salt| {
        accounts(ACCOUNTS * salt..ACCOUNTS * salt + FLASHBLOCK, salt)
    });
    root(&mut group, &store, "8000 slots of 1M", |salt| {
        slots(spread(FLASHBLOCK, SLOTS, salt), salt)
    });
    root(&mut group, &store, "8000 fresh slots", |salt| {
        slots(SLOTS * salt..SLOTS * salt + FLASHBLOCK, salt)
    });
    let mut salt = 0;
    group.bench_function("drop a version with 8000 changed", |bencher| {
        bencher.iter_batched(
            || {
                salt += 1;
                let changes = accounts(spread(FLASHBLOCK, ACCOUNTS, salt), salt);
                store.roots_after(GENESIS, &changes).unwrap()
            },
            drop,
            BatchSize::PerIteration,
        );
    });
    let reader: StateReader = store.reader(GENESIS).unwrap();
    let addresses: Vec<_> = (0..ACCOUNTS).map(address).collect();
    reads(&mut group, "first reads of 10000 accounts", |number| {
        black_box(reader.account(&addresses[number as usize]));
    });
    let keys: Vec<_> = (0..SLOTS).map(slot).collect();
    reads(&mut group, "first reads of 10000 slots", |number| {
        black_box(reader.storage(&TOKEN, &keys[number as usize]));
    });
    group.finish();
}

criterion_group!(benches, roots);
criterion_main!(benches);
