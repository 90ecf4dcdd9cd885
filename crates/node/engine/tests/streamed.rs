//! Building by attributes that come beside the Engine API.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use blockwright_engine::ForkchoiceVersion;
use blockwright_requests::{GivenAttributes, RequestError, Streamed};
use blockwright_service::ReleaseError;
use blockwright_types::{OpFork, PayloadId};
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use support::{Rig, state, transfer};
use tokio::sync::broadcast::error::TryRecvError;

const RECEIVER: Address = Address::repeat_byte(0x77);
/// Nothing waits for it to pass.
const LONG: Duration = Duration::from_secs(60);

fn event(parent_hash: B256, number: u64, attributes: &OpPayloadAttributes) -> GivenAttributes {
    GivenAttributes {
        parent_hash,
        number,
        attributes: Arc::new(attributes.clone()),
    }
}

async fn stream(
    rig: &Rig,
    parent: B256,
    number: u64,
    attributes: &OpPayloadAttributes,
) -> Result<Streamed, RequestError> {
    let event = event(parent, number, attributes);
    rig.engine.requests().build_streamed(event, LONG).await
}

/// The id of the payload on `parent`.
async fn released(rig: &Rig, parent: B256, number: u64) -> Result<B256, ReleaseError> {
    let engine = rig.engine.clone();
    let released = tokio::task::spawn_blocking(move || engine.requests().release(parent, number));
    released.await.unwrap().map(|released| released.block.hash)
}

