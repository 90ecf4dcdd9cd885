//! Branches, reorgs, labels and windows, in memory.

use std::collections::BTreeMap;

use alloy_primitives::map::B256Map;
use revm_database_interface::DatabaseRef;

use super::*;
use crate::fixture::{self, Model, Rng, grow, head};

#[test]
fn every_branch_reads_as_its_own_replay() {
    for seed in 0..10 {
        let mut rng = Rng(seed);
        let store = fixture::memory(64);
        let (genesis, start) = fixture::genesis();
        let mut models = B256Map::from_iter([(genesis.hash, start)]);
        let mut hashes = vec![genesis.hash];
        for _ in 0..40 {
            let parent = hashes[rng.below(hashes.len() as u64) as usize];
            let block = grow(&store, parent, &mut rng);
            let mut model: Model = models[&parent].clone();
            model.apply(&block.changes());
            assert_eq!(block.header.state_root, model.roots().state);
            models.insert(block.hash, model);
            hashes.push(block.hash);
            let chosen = hashes[rng.below(hashes.len() as u64) as usize];
            store.set_fork_choice(head(chosen)).unwrap();
        }
        for (hash, model) in &models {
            model.assert_read_by(&store, *hash);
        }
    }
}

/// The canonical chain by walking parent links.
fn walk(store: &Store, tip: B256) -> BTreeMap<u64, B256> {
    let mut chain = BTreeMap::new();
    let mut at = tip;
    loop {
        let header = store.header(at).unwrap();
        chain.insert(header.number, at);
        if header.number == 0 {
            return chain;
        }
        at = header.parent_hash;
    }
}

#[test]
fn a_fork_choice_reports_and_indexes_exactly_what_changed() {
    for seed in 0..10 {
        let mut rng = Rng(seed + 100);
        let directory = tempfile::tempdir().unwrap();
        // Every other time all but the newest block has to be read back from the log.
        let store = if seed % 2 == 0 {
            fixture::memory(64)
        } else {
            let config = StoreConfig {
                window_blocks: 64,
                bodies_bytes_max: 1,
                ..fixture::config(directory.path())
            };
            fixture::open_with(config, fixture::genesis().0).unwrap()
        };
        let (genesis, _) = fixture::genesis();
        let mut hashes = vec![genesis.hash];
        let mut before = walk(&store, genesis.hash);
        for _ in 0..40 {
            let parent = hashes[rng.below(hashes.len() as u64) as usize];
            hashes.push(grow(&store, parent, &mut rng).hash);
            let chosen = hashes[rng.below(hashes.len() as u64) as usize];
            let update = store.set_fork_choice(head(chosen)).unwrap();
            let after = walk(&store, chosen);
            let left = |a: &BTreeMap<u64, B256>, b: &BTreeMap<u64, B256>| -> Vec<B256> {
                a.iter()
                    .filter(|(number, hash)| b.get(number) != Some(hash))
                    .map(|(_, hash)| *hash)
                    .collect()
            };
            let of = |blocks: &[Arc<SealedBlock>]| -> Vec<B256> {
                blocks.iter().map(|block| block.hash).collect()
            };
            assert_eq!(of(&update.new), left(&after, &before));
            let mut reverted = of(&update.reverted);
            reverted.reverse();
            assert_eq!(reverted, left(&before, &after));
            assert_eq!(store.head().hash, chosen);
            for number in 0..50 {
                assert_eq!(store.canonical_hash(number), after.get(&number).copied());
            }
            for hash in &hashes {
                assert_eq!(store.is_canonical(*hash), after.values().any(|h| h == hash));
                let block = store.block_by_hash(*hash).unwrap();
                for tx in block.transactions() {
                    let found = store
                        .transaction(tx.hash)
                        .map(|(block, index)| (block.hash, index));
                    assert_eq!(found, store.is_canonical(*hash).then_some((*hash, 0)));
                }
            }
            before = after;
        }
    }
}

#[test]
fn labels_must_lie_on_the_chain_of_the_head() {
    let store = fixture::memory(64);
    let mut rng = Rng(1);
    let genesis = fixture::genesis().0.hash;
    let a = grow(&store, genesis, &mut rng).hash;
    let b = grow(&store, a, &mut rng).hash;
    let side = grow(&store, genesis, &mut rng).hash;
    let choice = |head, safe, finalized| ForkChoice {
        head,
        safe,
        finalized,
    };
    for (label, wrong) in [
        ("safe", choice(b, side, B256::ZERO)),
        ("finalized", choice(b, a, side)),
        ("safe", choice(a, b, B256::ZERO)),
        ("finalized", choice(b, B256::ZERO, B256::repeat_byte(1))),
    ] {
        let error = store.set_fork_choice(wrong).unwrap_err();
        assert!(
            matches!(error, StateError::NotCanonical { label: found, .. } if found == label),
            "{error}"
        );
        assert_eq!(store.head().hash, genesis, "nothing may have changed");
    }
    store.set_fork_choice(choice(b, a, genesis)).unwrap();
    assert_eq!(store.safe().unwrap().hash, a);
    assert_eq!(store.finalized().unwrap().hash, genesis);
    // A reorg below the safe block takes that label away, and zero keeps the other.
    store.set_fork_choice(head(side)).unwrap();
    assert_eq!(store.safe(), None);
    assert_eq!(store.finalized().unwrap().hash, genesis);
    let error = store
        .set_fork_choice(head(B256::repeat_byte(2)))
        .unwrap_err();
    assert!(matches!(error, StateError::UnknownBlock(_)), "{error}");
}

