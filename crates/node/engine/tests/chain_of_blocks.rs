//! Building, importing and choosing blocks, fork by fork.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use alloy_primitives::{Address, B256, U256};
use blockwright_engine::{EngineConfig, EngineError, ForkchoiceVersion, GetPayloadVersion};
use blockwright_service::{Payload, RootsRule};
use blockwright_state::StoreConfig;
use blockwright_types::{OpFork, PayloadId};
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use support::{Rig, chain, state, transfer};

const RECEIVER: Address = Address::repeat_byte(0x77);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_engine_accepts_every_block_the_first_built() {
    for fork in OpFork::ALL {
        let builder = Rig::new(fork);
        let follower = Rig::new(fork);
        let mut head = builder.genesis();
        for nonce in 0..3 {
            let envelope = builder.extend(head, &[transfer(nonce, RECEIVER)]).await;
            head = envelope.execution_payload.block_hash;
            let status = follower.import(&envelope).await;
            assert!(status.is_valid(), "{fork}: {status:?}");
            assert!(follower.choose(head).await.is_valid());
        }
        assert_eq!(follower.store.head(), builder.store.head(), "{fork}");
        for rig in [&builder, &follower] {
            let paid = rig.store.reader(head).unwrap().account(&RECEIVER).unwrap();
            assert_eq!(paid.balance, U256::from(3), "{fork}");
        }
        builder.stop().await;
        follower.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_own_block_is_taken_over_with_its_parts() {
    let rig = Rig::new(OpFork::Karst);
    let envelope = rig.build(rig.genesis(), &[transfer(0, RECEIVER)]).await;
    let hash = envelope.execution_payload.block_hash;
    assert!(rig.import(&envelope).await.is_valid());
    let built = rig.builder.built(hash).unwrap();
    let held = rig.store.block_by_hash(hash).unwrap();
    // The very same allocation: nothing was executed or decoded again.
    assert!(std::sync::Arc::ptr_eq(&built.block, &held));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_are_answered_at_once_also_below_the_head() {
    let rig = Rig::new(OpFork::Karst);
    let first = rig.extend(rig.genesis(), &[]).await;
    let second = rig.extend(first.execution_payload.block_hash, &[]).await;
    for envelope in [&first, &second, &first] {
        assert!(rig.import(envelope).await.is_valid());
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payloads_wait_for_their_parents() {
    let builder = Rig::new(OpFork::Karst);
    let mut chain = Vec::new();
    let mut head = builder.genesis();
    for nonce in 0..4 {
        let envelope = builder.extend(head, &[transfer(nonce, RECEIVER)]).await;
        head = envelope.execution_payload.block_hash;
        chain.push(envelope);
    }
    let follower = Rig::new(OpFork::Karst);
    for envelope in chain[1..].iter().rev() {
        let status = follower.import(envelope).await;
        assert!(status.is_syncing(), "{status:?}");
        let chosen = follower.choose(envelope.execution_payload.block_hash).await;
        assert!(chosen.is_syncing(), "{chosen:?}");
    }
    assert!(follower.import(&chain[0]).await.is_valid());
    // Importing the last one again waits for its turn behind the waiting ones, which may run in the
    // background still; it is answered VALID or, before its parent is there, SYNCING.
    while !follower.import(&chain[3]).await.is_valid() {
        tokio::task::yield_now().await;
    }
    assert!(follower.choose(head).await.is_valid());
    assert_eq!(follower.store.head(), builder.store.head());
    builder.stop().await;
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_head_may_go_back_and_take_another_branch() {
    let rig = Rig::new(OpFork::Karst);
    let mut updates = rig.engine.heads().updates();
    let mut heads = rig.engine.heads().head();
    let first = rig.extend(rig.genesis(), &[]).await;
    let first = first.execution_payload.block_hash;
    let second = rig.extend(first, &[transfer(0, RECEIVER)]).await;
    let second = second.execution_payload.block_hash;
    for hash in [first, second] {
        assert_eq!(updates.recv().await.unwrap().new[0].hash, hash);
    }

    // Back to an ancestor: its child is reverted.
    assert!(rig.choose(first).await.is_valid());
    let update = updates.recv().await.unwrap();
    let reverted: Vec<B256> = update.reverted.iter().map(|block| block.hash).collect();
    assert_eq!(reverted, [second]);
    assert!(update.new.is_empty());
    assert_eq!(rig.store.head().hash, first);
    assert_eq!(heads.borrow_and_update().as_ref().unwrap().hash, first);

    // A sibling with another content becomes the head, and then the first branch again.
    let sibling = rig.extend(first, &[]).await.execution_payload.block_hash;
    assert_ne!(sibling, second);
    assert_eq!(updates.recv().await.unwrap().new[0].hash, sibling);
    assert!(rig.choose(second).await.is_valid());
    let update = updates.recv().await.unwrap();
    assert_eq!(update.reverted[0].hash, sibling);
    assert_eq!(update.new[0].hash, second);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reverted_transaction_returns_to_the_pool_and_into_the_next_block() {
    let rig = Rig::new(OpFork::Karst);
    let tx = transfer(0, RECEIVER);
    let hash = alloy_primitives::keccak256(&tx);
    let genesis = rig.genesis();
    rig.extend(genesis, &[tx]).await;
    assert!(rig.pool.get(&hash).is_none());
    assert!(rig.choose(genesis).await.is_valid());
    // The pool follows after the answer.
    while rig.pool.get(&hash).is_none() {
        tokio::task::yield_now().await;
    }
    let mut attributes = rig.attributes(genesis, &[]);
    attributes.payload_attributes.timestamp = support::http::now_s() + 2;
    attributes.no_tx_pool = None;
    let id = rig.start(genesis, attributes).await.unwrap();
    let mut best = rig.builder.subscribe(id).unwrap();
    while !best
        .best()
        .is_some_and(|best| best.transactions().any(|tx| tx.hash == hash))
    {
        best.changed().await.unwrap();
    }
    let envelope = rig.get(id).await;
    assert_eq!(envelope.execution_payload.transactions.len(), 2);
    assert!(envelope.block_value > U256::ZERO);
    assert!(rig.import(&envelope).await.is_valid());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bursts_of_fork_choices_are_idempotent() {
    let rig = Rig::new(OpFork::Karst);
    let genesis = rig.genesis();
    let attributes = rig.attributes(genesis, &[]);
    let calls = (0..16).map(|_| {
        let engine = rig.engine.clone();
        let attributes = attributes.clone();
        tokio::spawn(async move {
            let state = state(genesis, genesis, genesis);
            let version = ForkchoiceVersion::V3;
            engine
                .fork_choice_updated(version, state, Some(attributes))
                .await
                .unwrap()
        })
    });
    let mut ids = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        ids.push(call.await.unwrap().payload_id.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let expected = rig.attributes(genesis, &[]).payload_id(&genesis, 3);
    assert_eq!(ids[0], expected);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_choice_waits_for_the_import_of_its_head() {
    let (sequencer, builder) = (Rig::new(OpFork::Karst), Rig::new(OpFork::Karst));
    let txs: Vec<_> = (0..50).map(|nonce| transfer(nonce, RECEIVER)).collect();
    let block = sequencer.build(sequencer.genesis(), &txs).await;
    let head = block.execution_payload.block_hash;
    // As sidecars do: the fork choice comes while newPayload is not answered yet.
    let (status, chosen) = tokio::join!(builder.import(&block), builder.choose(head));
    assert!(status.is_valid(), "{status:?}");
    assert!(chosen.is_valid(), "{chosen:?}");
    assert_eq!(builder.store.head().hash, head);
    sequencer.stop().await;
    builder.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_choice_of_a_block_that_turns_out_invalid_says_so() {
    let (sequencer, builder) = (Rig::new(OpFork::Karst), Rig::new(OpFork::Karst));
    let mut block = sequencer.build(sequencer.genesis(), &[]).await;
    block.execution_payload.state_root = B256::repeat_byte(1);
    let payload = &mut block.execution_payload;
    payload.block_hash = payload
        .header(OpFork::Karst, block.parent_beacon_block_root)
        .hash_slow();
    let head = payload.block_hash;
    let (status, chosen) = tokio::join!(builder.import(&block), builder.choose(head));
    assert!(status.is_invalid(), "{status:?}");
    assert!(chosen.is_invalid(), "{chosen:?}");
    sequencer.stop().await;
    builder.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_version_of_payload_ids_is_configurable() {
    for version in [3, 4] {
        let config = EngineConfig {
            payload_id_version: version,
            ..EngineConfig::default()
        };
        let store = StoreConfig::in_memory();
        let rig = Rig::configured(chain(OpFork::Jovian), &store, config);
        let attributes = rig.attributes(rig.genesis(), &[]);
        let expected = attributes.payload_id(&rig.genesis(), version);
        let id = rig.start(rig.genesis(), attributes).await.unwrap();
        assert_eq!(id, expected);
        assert_eq!(id.0[0], version);
        rig.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn safe_and_finalized_must_be_on_the_heads_chain() {
    let rig = Rig::new(OpFork::Karst);
    let genesis = rig.genesis();
    let first = rig.extend(genesis, &[]).await.execution_payload.block_hash;
    let side = rig.build(genesis, &[transfer(0, RECEIVER)]).await;
    assert!(rig.import(&side).await.is_valid());
    let side = side.execution_payload.block_hash;
    let unknown = B256::repeat_byte(9);
    for (safe, finalized) in [
        (side, genesis),
        (first, side),
        (unknown, genesis),
        (first, unknown),
    ] {
        let error = rig.choose_all(first, safe, finalized).await.unwrap_err();
        assert_eq!(error.code(), -38002, "{error}");
    }
    let error = rig
        .choose_all(B256::ZERO, genesis, genesis)
        .await
        .unwrap_err();
    assert_eq!(error.code(), -38002, "{error}");
    assert_eq!(rig.store.safe(), None);
    assert!(
        rig.choose_all(first, first, genesis)
            .await
            .unwrap()
            .is_valid()
    );
    assert_eq!(rig.store.safe().unwrap().hash, first);
    assert_eq!(rig.store.finalized().unwrap().hash, genesis);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_head_is_syncing_and_builds_nothing() {
    let rig = Rig::new(OpFork::Karst);
    let attributes = rig.attributes(rig.genesis(), &[]);
    let state = state(B256::repeat_byte(1), B256::ZERO, B256::ZERO);
    let answer = rig
        .engine
        .fork_choice_updated(ForkchoiceVersion::V3, state, Some(attributes))
        .await
        .unwrap();
    assert!(answer.is_syncing());
    assert_eq!(answer.payload_id, None);
    assert_eq!(rig.store.head().hash, rig.genesis());
    rig.stop().await;
}

/// Attributes that break one rule, the code and the word that must name it.
type BadAttributes = (fn(&mut OpPayloadAttributes), i32, &'static str);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_attributes_are_refused_by_name_and_the_fork_choice_stands() {
    let rig = Rig::new(OpFork::Karst);
    let genesis = rig.genesis();
    let first = rig.extend(genesis, &[]).await.execution_payload.block_hash;
    assert!(rig.choose(genesis).await.is_valid());
    let cases: [BadAttributes; 11] = [
        (
            |it| it.payload_attributes.timestamp -= 2,
            -38003,
            "timestamp",
        ),
        (|it| it.gas_limit = None, -38003, "gasLimit"),
        (
            |it| it.payload_attributes.withdrawals = None,
            -38003,
            "withdrawals",
        ),
        (
            |it| it.payload_attributes.withdrawals = Some(vec![Default::default()]),
            -38003,
            "withdrawals",
        ),
        (
            |it| it.payload_attributes.parent_beacon_block_root = None,
            -38003,
            "parentBeaconBlockRoot",
        ),
        (|it| it.eip_1559_params = None, -38003, "eip1559Params"),
        (|it| it.min_base_fee = None, -38003, "minBaseFee"),
        (
            |it| it.payload_attributes.slot_number = Some(1),
            -38003,
            "slotNumber",
        ),
        (
            |it| it.transactions = Some(vec![vec![0x02, 0xc0].into()]),
            -38003,
            "transaction 0",
        ),
        (
            |it| {
                it.transactions
                    .as_mut()
                    .unwrap()
                    .push(transfer(5, RECEIVER))
            },
            -38003,
            "transaction 1",
        ),
        (
            |it| it.payload_attributes.timestamp = 1,
            -38003,
            "timestamp",
        ),
    ];
    for (change, code, names) in cases {
        let mut attributes = rig.attributes(first, &[]);
        change(&mut attributes);
        let error = rig.start(first, attributes).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(names), "{error}");
        assert_eq!(rig.store.head().hash, first);
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attributes_come_by_the_method_of_their_fork() {
    for (fork, wrong) in [
        (OpFork::Karst, ForkchoiceVersion::V2),
        (OpFork::Ecotone, ForkchoiceVersion::V1),
        (OpFork::Canyon, ForkchoiceVersion::V1),
        (OpFork::Canyon, ForkchoiceVersion::V3),
    ] {
        let rig = Rig::new(fork);
        let genesis = rig.genesis();
        let state = state(genesis, B256::ZERO, B256::ZERO);
        let attributes = Some(rig.attributes(genesis, &[]));
        let error = rig
            .engine
            .fork_choice_updated(wrong, state, attributes)
            .await
            .unwrap_err();
        assert_eq!(error.code(), -38005, "{fork}: {error}");
        rig.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payloads_are_had_by_the_method_of_their_fork_and_only_if_known() {
    let rig = Rig::new(OpFork::Jovian);
    let genesis = rig.genesis();
    let id = rig
        .start(genesis, rig.attributes(genesis, &[]))
        .await
        .unwrap();
    for wrong in [GetPayloadVersion::V3, GetPayloadVersion::V5] {
        let error = rig.engine.get_payload(wrong, id).await.unwrap_err();
        assert_eq!(error.code(), -38005, "{error}");
    }
    let unknown = PayloadId::new([7; 8]);
    let error = rig
        .engine
        .get_payload(GetPayloadVersion::V4, unknown)
        .await
        .unwrap_err();
    assert!(matches!(error, EngineError::UnknownPayload(id) if id == unknown));
    assert_eq!(error.code(), -38001);
    let once = rig
        .engine
        .get_payload(GetPayloadVersion::V4, id)
        .await
        .unwrap();
    let twice = rig
        .engine
        .get_payload(GetPayloadVersion::V4, id)
        .await
        .unwrap();
    assert_eq!(once, twice);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_chosen_is_the_head_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::in_directory(OpFork::Karst, folder.path());
    let first = rig.extend(rig.genesis(), &[transfer(0, RECEIVER)]).await;
    let first = first.execution_payload.block_hash;
    // Imported, not chosen: may be lost.
    let second = rig.build(first, &[]).await;
    assert!(rig.import(&second).await.is_valid());
    assert!(
        rig.choose_all(first, first, rig.genesis())
            .await
            .unwrap()
            .is_valid()
    );
    rig.stop().await;

    let rig = Rig::in_directory(OpFork::Karst, folder.path());
    assert_eq!(rig.store.head().hash, first);
    assert_eq!(rig.store.safe().unwrap().hash, first);
    let heads = rig.engine.heads().head();
    assert_eq!(heads.borrow().as_ref().unwrap().hash, first);
    // The chain goes on: the same block again, and one on top of it.
    assert!(rig.import(&second).await.is_valid());
    let third = rig
        .extend(
            second.execution_payload.block_hash,
            &[transfer(1, RECEIVER)],
        )
        .await;
    assert_eq!(third.execution_payload.block_number, 3);
    rig.stop().await;
}

/// A pool transaction is published without roots; getPayload completes the block, and a node that
/// only imports accepts it, under forks with and without a root of withdrawals.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_published_without_roots_is_completed_by_get_payload() {
    for fork in [OpFork::Granite, OpFork::Isthmus, OpFork::Karst] {
        for rule in [RootsRule::Last, RootsRule::None] {
            let rig = Rig::leaving_out(fork, rule);
            let genesis = rig.genesis();
            rig.extend(genesis, &[transfer(0, RECEIVER)]).await;
            // Reverted, the transfer goes back to the pool.
            assert!(rig.choose(genesis).await.is_valid());
            let mut attributes = rig.attributes(genesis, &[]);
            attributes.payload_attributes.timestamp = support::http::now_s() + 2;
            attributes.no_tx_pool = None;
            let id = rig.start(genesis, attributes).await.unwrap();
            let mut payload = rig.builder.subscribe(id).unwrap();
            let published = |payload: &Payload<_>| payload.transactions().count() == 2;
            while !payload.best().is_some_and(|payload| published(&payload)) {
                payload.changed().await.unwrap();
            }
            assert!(
                payload.best().unwrap().sealed().is_none(),
                "{fork}, {rule:?}"
            );
            let envelope = rig.get(id).await;
            assert_eq!(envelope.execution_payload.transactions.len(), 2);
            let hash = envelope.execution_payload.block_hash;
            assert!(rig.builder.built(hash).is_some());
            let follower = Rig::new(fork);
            for node in [&rig, &follower] {
                assert!(node.import(&envelope).await.is_valid(), "{fork}, {rule:?}");
                assert!(node.choose(hash).await.is_valid());
            }
            assert_eq!(follower.store.head(), rig.store.head());
            rig.stop().await;
            follower.stop().await;
        }
    }
}
