//! Our builder on the same transactions: the real pool, job, EVM layer and root sessions.
//!
//! Time is real while there is work and jumps while there is none, so that the elapsed time is the
//! work: simulations ahead of their commit, execution, order, roots (waited for where nothing else
//! is left to do) and seals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, U256};
use blockwright_core::{DaLimits, Event, Job, JobConfig, JobInputs, Pace, PriorityOrder, Step};
use blockwright_engine::EmbeddedHost;
use blockwright_exec::{ExecBlock, RollupFees};
use blockwright_pool::{
    AccountFacts, AccountView, HeadView, Pool, PoolCandidates, PoolConfig, RollupFeeView, ViewError,
};
use blockwright_seams::{
    Host, HostError, OpenBlock, RootKeys, RootSession, RootsAnswer, RootsReply, Wake,
};
use blockwright_state::{StateReader, TrieDelta, TrieSession};
use blockwright_types::{BuildRequest, Changes, RecoveredTx, Roots, SealedBlock, SharedTx, UnixUs};
use crossbeam_channel::{Receiver, bounded};

use crate::world::World;

/// Flashblocks after index 0.
const FLASHBLOCKS: u64 = 10;

/// How a block is built.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// All transactions are pooled when the block is opened; else a tenth arrives for each
    /// flashblock.
    pub at_once: bool,
    /// Work takes this many times as long on the job's clock as in truth. A job with idle time
    /// runs transactions ahead of their commit; the larger this is, the less idle time it has.
    pub slowdown: u64,
}

/// What a block took.
pub struct Built {
    /// All work, waiting for roots included; intake of the pool is not.
    pub work: Duration,
    /// Of it, what the job's own thread did.
    pub job: Duration,
    /// Of that, sealing.
    pub sealing: Duration,
    pub flashblocks: usize,
    pub transactions: u64,
    /// Transactions run, ahead of their commit or for it.
    pub simulations: u64,
}

/// Stalls of the machine that one measurement survives.
const STALLS_MAX: usize = 20;

/// Builds one block of all of `txs`.
///
/// Where the machine stalls for so long that the block's time runs out on transactions, the
/// measurement is of another block, and is taken again.
pub fn build(world: &World, txs: &[SharedTx], mode: Mode) -> Built {
    let all = (txs.len() + world.request.sequencer_transactions.len()) as u64;
    (0..STALLS_MAX)
        .map(|_| attempt(world, txs, mode))
        .find(|built| built.transactions == all)
        .unwrap_or_else(|| panic!("{STALLS_MAX} blocks lacked transactions"))
}

fn attempt(world: &World, txs: &[SharedTx], mode: Mode) -> Built {
    let pool = pool(world);
    let lot = txs.len()
        / if mode.at_once {
            1
        } else {
            FLASHBLOCKS as usize
        };
    let mut lots: Vec<&[SharedTx]> = txs.chunks(lot).collect();
    lots.reverse();
    add(&pool, lots.pop());
    let host = Counting {
        inner: EmbeddedHost::new(world.store.clone(), pool.clone()),
        closes: Arc::default(),
    };
    let (sender, answers) = bounded(64);
    let woken = Arc::new(AtomicBool::new(false));
    let wake = Arc::clone(&woken);
    let mut driver = Driver {
        base: world.request.received_at,
        slowdown: mode.slowdown,
        skipped_us: 0,
        idle: Duration::ZERO,
        waited: Duration::ZERO,
        received: 0,
        answers,
        started: Instant::now(),
    };
    let inputs = JobInputs {
        host: &host,
        request: &world.request,
        config: JobConfig {
            // Gas is the limit of this benchmark.
            size_max_bytes: u64::MAX,
            ..JobConfig::default()
        },
        limits: DaLimits::default(),
        policy: Box::new(PriorityOrder),
        pace: Pace::default(),
        reply: Box::new(move |answer| drop(sender.try_send(answer))),
        wake: Arc::new(move || wake.store(true, Ordering::Release)),
    };
    let (mut job, mut step) = Job::open(inputs, driver.now()).unwrap();
    let mut reports = Vec::new();
    let mut answer = None;
    loop {
        match step {
            Step::Run => {}
            Step::Wait(until) => answer = driver.wait(until, host.closes()),
            Step::Publish(publication) => {
                reports.push(publication.report);
                let paused = Instant::now();
                if reports.len() > 1 {
                    add(&pool, lots.pop());
                }
                driver.idle += paused.elapsed();
            }
            Step::Complete => break,
            Step::Done(end) => panic!("ended: {end:?}"),
        }
        let event = match answer.take().or_else(|| driver.poll()) {
            Some(answer) => Event::Roots(answer),
            None if woken.swap(false, Ordering::AcqRel) => Event::Wake,
            None => Event::Tick,
        };
        step = job.step(event, driver.now());
    }
    let work = driver.started.elapsed() - driver.idle;
    Built {
        work,
        job: work - driver.waited,
        sealing: Duration::from_micros(reports.iter().map(|report| report.seal_us).sum()),
        flashblocks: reports.len() - 1,
        transactions: reports.iter().map(|report| report.transactions).sum(),
        simulations: reports.iter().map(|report| report.simulations).sum(),
    }
}

/// The clock: real time, plus what was skipped, minus what does not count.
struct Driver {
    base: UnixUs,
    slowdown: u64,
    skipped_us: u64,
    idle: Duration,
    waited: Duration,
    received: u64,
    answers: Receiver<RootsAnswer<TrieDelta>>,
    started: Instant,
}