#[test]
fn the_window_follows_the_head_and_waits_for_finality() {
    let store = fixture::memory(8);
    let mut rng = Rng(2);
    let genesis = fixture::genesis().0.hash;
    let mut chain = vec![genesis];
    let mut sides = Vec::new();
    for number in 1..=40u64 {
        let parent = chain[number as usize - 1];
        sides.push(grow(&store, parent, &mut rng).hash);
        chain.push(grow(&store, parent, &mut rng).hash);
        let finalized = chain[(number / 2) as usize];
        store
            .set_fork_choice(ForkChoice {
                head: chain[number as usize],
                safe: finalized,
                finalized,
            })
            .unwrap();
        // 8 below the head always, down to finalized, 16 at most.
        let floor = (number / 2)
            .min(number.saturating_sub(8))
            .max(number.saturating_sub(16));
        for (height, hash) in chain.iter().enumerate() {
            assert_eq!(store.contains(*hash), height as u64 >= floor);
            assert_eq!(store.block_by_hash(*hash).unwrap().hash, *hash);
            assert_eq!(store.block_by_number(height as u64).unwrap().hash, *hash);
        }
        for (index, hash) in sides.iter().enumerate() {
            let height = index as u64 + 1;
            assert_eq!(
                store.contains(*hash),
                height > number / 2 && height >= floor
            );
        }
    }
    let error = store.set_fork_choice(head(chain[10])).unwrap_err();
    assert!(
        matches!(error, StateError::UnknownBlock(hash) if hash == chain[10]),
        "{error}"
    );
}

#[test]
fn side_blocks_are_bounded() {
    let config = StoreConfig {
        side_blocks_max: 10,
        ..StoreConfig::in_memory()
    };
    let store = Store::open(config, fixture::genesis().0).unwrap();
    let genesis = fixture::genesis().0.hash;
    let mut rng = Rng(3);
    let mut all = Vec::new();
    for _ in 0..50 {
        all.push(grow(&store, genesis, &mut rng).hash);
        assert!(all.iter().filter(|hash| store.contains(**hash)).count() <= 10);
        assert!(store.contains(*all.last().unwrap()), "the new block stays");
    }
}

#[test]
fn wrong_blocks_are_refused_and_known_ones_ignored() {
    let store = fixture::memory(8);
    let genesis = fixture::genesis().0.hash;
    let mut rng = Rng(4);
    let (block, delta) = fixture::child(&store, genesis, fixture::changes(&mut rng), 1);
    store.insert(Arc::clone(&block), delta.clone()).unwrap();
    store.insert(Arc::clone(&block), delta.clone()).unwrap();
    let (other, other_delta) = fixture::child(&store, genesis, fixture::changes(&mut rng), 2);
    let error = store.insert(Arc::clone(&other), delta).unwrap_err();
    assert!(matches!(error, StateError::RootMismatch { .. }), "{error}");
    let mut gap = SealedBlock::clone(&other);
    gap.header.number = 7;
    let error = store
        .insert(Arc::new(gap), other_delta.clone())
        .unwrap_err();
    assert!(
        matches!(error, StateError::NumberGap { number: 7, .. }),
        "{error}"
    );
    let mut orphan = SealedBlock::clone(&other);
    orphan.header.parent_hash = B256::repeat_byte(3);
    let error = store.insert(Arc::new(orphan), other_delta).unwrap_err();
    assert!(matches!(error, StateError::UnknownBlock(_)), "{error}");
}

#[test]
fn a_genesis_with_another_root_is_refused() {
    let mut genesis = fixture::genesis().0;
    genesis.header.state_root = B256::ZERO;
    let error = Store::open(StoreConfig::in_memory(), genesis).unwrap_err();
    assert!(matches!(error, StateError::GenesisRoot { .. }), "{error}");
}

#[test]
fn block_hashes_are_those_of_the_readers_own_branch() {
    let store = fixture::memory(512);
    let mut rng = Rng(6);
    let genesis = fixture::genesis().0.hash;
    let mut chain = vec![genesis];
    for _ in 0..300 {
        chain.push(grow(&store, *chain.last().unwrap(), &mut rng).hash);
    }
    let side = grow(&store, chain[299], &mut rng).hash;
    let reader = store.reader(side).unwrap();
    assert_eq!(reader.block_hash_ref(300).unwrap(), side);
    assert_eq!(reader.block_hash_ref(299).unwrap(), chain[299]);
    assert_eq!(reader.block_hash_ref(45).unwrap(), chain[45]);
    assert_eq!(reader.block_hash_ref(44).unwrap(), B256::ZERO);
    assert_eq!(reader.block_hash_ref(301).unwrap(), B256::ZERO);
}
