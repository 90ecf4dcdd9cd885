//! Blocks handed out by parent.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use alloy_primitives::{Address, B256};
use blockwright_engine::ExecutionPayload;
use blockwright_requests::ReleasedBlock;
use blockwright_service::{ReleaseError, RootsRule};
use blockwright_types::OpFork;
use support::{Rig, transfer};

const RECEIVER: Address = Address::repeat_byte(0x77);

/// Releases as the builder API does: on a thread that may wait.
async fn release(rig: &Rig, parent: B256, number: u64) -> Result<ReleasedBlock, ReleaseError> {
    let engine = rig.engine.clone();
    let released = tokio::task::spawn_blocking(move || engine.requests().release(parent, number));
    released.await.unwrap()
}

fn payload(released: &ReleasedBlock) -> ExecutionPayload {
    serde_json::from_slice(&released.payload_json.concat()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_text_is_that_of_the_payload_under_every_fork() {
    for fork in OpFork::ALL {
        let rig = Rig::new(fork);
        let parent = rig.genesis();
        let attributes = rig.attributes(parent, &[transfer(0, RECEIVER)]);
        let id = rig.start(parent, attributes).await.unwrap();
        let released = release(&rig, parent, 1).await.unwrap();
        assert_eq!(released.parent_fork, fork);
        let expected = ExecutionPayload::of_block(&released.block, fork);
        assert_eq!(payload(&released), expected, "{fork}");
        let text = serde_json::to_vec(&expected).unwrap();
        assert_eq!(released.payload_json.concat(), text, "{fork}");
        // The consensus client is handed the same block, which is accepted and chosen.
        let envelope = rig.get(id).await;
        assert_eq!(envelope.execution_payload, expected, "{fork}");
        assert!(rig.import(&envelope).await.is_valid());
        assert!(rig.choose(released.block.hash).await.is_valid());
        let again = release(&rig, parent, 1).await.unwrap();
        assert_eq!(payload(&again), expected, "{fork}");
        rig.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_without_roots_gets_them() {
    let rig = Rig::leaving_out(OpFork::Karst, RootsRule::None);
    let parent = rig.genesis();
    let attributes = rig.attributes(parent, &[transfer(0, RECEIVER)]);
    rig.start(parent, attributes).await.unwrap();
    let released = release(&rig, parent, 1).await.unwrap();
    assert_eq!(released.block.hash, released.block.header.hash_slow());
    assert!(!released.block.header.state_root.is_zero());
    assert_eq!(payload(&released).block_hash, released.block.hash);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_built_is_not_released() {
    let rig = Rig::new(OpFork::Karst);
    let parent = rig.genesis();
    let refused = release(&rig, parent, 1).await.unwrap_err();
    assert_eq!(refused, ReleaseError::Nothing(parent));
    let attributes = rig.attributes(parent, &[]);
    rig.start(parent, attributes).await.unwrap();
    let refused = release(&rig, parent, 2).await.unwrap_err();
    let parent_hash = parent;
    let number = 1;
    assert_eq!(
        refused,
        ReleaseError::OtherNumber {
            parent_hash,
            number
        }
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offered_block_is_handed_out_as_it_was() {
    for fork in [OpFork::Bedrock, OpFork::Karst] {
        let rig = Rig::new(fork);
        let parent = rig.genesis();
        let attributes = rig.attributes(parent, &[transfer(0, RECEIVER)]);
        let id = rig.start(parent, attributes).await.unwrap();
        let engine = rig.engine.clone();
        let work = tokio::task::spawn_blocking(move || {
            let requests = engine.requests();
            let offered = requests.offer(parent).unwrap();
            let block = offered.block();
            let increase = |account| requests.balance_increase(block, account).unwrap();
            let paid = increase(RECEIVER);
            assert!(!paid.is_zero());
            let balance = engine.store().reader(parent).unwrap().account(&RECEIVER);
            assert_eq!(balance, None, "all of it is new");
            let tips = increase(block.header.beneficiary);
            assert!(tips >= block.value && !tips.is_zero(), "{tips}");
            assert!(increase(Address::repeat_byte(0x99)).is_zero());
            let payload: ExecutionPayload =
                serde_json::from_slice(&requests.reveal(&offered).concat()).unwrap();
            assert_eq!(payload, ExecutionPayload::of_block(block, fork));
            payload
        });
        let payload = work.await.unwrap();
        let envelope = rig.get(id).await;
        assert_eq!(envelope.execution_payload, payload);
        rig.stop().await;
    }
}
