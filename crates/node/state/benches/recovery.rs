//! What opening costs: a development chain of 10,000 small blocks replayed from its log.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use blockwright_state::{ForkChoice, Genesis, Store, StoreConfig};
use blockwright_types::{AccountChange, AccountPost, BlockPart, Changes, SealedBlock};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

const BLOCKS: u64 = 10_000;
const ACCOUNTS: u64 = 2_000;

fn account(
    number: u64,
    balance: u64,
    slots: impl Iterator<Item = u64>,
) -> (Address, AccountChange) {
    let post = AccountPost {
        balance: U256::from(balance),
        nonce: balance,
        code_hash: KECCAK256_EMPTY,
    };
    let change = AccountChange {
        post: Some(post),
        storage_wiped: false,
        storage: slots
            .map(|slot| (U256::from(slot), U256::from(balance + 1)))
            .collect(),
    };
    (Address::left_padding_from(&number.to_be_bytes()), change)
}

/// What an idle block of a development chain changes, and a few transfers.
fn changes(block: u64) -> Changes {
    let mut changes = Changes::default();
    changes.accounts.extend([
        account(1, block, 0..8),
        account(2, block, [block % 8191].into_iter()),
        account(3, block, std::iter::empty()),
    ]);
    let transfers = (0..5).map(|n| 10 + (block * 7 + n * 131) % ACCOUNTS);
    changes
        .accounts
        .extend(transfers.map(|number| account(number, block, std::iter::empty())));
    changes
}

fn genesis() -> Genesis {
    let mut changes = Changes::default();
    changes
        .accounts
        .extend((0..ACCOUNTS).map(|number| account(number, 0, std::iter::empty())));
    let mut trie = blockwright_state::StateTrie::default();
    trie.apply(&changes).unwrap();
    Genesis {
        header: Header {
            state_root: trie.roots().unwrap().state,
            ..Header::default()
        },
        hash: B256::repeat_byte(1),
        changes,
    }
}

fn extend(store: &Store, number: u64) {
    let parent = store.head().hash;
    let changes = changes(number);
    let (roots, delta) = store.roots_after(parent, &changes).unwrap();
    let header = Header {
        number,
        parent_hash: parent,
        state_root: roots.state,
        ..Header::default()
    };
    let part = BlockPart::new(Vec::new(), Vec::new(), vec![Arc::new(changes)]);
    let hash = header.hash_slow();
    let block = SealedBlock {
        header,
        hash,
        parts: vec![Arc::new(part)],
        value: U256::ZERO,
    };
    store.insert(Arc::new(block), delta).unwrap();
    store
        .set_fork_choice(ForkChoice {
            head: hash,
            safe: B256::ZERO,
            finalized: B256::ZERO,
        })
        .unwrap();
}

fn recovery(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let config = StoreConfig::in_directory(directory.path());
    let store = Store::open(config.clone(), genesis()).unwrap();
    (1..=BLOCKS).for_each(|number| extend(&store, number));
    drop(store);
    let mut group = criterion.benchmark_group("recovery");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(5));
    group.bench_function("10,000 small blocks", |bencher| {
        bencher.iter_batched(
            || (config.clone(), genesis()),
            |(config, genesis)| {
                let store = Store::open(config, genesis).unwrap();
                assert_eq!(store.head().number, BLOCKS);
                store
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, recovery);
criterion_main!(benches);
