//! A service on the fakes whose time the test moves.

#![allow(dead_code)] // each test binary uses its own part of it

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::B256;
use blockwright_core::{Plan, PlanInput};
use blockwright_seams::Clock;
use blockwright_service::{Best, BuilderHandle, BuilderService, ServiceConfig};
use blockwright_testkit::{
    Accounts, Decision, FakeArtifact, FakeHost, ManualClock, RecordingSink, RootsScript,
    ScriptHost, ScriptPool, TxSpec, deposit, fake_state_root, request,
};
use blockwright_types::{BuildRequest, Flashblock, UnixUs};
use tokio::task::JoinHandle;

pub(crate) type Host = ScriptHost<FakeHost>;

pub(crate) struct Bench {
    pub(crate) handle: BuilderHandle<Host>,
    pub(crate) host: Host,
    pub(crate) pool: ScriptPool,
    pub(crate) sink: Arc<RecordingSink>,
    pub(crate) clock: Arc<ManualClock>,
    service: Mutex<Option<JoinHandle<()>>>,
}

/// Nothing here takes seconds; a stuck test fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// Accounts with funds.
pub(crate) const FUNDED: u64 = 50;

pub(crate) fn config() -> ServiceConfig {
    ServiceConfig {
        first_hold_us: 0,
        ..ServiceConfig::default()
    }
}

pub(crate) fn bench(roots: RootsScript) -> Bench {
    bench_with(roots, config())
}

pub(crate) fn bench_with(roots: RootsScript, config: ServiceConfig) -> Bench {
    let mut inner = FakeHost::funded(FUNDED);
    inner.unknown_parent = Some(B256::repeat_byte(0xbb));
    let pool = inner.pool.clone();
    let host = ScriptHost::new(inner, pool.clone(), roots);
    let sink = Arc::new(RecordingSink::default());
    let clock = Arc::new(ManualClock::at(request(0, Vec::new()).received_at));
    let (service, handle) = BuilderService::new(
        config,
        host.clone(),
        Arc::clone(&sink) as _,
        Arc::clone(&clock) as Arc<dyn Clock>,
    )
    .unwrap();
    Bench {
        handle,
        host,
        pool,
        sink,
        clock,
        service: Mutex::new(Some(tokio::spawn(service.run()))),
    }
}

impl Bench {
    /// Moves the clock to where flashblock `index` of a block asked for at the start is due, and
    /// waits for it.
    pub(crate) fn publish(&self, index: u64) -> Arc<Flashblock> {
        if index > 0 {
            self.clock.advance_to(due(index));
        }
        let flashblock = self.sink.next().expect("a flashblock is published");
        assert_eq!(flashblock.index, index);
        flashblock
    }

    /// Puts a transaction into the pool, moves the clock to where flashblock `index` takes some, and waits
    /// until it is committed.
    pub(crate) fn commit(&self, spec: TxSpec, index: u64) {
        let tx = spec.build();
        self.pool.arrive(Arc::clone(&tx));
        // Committing begins a tenth of the slot, 20 ms, before the cut, and the cut is 1 to 8 ms before
        // the due time.
        self.clock.advance_to(due(index).minus_us(15_000));
        let committed = Decision::Committed(tx.hash);
        while let Some(decision) = self.pool.next_decision(PATIENCE) {
            if decision == committed {
                return;
            }
        }
        panic!("{} was not committed for flashblock {index}", tx.hash);
    }

    /// Waits until all jobs' threads have ended.
    pub(crate) async fn no_live_jobs(&self) {
        let ended = async {
            while self.handle.live_jobs() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.unwrap();
    }

    /// Ends the service and all of its threads.
    pub(crate) async fn shut_down(&self) {
        self.handle.shutdown().await;
        let service = self.service.lock().unwrap().take();
        if let Some(service) = service {
            service.await.unwrap();
        }
    }

    /// Everything published for `id`, as transaction hashes.
    pub(crate) fn published(&self, id: u64) -> Vec<B256> {
        let all = self.sink.all();
        all.iter()
            .filter(|flashblock| flashblock.payload_id == build(id).id)
            .flat_map(|flashblock| flashblock.part.transactions.iter().map(|tx| tx.hash))
            .collect()
    }
}

/// When flashblock `index` of a block asked for at the start is due.
pub(crate) fn due(index: u64) -> UnixUs {
    let request = build(0);
    let input = PlanInput {
        timestamp: request.context.timestamp,
        parent_timestamp: request.parent_timestamp,
        no_tx_pool: false,
        now: request.received_at,
    };
    Plan::new(&config().job, &input).due(index).unwrap()
}

pub(crate) fn hashes<A>(best: &Best<A>) -> Vec<B256> {
    best.block.transactions().map(|tx| tx.hash).collect()
}

/// The block is complete, and its roots are those of its changes.
pub(crate) fn check_roots(best: &Best<FakeArtifact>) {
    let (block, header) = (&best.block, &best.block.header);
    let mut accounts = Accounts::funded(FUNDED);
    accounts.apply(&block.changes());
    let root = fake_state_root(&accounts);
    assert_eq!(header.state_root, root);
    assert!(header.withdrawals_root.is_some_and(|root| !root.is_zero()));
    assert_eq!(block.hash, header.hash_slow());
    assert_eq!(best.artifact.state_root, root);
}

/// A request at the clock's start with two deposits.
pub(crate) fn build(id: u64) -> BuildRequest {
    request(id, vec![deposit(1), deposit(2)])
}