impl Driver {
    fn now(&self) -> UnixUs {
        let worked = self.started.elapsed() - self.idle;
        let worked_us = worked.as_micros() as u64 * self.slowdown;
        self.base.plus_us(worked_us + self.skipped_us)
    }

    fn poll(&mut self) -> Option<RootsAnswer<TrieDelta>> {
        let answer = self.answers.try_recv().ok();
        self.received += u64::from(answer.is_some());
        answer
    }

    /// Waits for roots that were asked for; else jumps to `until`.
    fn wait(&mut self, until: UnixUs, closes: u64) -> Option<RootsAnswer<TrieDelta>> {
        if self.received < closes {
            let since = Instant::now();
            let answer = self.answers.recv_timeout(Duration::from_secs(20)).unwrap();
            self.waited += since.elapsed();
            self.received += 1;
            return Some(answer);
        }
        self.skipped_us += until.since_us(self.now());
        None
    }
}

/// The embedded host with a count of the roots asked for.
#[derive(Clone)]
struct Counting {
    inner: EmbeddedHost,
    closes: Arc<AtomicU64>,
}

impl Counting {
    fn closes(&self) -> u64 {
        self.closes.load(Ordering::Acquire)
    }
}

impl Host for Counting {
    type Reader = StateReader;
    type Artifact = TrieDelta;
    type Open = ExecBlock<StateReader>;
    type Roots = CountingRoots;
    type Candidates = PoolCandidates;

    fn reader(&self, parent: B256) -> Result<StateReader, HostError> {
        self.inner.reader(parent)
    }

    fn open(&self, request: &BuildRequest) -> Result<Self::Open, HostError> {
        self.inner.open(request)
    }

    fn roots(
        &self,
        parent: B256,
        reply: RootsReply<TrieDelta>,
    ) -> Result<CountingRoots, HostError> {
        Ok(CountingRoots {
            inner: self.inner.roots(parent, reply)?,
            closes: Arc::clone(&self.closes),
        })
    }

    fn candidates(&self, request: &BuildRequest, wake: Wake) -> PoolCandidates {
        self.inner.candidates(request, wake)
    }
}

struct CountingRoots {
    inner: TrieSession,
    closes: Arc<AtomicU64>,
}

impl RootSession for CountingRoots {
    fn push(&mut self, changes: Arc<Changes>) {
        self.inner.push(changes);
    }

    fn prefetch(&mut self, keys: RootKeys) {
        self.inner.prefetch(keys);
    }

    fn close(&mut self, index: u64) {
        self.closes.fetch_add(1, Ordering::AcqRel);
        self.inner.close(index);
    }
}

struct Accounts(StateReader);

impl AccountView for Accounts {
    fn account(&self, address: Address) -> Result<AccountFacts, ViewError> {
        let account = self.0.account(&address);
        Ok(
            account.map_or_else(AccountFacts::default, |account| AccountFacts {
                nonce: account.nonce,
                balance: account.balance,
                ..AccountFacts::default()
            }),
        )
    }
}

struct Fees(RollupFees);

impl RollupFeeView for Fees {
    fn cost(&self, tx: &RecoveredTx) -> U256 {
        self.0.cost(tx)
    }
}

fn pool(world: &World) -> Pool {
    let context = &world.request.context;
    let reader = world.store.reader(context.parent_hash).unwrap();
    let pool = Pool::new(PoolConfig {
        intake_threads: 1,
        ..PoolConfig::new(context.chain_id)
    });
    pool.on_head_jump(HeadView {
        hash: context.parent_hash,
        number: context.number - 1,
        fork: context.fork,
        base_fee: context.base_fee,
        gas_limit: context.gas_limit,
        fees: Arc::new(Fees(RollupFees::read(&reader, context.fork).unwrap())),
        accounts: Arc::new(Accounts(reader)),
    });
    pool
}

fn add(pool: &Pool, lot: Option<&[SharedTx]>) {
    for tx in lot.unwrap_or_default() {
        pool.add_recovered(Arc::clone(tx)).unwrap();
    }
}

/// A block of ten flashblocks whose last is executed and not sealed.
pub struct Unsealed(ExecBlock<StateReader>);

impl Unsealed {
    pub fn seal(mut self) -> (Self, Arc<SealedBlock>) {
        self.0.take_changes();
        self.0.cut(FLASHBLOCKS);
        let block = self.0.seal(FLASHBLOCKS, &NO_ROOTS).block;
        (self, block)
    }
}

const NO_ROOTS: Roots = Roots {
    state: B256::ZERO,
    message_passer: B256::ZERO,
};

/// See [`Unsealed`]; roots are left out.
pub fn unsealed(world: &World, txs: &[SharedTx]) -> Unsealed {
    let request = &world.request;
    let reader = world.store.reader(request.context.parent_hash).unwrap();
    let sequencer = &request.sequencer_transactions;
    let mut open = ExecBlock::open(request.context.clone(), reader, sequencer, request.id).unwrap();
    for (index, lot) in txs.chunks(txs.len() / FLASHBLOCKS as usize).enumerate() {
        open.take_changes();
        open.cut(index as u64);
        open.seal(index as u64, &NO_ROOTS);
        for tx in lot {
            let sim = open.simulate(tx).unwrap();
            assert!(open.commit(sim).is_ok());
        }
    }
    Unsealed(open)
}
