//! Where answers are made, and how often bids are signed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ThreadId;

use alloy_primitives::{Address, B256};
use blockwright_signer::{LocalSigner, SignError, Signature, Signer};

use crate::fixture::{
    CHAIN_ID, Listener, NUMBER, PARENT, ReleasedOn, Setup, builder, good, message, signed, signer,
};

/// A key that counts what it signs, and may be elsewhere.
#[derive(Debug)]
struct Counting {
    key: LocalSigner,
    is_prompt: bool,
    signed: Arc<AtomicUsize>,
}

impl Signer for Counting {
    fn address(&self) -> Address {
        self.key.address()
    }

    fn is_prompt(&self) -> bool {
        self.is_prompt
    }

    fn sign(&self, digest: B256) -> Result<Signature, SignError> {
        self.signed.fetch_add(1, Ordering::Relaxed);
        self.key.sign(digest)
    }
}

fn with_key(is_prompt: bool) -> (Setup, Arc<AtomicUsize>) {
    let signed = Arc::new(AtomicUsize::new(0));
    let setup = Setup {
        signer: Arc::new(Counting {
            key: builder(),
            is_prompt,
            signed: Arc::clone(&signed),
        }),
        ..Setup::new()
    };
    (setup, signed)
}

/// Where a block is released that is asked for once.
async fn released_on(setup: Setup) -> ThreadId {
    let threads = ReleasedOn::clone(&setup.released_on);
    let listener = Listener::start(setup).await;
    assert_eq!(listener.post(&good()).await.0, 200);
    listener.stop().await;
    let threads = threads.lock().unwrap();
    assert_eq!(threads.len(), 1);
    threads[0]
}

// On one thread, which serves and asks.
#[tokio::test]
async fn what_takes_no_time_is_answered_where_it_is_asked() {
    let here = std::thread::current().id();
    assert_eq!(released_on(with_key(true).0).await, here);
    let without_roots = Setup {
        is_at_hand: false,
        ..with_key(true).0
    };
    assert_ne!(released_on(without_roots).await, here);
    assert_ne!(
        released_on(with_key(false).0).await,
        here,
        "a key elsewhere"
    );
}

#[tokio::test]
async fn a_bid_is_signed_once_for_each_proposer() {
    for is_prompt in [true, false] {
        let (mut setup, count) = with_key(is_prompt);
        setup.proposers.push(signer(3).address());
        let listener = Listener::start(setup).await;
        let other = signed(&message(NUMBER, PARENT), CHAIN_ID, &signer(3)).to_string();
        let first = listener.post(&good()).await;
        assert_eq!(first.0, 200);
        for _ in 0..3 {
            assert_eq!(listener.post(&good()).await, first);
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
        let (status, answer) = listener.post(&other).await;
        assert_eq!(status, 200);
        assert_ne!(answer["signature"], first.1["signature"]);
        assert_ne!(answer["message"], first.1["message"]);
        assert_eq!(listener.post(&good()).await, first);
        assert_eq!(count.load(Ordering::Relaxed), 2);
        listener.stop().await;
    }
}

/// A key whose signing panics.
#[derive(Debug)]
struct Broken {
    is_prompt: bool,
}

impl Signer for Broken {
    fn address(&self) -> Address {
        builder().address()
    }

    fn is_prompt(&self) -> bool {
        self.is_prompt
    }

    fn sign(&self, _: B256) -> Result<Signature, SignError> {
        panic!("a key that breaks whoever uses it");
    }
}

#[tokio::test]
async fn a_panic_costs_the_answer_alone() {
    for is_prompt in [true, false] {
        let setup = Setup {
            signer: Arc::new(Broken { is_prompt }),
            ..Setup::new()
        };
        let listener = Listener::start(setup).await;
        for _ in 0..2 {
            assert_eq!(listener.post(&good()).await.0, 503, "prompt: {is_prompt}");
        }
        listener.stop().await;
    }
}