async fn built(rig: &Rig, id: PayloadId) -> B256 {
    rig.get(id).await.execution_payload.block_hash
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ways_lead_to_the_same_payload_under_every_fork() {
    for fork in OpFork::ALL {
        let rig = Rig::new(fork);
        let parent = rig.genesis();
        let attributes = rig.attributes(parent, &[transfer(0, RECEIVER)]);
        let Streamed::Started(id) = stream(&rig, parent, 1, &attributes).await.unwrap() else {
            panic!("{fork}: not started");
        };
        // What op-node calls before Canyon.
        let version = match fork {
            OpFork::Bedrock | OpFork::Regolith => ForkchoiceVersion::V1,
            _ => ForkchoiceVersion::of(fork),
        };
        let choice = state(parent, B256::ZERO, B256::ZERO);
        let answer = rig
            .engine
            .fork_choice_updated(version, choice, Some(attributes.clone()));
        assert_eq!(answer.await.unwrap().payload_id, Some(id), "{fork}");
        let again = stream(&rig, parent, 1, &attributes).await.unwrap();
        assert_eq!(again, Streamed::Started(id), "{fork}");
        let hash = released(&rig, parent, 1).await.unwrap();
        assert_eq!(built(&rig, id).await, hash, "{fork}");
        rig.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_that_was_never_chosen_may_be_the_parent() {
    let (rig, other) = (Rig::new(OpFork::Karst), Rig::new(OpFork::Karst));
    let first = other
        .extend(other.genesis(), &[transfer(0, RECEIVER)])
        .await;
    let parent = first.execution_payload.block_hash;
    let attributes = other.attributes(parent, &[transfer(1, RECEIVER)]);
    // The event comes before the block.
    let waiting = {
        let (engine, event) = (rig.engine.clone(), event(parent, 2, &attributes));
        tokio::spawn(async move { engine.requests().build_streamed(event, LONG).await })
    };
    let second = other.extend(parent, &[]).await;
    // An orphan at first: it comes with the block before it, in the background.
    assert!(rig.import(&second).await.is_syncing());
    assert!(!waiting.is_finished());
    assert!(rig.import(&first).await.is_valid());
    assert_eq!(rig.store.head().number, 0);
    let started = waiting.await.unwrap().unwrap();
    assert!(matches!(started, Streamed::Started(_)), "{started:?}");
    let grandchild = second.execution_payload.block_hash;
    let on_second = other.attributes(grandchild, &[]);
    let started = stream(&rig, grandchild, 3, &on_second).await.unwrap();
    assert!(matches!(started, Streamed::Started(_)), "{started:?}");
    released(&rig, parent, 2).await.unwrap();
    released(&rig, grandchild, 3).await.unwrap();
    rig.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_that_does_not_come_is_not_waited_for_long() {
    let rig = Rig::new(OpFork::Karst);
    let attributes = rig.attributes(rig.genesis(), &[]);
    let unknown = B256::repeat_byte(9);
    let event = event(unknown, 1, &attributes);
    let brief = Duration::from_millis(20);
    let answer = rig
        .engine
        .requests()
        .build_streamed(event, brief)
        .await
        .unwrap();
    assert_eq!(answer, Streamed::UnknownParent);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_api_has_the_last_word() {
    let rig = Rig::new(OpFork::Karst);
    let parent = rig.genesis();
    let given = rig.attributes(parent, &[]);
    let streamed = rig.attributes(parent, &[transfer(0, RECEIVER)]);
    // The stream was first; then came the Engine API.
    let first = stream(&rig, parent, 1, &streamed).await.unwrap();
    assert!(matches!(first, Streamed::Started(_)));
    let id = rig.start(parent, given.clone()).await.unwrap();
    // From now on the stream's is not wanted on that parent, nor what would end the Engine API's payload.
    let mut other = streamed.clone();
    other.gas_limit = Some(30_000_000);
    assert_eq!(
        stream(&rig, parent, 1, &other).await.unwrap(),
        Streamed::Overruled
    );
    let mut earlier = streamed.clone();
    earlier.payload_attributes.timestamp -= 1;
    assert_eq!(
        stream(&rig, parent, 1, &earlier).await.unwrap(),
        Streamed::Overruled
    );
    let hash = released(&rig, parent, 1).await.unwrap();
    assert_eq!(built(&rig, id).await, hash);
    // On the next parent the stream is as good as ever.
    let envelope = rig.get(id).await;
    assert!(rig.import(&envelope).await.is_valid());
    let next = rig.attributes(hash, &[]);
    let started = stream(&rig, hash, 2, &next).await.unwrap();
    assert!(matches!(started, Streamed::Started(_)));
    // What the Engine API asked for and did not get stands in nobody's way.
    let mut impossible = rig.attributes(hash, &[]);
    impossible
        .transactions
        .as_mut()
        .unwrap()
        .push(transfer(99, RECEIVER));
    rig.start(hash, impossible).await.unwrap_err();
    let mut next = next;
    next.gas_limit = Some(30_000_000);
    let started = stream(&rig, hash, 2, &next).await.unwrap();
    assert!(matches!(started, Streamed::Started(_)));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_a_rule_is_refused_by_name() {
    let rig = Rig::new(OpFork::Karst);
    let parent = rig.genesis();
    let good = rig.attributes(parent, &[]);
    let mut cases = Vec::new();
    cases.push((good.clone(), 2, "slot 2 is not"));
    let mut bad = good.clone();
    bad.gas_limit = None;
    cases.push((bad, 1, "gasLimit"));
    let mut bad = good.clone();
    bad.payload_attributes.withdrawals = None;
    cases.push((bad, 1, "withdrawals"));
    let mut bad = good.clone();
    bad.transactions.as_mut().unwrap().push(vec![1, 2].into());
    cases.push((bad, 1, "transaction 1"));
    for (attributes, number, expected) in cases {
        let said = stream(&rig, parent, number, &attributes).await.unwrap_err();
        assert!(said.to_string().contains(expected), "{said}");
    }
    let refused = released(&rig, parent, 1).await.unwrap_err();
    assert_eq!(refused, ReleaseError::Nothing(parent));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_engine_api_gives_is_told_once() {
    let rig = Rig::new(OpFork::Karst);
    let parent = rig.genesis();
    let mut told = rig.engine.requests().given();
    let attributes = rig.attributes(parent, &[transfer(0, RECEIVER)]);
    stream(&rig, parent, 1, &attributes).await.unwrap();
    assert_eq!(
        told.try_recv(),
        Err(TryRecvError::Empty),
        "it came by a stream"
    );
    for _ in 0..2 {
        rig.start(parent, attributes.clone()).await.unwrap();
    }
    assert_eq!(*told.try_recv().unwrap(), event(parent, 1, &attributes));
    let mut bad = attributes;
    bad.gas_limit = None;
    rig.start(parent, bad).await.unwrap_err();
    assert_eq!(told.try_recv(), Err(TryRecvError::Empty));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_begin_at_once_the_later_one_is_built() {
    let rig = Rig::new(OpFork::Karst);
    let parent = rig.genesis();
    // More than have room at once: those that were ended make some.
    for step in 1..=40 {
        let mut streamed = rig.attributes(parent, &[]);
        streamed.payload_attributes.timestamp += 2 * step;
        let mut other = streamed.clone();
        other.payload_attributes.timestamp += 1;
        let (first, second) = tokio::join!(
            stream(&rig, parent, 1, &streamed),
            stream(&rig, parent, 1, &other)
        );
        // Which one that is depends on the threads; what became of the other is no error.
        let outcomes = [first.unwrap(), second.unwrap()];
        let is_started = |outcome: &Streamed| matches!(outcome, Streamed::Started(_));
        assert!(outcomes.iter().any(is_started), "{outcomes:?}");
    }
    rig.stop().await;
}
