//! Another builder's block in place of our own: when it is asked for, and when it is taken.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, U256};
use blockwright_engine::{
    ExecutionPayload, NotTaken, PayloadEnvelope, Rival, RivalOffer, RivalWanted,
};
use blockwright_types::OpFork;
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use support::{Rig, transfer};

const FORK: OpFork = OpFork::Jovian;

#[derive(Clone)]
struct Offered {
    payload: ExecutionPayload,
    value: U256,
}

impl RivalOffer for Offered {
    fn payload(&self) -> &ExecutionPayload {
        &self.payload
    }

    fn value(&self) -> U256 {
        self.value
    }

    fn check_against(&self, local: &ExecutionPayload) -> Result<(), NotTaken> {
        assert_eq!(self.payload.parent_hash, local.parent_hash);
        Ok(())
    }
}

/// Offers one block, to whoever asks.
struct Fixed {
    offered: Offered,
    asked: AtomicUsize,
    timeout: Duration,
    /// Where there is one, the answer waits for its sender to be gone.
    gate: Option<Mutex<Receiver<()>>>,
}

impl Fixed {
    fn new(payload: ExecutionPayload, value: U256) -> Self {
        Self {
            offered: Offered { payload, value },
            asked: AtomicUsize::new(0),
            timeout: Duration::from_secs(20),
            gate: None,
        }
    }

    /// The same with an answer that comes when the sender is dropped, and little patience.
    fn late(self) -> (Self, Sender<()>) {
        let (sender, gate) = channel();
        let late = Self {
            timeout: Duration::from_millis(50),
            gate: Some(Mutex::new(gate)),
            ..self
        };
        (late, sender)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Rival for Fixed {
    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn ask(&self, wanted: &RivalWanted) -> Result<Box<dyn RivalOffer>, NotTaken> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let payload = &self.offered.payload;
        assert_eq!((wanted.number, wanted.fork), (1, FORK));
        assert_eq!(wanted.parent_hash, payload.parent_hash);
        assert_eq!(wanted.parent_beacon_block_root, Some(B256::ZERO));
        if let Some(gate) = &self.gate {
            gate.lock().unwrap().recv().unwrap_err();
        }
        Ok(Box::new(self.offered.clone()))
    }
}

/// A block with a transfer, built elsewhere.
async fn better() -> PayloadEnvelope {
    let rig = Rig::new(FORK);
    let tx = transfer(0, Address::repeat_byte(0x77));
    let envelope = rig.build(rig.genesis(), &[tx]).await;
    rig.stop().await;
    envelope
}

fn open_attributes(rig: &Rig) -> OpPayloadAttributes {
    OpPayloadAttributes {
        no_tx_pool: None,
        ..rig.attributes(rig.genesis(), &[])
    }
}

/// What a rig answers that may ask `rival`.
async fn answer(rival: &Arc<Fixed>, with: fn(&Rig) -> OpPayloadAttributes) -> ExecutionPayload {
    let rig = Rig::asking(FORK, Arc::clone(rival) as Arc<dyn Rival>);
    let id = rig.start(rig.genesis(), with(&rig)).await.unwrap();
    let envelope = rig.get(id).await;
    assert_eq!(rig.get(id).await, envelope, "also to whoever asks again");
    assert!(rival.asked() <= 1);
    // Whichever it is, the chain goes on with it.
    assert!(rig.import(&envelope).await.is_valid());
    let payload = envelope.execution_payload;
    assert!(rig.choose(payload.block_hash).await.is_valid());
    rig.stop().await;
    payload
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_better_block_is_taken() {
    let better = better().await;
    let rival = Fixed::new(better.execution_payload.clone(), better.block_value);
    let rival = Arc::new(rival);
    let payload = answer(&rival, open_attributes).await;
    assert_eq!(payload, better.execution_payload);
    assert_eq!(rival.asked(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_any_doubt_it_is_our_own() {
    let better = better().await;
    let (sound, value) = (&better.execution_payload, better.block_value);
    let root = Some(B256::ZERO);
    let rehashed = |mut payload: ExecutionPayload| {
        payload.block_hash = payload.header(FORK, root).hash_slow();
        payload
    };
    let wrong_root = rehashed(ExecutionPayload {
        state_root: B256::repeat_byte(7),
        ..sound.clone()
    });
    let wrong_hash = ExecutionPayload {
        block_hash: B256::repeat_byte(7),
        ..sound.clone()
    };
    let emptier = rehashed(ExecutionPayload {
        gas_used: 1,
        ..sound.clone()
    });
    let without_deposit = rehashed(ExecutionPayload {
        transactions: sound.transactions[1..].to_vec(),
        ..sound.clone()
    });
    let cases = [
        (wrong_root, value),
        (wrong_hash, value),
        (emptier, value),
        (without_deposit, value),
        (sound.clone(), value + U256::ONE),
    ];
    for (payload, value) in cases {
        let rival = Arc::new(Fixed::new(payload, value));
        let payload = answer(&rival, open_attributes).await;
        assert_eq!(payload.transactions.len(), 1);
        assert_eq!(rival.asked(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_beyond_the_limit() {
    let better = better().await;
    let rival = Fixed::new(better.execution_payload, better.block_value);
    let (rival, gate) = rival.late();
    let rival = Arc::new(rival);
    let rig = Rig::asking(FORK, Arc::clone(&rival) as Arc<dyn Rival>);
    let id = rig.start(rig.genesis(), open_attributes(&rig)).await;
    let id = id.unwrap();
    let started = Instant::now();
    let envelope = rig.get(id).await;
    // The rival answers once the gate is open, which it is not yet.
    assert!(started.elapsed() >= rival.timeout);
    assert_eq!(envelope.execution_payload.transactions.len(), 1);
    drop(gate);
    assert_eq!(rig.get(id).await, envelope, "too late is too late");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_that_the_chain_settles_is_nobody_elses() {
    let better = better().await;
    let rival = Fixed::new(better.execution_payload, better.block_value);
    let rival = Arc::new(rival);
    let payload = answer(&rival, |rig| rig.attributes(rig.genesis(), &[])).await;
    assert_eq!(payload.transactions.len(), 1);
    assert_eq!(rival.asked(), 0);
}
