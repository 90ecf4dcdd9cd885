//! The builder's flashblocks, in order and not.

use alloy_primitives::{B256, Bytes, U256};
use blockwright_types::StopReason;

use super::*;
use crate::fixture::{Built, GENESIS_TIME, SINK, World, id, payment};

fn assembler(world: &World) -> Assembler {
    Assembler::new(
        world.store.clone(),
        Arc::clone(&world.chain),
        world.feed.clone(),
    )
}

fn three_parts(world: &World) -> Built {
    world.build(id(1), &[vec![payment(0), payment(1)], vec![payment(2)]])
}

fn end(outcome: PayloadOutcome) -> Handed {
    Handed::End(PayloadEnd {
        payload_id: id(1),
        block_number: 1,
        block_hash: B256::ZERO,
        last_index: 0,
        outcome,
    })
}

fn hand(built: &Built, index: usize) -> Handed {
    flashblock(Arc::clone(&built.flashblocks[index]))
}

fn flashblock(flashblock: Arc<Flashblock>) -> Handed {
    Handed::Flashblock(flashblock, UnixUs::from_secs(GENESIS_TIME))
}

fn shown(world: &World) -> Option<Arc<PendingBlock>> {
    let now = world.pending.now();
    world.pending.current(&world.head(), now)
}

#[test]
fn every_flashblock_makes_the_block_that_it_states() {
    let world = World::new();
    let built = three_parts(&world);
    let mut assembler = assembler(&world);
    let paid = [0, 2, 3];
    for (index, flashblock) in built.flashblocks.iter().enumerate() {
        assembler.take(hand(&built, index));
        let shown = shown(&world).unwrap();
        assert_eq!(shown.index, index as u64);
        assert_eq!(shown.block.hash, flashblock.block_hash);
        assert_eq!(shown.block.header.hash_slow(), flashblock.block_hash);
        assert_eq!(shown.block.transaction_count(), 1 + paid[index] as usize);
        let sink = shown.state().account(&SINK);
        let balance = sink.map_or(U256::ZERO, |account| account.balance);
        assert_eq!(balance, U256::from(paid[index]));
        for (place, tx) in shown.block.transactions().enumerate() {
            assert_eq!(shown.transaction(&tx.hash), Some(place));
            let bringing = paid.iter().position(|paid| place <= *paid as usize);
            let hash = built.flashblocks[bringing.unwrap()].block_hash;
            assert_eq!(shown.hash_when_preconfirmed(place), Some(hash));
        }
        let count = shown.block.transaction_count();
        assert_eq!(shown.hash_when_preconfirmed(count), None);
        assert!(Arc::ptr_eq(shown.newest_part(), &flashblock.part));
    }
    let last = shown(&world).unwrap();
    assert_eq!(last.block.header, built.block.header);
    world.adopt(&built);
    let stored = world.store.reader(built.block.hash).unwrap();
    for address in built.block.changes().accounts.keys() {
        assert_eq!(last.state().account(address), stored.account(address));
    }
    assert_eq!(last.context.activates, None);
}

#[test]
fn without_roots_hash_and_state_root_are_zero() {
    let world = World::new();
    let built = three_parts(&world);
    let rootless = Flashblock {
        state_root: B256::ZERO,
        block_hash: B256::ZERO,
        withdrawals_root: B256::ZERO,
        ..(*built.flashblocks[1]).clone()
    };
    let mut assembler = assembler(&world);
    assembler.take(hand(&built, 0));
    assembler.take(flashblock(Arc::new(rootless)));
    let shown = shown(&world).unwrap();
    assert_eq!((shown.index, shown.block.hash), (1, B256::ZERO));
    assert_eq!(shown.block.header.state_root, B256::ZERO);
    let transactions_root = built.block.header.transactions_root;
    assert_ne!(shown.block.header.transactions_root, transactions_root);
}

#[test]
fn what_does_not_fit_withdraws_the_block_until_the_next_begins() {
    let world = World::new();
    let built = three_parts(&world);
    let other = Flashblock {
        payload_id: id(7),
        ..(*built.flashblocks[1]).clone()
    };
    let forged = Flashblock {
        gas_used: 1,
        ..(*built.flashblocks[1]).clone()
    };
    let misfits = [
        hand(&built, 2),
        flashblock(Arc::new(other)),
        flashblock(Arc::new(forged)),
        end(PayloadOutcome::Abandoned(StopReason::Superseded)),
    ];
    let mut assembler = assembler(&world);
    for misfit in misfits {
        assembler.take(hand(&built, 0));
        assert!(shown(&world).is_some());
        assembler.take(misfit);
        assert!(shown(&world).is_none());
        // The one that would have been right comes too late.
        assembler.take(hand(&built, 1));
        assert!(shown(&world).is_none());
    }
    assembler.take(hand(&built, 0));
    assembler.lost();
    assert!(shown(&world).is_none());
}

#[test]
fn an_unknown_parent_ends_the_block_before() {
    let world = World::new();
    let built = three_parts(&world);
    let mut stranger = (*built.flashblocks[0]).clone();
    stranger.payload_id = id(2);
    let base = stranger.base.as_mut().unwrap();
    base.parent_hash = B256::repeat_byte(5);
    base.extra_data = Bytes::new();
    let mut assembler = assembler(&world);
    assembler.take(hand(&built, 0));
    assembler.take(flashblock(Arc::new(stranger)));
    assert!(shown(&world).is_none());
}

#[test]
fn a_sealed_block_stays() {
    let world = World::new();
    let built = three_parts(&world);
    let mut assembler = assembler(&world);
    (0..3).for_each(|index| assembler.take(hand(&built, index)));
    assembler.take(end(PayloadOutcome::Sealed));
    assert_eq!(shown(&world).unwrap().index, 2);
}
