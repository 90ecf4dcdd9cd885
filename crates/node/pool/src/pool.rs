//! The pool's handle and the state behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::{Address, B256, Bytes};
use blockwright_seams::{Candidate, Wake};
use blockwright_types::{BuildRequest, SealedBlock, SharedTx};
use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::admission::Terms;
use crate::candidates::PoolCandidates;
use crate::config::PoolConfig;
use crate::error::PoolError;
use crate::event::{DropReason, Event, Events};
use crate::intake::Intake;
use crate::jobs::Jobs;
use crate::metrics::{PoolMetrics, Sizes};
use crate::price_index::Place;
use crate::table::{Inclusion, Table};
use crate::validate::{check_account, check_transaction};
use crate::view::{AccountView, HeadView};

/// Insertions under one hold of the table's lock, so that a building job never waits long.
const INSERTS_PER_LOCK: usize = 8;

/// How much is pooled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatus {
    /// Transactions that could be in the next block (geth's "pending").
    pub executable: usize,
    /// Transactions behind a nonce gap (geth's "queued").
    pub parked: usize,
    /// Senders with at least one pooled transaction.
    pub senders: usize,
    /// Size of all pooled transactions in wire form, in bytes.
    pub size_bytes: u64,
    /// Senders recovered since the start.
    pub recovered: u64,
}

/// One sender's pooled transactions, by nonce.
#[derive(Clone, Debug, Default)]
pub struct SenderContent {
    /// Without a gap from the account's nonce on.
    pub executable: Vec<SharedTx>,
    /// Behind a gap.
    pub parked: Vec<SharedTx>,
}

/// A head with what it included.
pub(crate) struct Head {
    pub(crate) view: HeadView,
    pub(crate) inclusion: Inclusion,
}

/// What the lock protects.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) table: Table,
    pub(crate) head: Option<Arc<Head>>,
    /// Every pooled sender's account is that of `head`.
    pub(crate) settled: bool,
}

/// Everything that handles, intake threads and jobs share.
pub(crate) struct Shared {
    pub(crate) config: PoolConfig,
    pub(crate) metrics: PoolMetrics,
    pub(crate) jobs: Jobs,
    pub(crate) state: Mutex<State>,
    /// One head change at a time.
    pub(crate) head_serial: Mutex<()>,
    pub(crate) recovered: AtomicU64,
    arrivals: AtomicU64,
    new_pending: broadcast::Sender<B256>,
}

impl Shared {
    fn new(config: PoolConfig) -> Self {
        let (new_pending, _) = broadcast::channel(config.new_pending_capacity.max(1));
        Self {
            config,
            metrics: PoolMetrics::new(),
            jobs: Jobs::default(),
            state: Mutex::default(),
            head_serial: Mutex::default(),
            recovered: AtomicU64::new(0),
            arrivals: AtomicU64::new(0),
            new_pending,
        }
    }

    pub(crate) fn next_arrival(&self) -> u64 {
        self.arrivals.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn head(&self) -> Result<Arc<Head>, PoolError> {
        self.state.lock().head.clone().ok_or(PoolError::NotReady)
    }

    /// Checks recovered transactions and gives them places. Each comes with its arrival number.
    pub(crate) fn insert(&self, txs: &[(SharedTx, u64)]) -> Vec<Result<B256, PoolError>> {
        let mut results = Vec::with_capacity(txs.len());
        for txs in txs.chunks(INSERTS_PER_LOCK) {
            let done = loop {
                if let Some(done) = self.try_insert(txs) {
                    break done;
                }
            };
            results.extend(done);
        }
        results
    }

    /// `None` where the head changed between the check and the insertion; nothing was done then.
    fn try_insert(&self, txs: &[(SharedTx, u64)]) -> Option<Vec<Result<B256, PoolError>>> {
        let head = match self.head() {
            Ok(head) => head,
            Err(error) => return Some(vec![Err(error); txs.len()]),
        };
        let checked: Vec<_> = txs
            .iter()
            .map(|(tx, arrival)| {
                check_transaction(&tx.envelope, &self.config, &head.view)?;
                check_account(tx, *arrival, &head.view)
            })
            .collect();
        let terms = Terms {
            config: &self.config,
            base_fee: head.view.base_fee,
            inclusion: &head.inclusion,
        };
        let mut events = Events::new();
        let mut admitted = Vec::new();
        let mut results = Vec::with_capacity(txs.len());
        {
            let mut state = self.state.lock();
            if !state
                .head
                .as_ref()
                .is_some_and(|now| Arc::ptr_eq(now, &head))
            {
                return None;
            }
            for newcomer in checked {
                results.push(newcomer.and_then(|newcomer| {
                    let tx = newcomer.pooled.tx.clone();
                    state.table.admit(newcomer, terms, &mut events)?;
                    admitted.push(tx.clone());
                    Ok(tx.hash)
                }));
            }
        }
        self.report(&events);
        let lost = self.jobs.notify(&admitted);
        self.metrics.lost_job_news.increment(lost);
        Some(results)
    }

    /// Counts, traces and announces what a critical section did. Called without the lock.
    pub(crate) fn report(&self, events: &Events) {
        if events.is_empty() {
            return;
        }
        self.metrics.record(events);
        if self.new_pending.receiver_count() > 0 {
            for event in events {
                if let Event::Promoted(tx) = event {
                    // An error only says that the last subscriber has just left.
                    let _ = self.new_pending.send(tx.hash);
                }
            }
        }
        let sizes = Sizes::of(&self.state.lock().table);
        self.metrics.record_sizes(sizes);
    }

    pub(crate) fn record_result(&self, result: &Result<B256, PoolError>, hash: Option<B256>) {
        match result {
            Ok(_) => self.metrics.record_accepted(),
            Err(error) => PoolMetrics::record_refusal(error, hash),
        }
    }

    /// Every sender, with its nonce where the pool stands on `parent` itself.
    pub(crate) fn senders_at(&self, parent: B256) -> Vec<(Address, Option<u64>)> {
        let (senders, same) = {
            let state = self.state.lock();
            let same = state.settled
                && state
                    .head
                    .as_ref()
                    .is_some_and(|head| head.view.hash == parent);
            (state.table.senders().to_vec(), same)
        };
        senders
            .into_iter()
            .map(|at| (at.sender, same.then_some(at.nonce)))
            .collect()
    }

    /// What is pooled at `places`; empty ones are left out.
    pub(crate) fn lookup(&self, places: &[Place]) -> Vec<Candidate> {
        let state = self.state.lock();
        places
            .iter()
            .filter_map(|&place| {
                let pooled = state.table.at(place)?;
                Some(Candidate {
                    tx: pooled.tx.clone(),
                    arrival: pooled.arrival,
                })
            })
            .collect()
    }

    /// Drops what a job found to be final. A used nonce is final only on the job's own branch, so
    /// the pool's head decides.
    pub(crate) fn discard(&self, tx: &SharedTx, reason: DropReason) {
        let place = Place {
            sender: tx.sender,
            nonce: tx.nonce(),
        };
        let mut events = Events::new();
        {
            let mut state = self.state.lock();
            let same = state.table.get(&tx.hash).is_some();
            let used = state
                .table
                .sender(tx.sender)
                .is_some_and(|sender| tx.nonce() < sender.facts.nonce);
            if same && (used || reason != DropReason::NonceUsed) {
                state.table.discard(place, reason, &mut events);
            }
        }
        self.report(&events);
    }
}

/// The transaction pool. Clones share one pool; its threads end with the last clone.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
    intake: Arc<Intake>,
}

impl Pool {
    /// An empty pool with its intake threads. It takes transactions once it knows a head.
    pub fn new(config: PoolConfig) -> Self {
        let shared = Arc::new(Shared::new(config));
        let intake = Arc::new(Intake::start(&shared));
        Self { shared, intake }
    }

    /// Decodes, checks, recovers and pools one transaction in EIP-2718 form. Returns its hash.
    pub async fn add_raw(&self, encoded: Bytes) -> Result<B256, PoolError> {
        self.add_batch(vec![encoded])
            .await
            .pop()
            .unwrap_or(Err(PoolError::Closed))
    }

    /// [`add_raw`](Self::add_raw) for many; one result each, in order. What exceeds the intake's
    /// capacity is refused with [`PoolError::IntakeFull`] at once.
    pub async fn add_batch(&self, encoded: Vec<Bytes>) -> Vec<Result<B256, PoolError>> {
        self.intake.submit(&self.shared, encoded).await
    }

    /// Checks and pools a transaction whose sender is known already.
    pub fn add_recovered(&self, tx: SharedTx) -> Result<B256, PoolError> {
        let hash = tx.hash;
        self.shared.metrics.received.increment(1);
        let arrival = self.shared.next_arrival();
        let result = self
            .shared
            .insert(&[(tx, arrival)])
            .pop()
            .unwrap_or(Err(PoolError::Closed));
        self.shared.record_result(&result, Some(hash));
        result
    }

    /// Follows the chain to `view`: `reverted` blocks left it, `included` joined it, both oldest
    /// first. Costs what the blocks touched, not what is pooled. Transactions of reverted blocks
    /// come back without a new recovery.
    pub fn on_new_head(
        &self,
        view: HeadView,
        reverted: &[Arc<SealedBlock>],
        included: &[Arc<SealedBlock>],
    ) {
        self.shared.follow(view, reverted, included);
    }

    /// Stands on `view` without knowing how the chain came there (the first head, or a jump):
    /// every sender's account is read again.
    pub fn on_head_jump(&self, view: HeadView) {
        self.shared.jump(view);
    }

    /// Subscribes a building job. `view` reads the accounts after the job's parent; `wake` is
    /// called from intake threads. Costs a copy of the list of senders.
    pub fn candidates(
        &self,
        request: &BuildRequest,
        view: Arc<dyn AccountView>,
        wake: Wake,
    ) -> PoolCandidates {
        PoolCandidates::open(self.shared.clone(), request, view, wake)
    }

    /// The account's nonce after its executable transactions: what a wallet uses next.
    pub fn next_nonce(&self, address: Address) -> Result<u64, PoolError> {
        let head = {
            let state = self.shared.state.lock();
            if let Some(sender) = state.table.sender(address)
                && state.settled
            {
                return Ok(sender.executable_end);
            }
            state.head.clone().ok_or(PoolError::NotReady)?
        };
        let account = head.view.accounts.account(address);
        let nonce = account.map_err(|error| PoolError::State(error.0))?.nonce;
        let state = self.shared.state.lock();
        let sender = state.table.sender(address);
        Ok(sender.map_or(nonce, |sender| sender.first_gap(nonce)))
    }

    /// A pooled transaction. Importers ask here before they recover a sender.
    pub fn get(&self, hash: &B256) -> Option<SharedTx> {
        let state = self.shared.state.lock();
        state.table.get(hash).map(|pooled| pooled.tx.clone())
    }

    /// How much is pooled now.
    pub fn status(&self) -> PoolStatus {
        let sizes = Sizes::of(&self.shared.state.lock().table);
        PoolStatus {
            executable: sizes.executable,
            parked: sizes.parked,
            senders: sizes.senders,
            size_bytes: sizes.size_bytes,
            recovered: self.shared.recovered.load(Ordering::Relaxed),
        }
    }

    /// What one sender has pooled.
    pub fn content(&self, sender: Address) -> SenderContent {
        let state = self.shared.state.lock();
        let Some(sender) = state.table.sender(sender) else {
            return SenderContent::default();
        };
        let of = |pooled: &crate::sender::Pooled| pooled.tx.clone();
        let end = sender.executable_end;
        SenderContent {
            executable: sender.txs.range(..end).map(|(_, at)| of(at)).collect(),
            parked: sender.txs.range(end..).map(|(_, at)| of(at)).collect(),
        }
    }

    /// Hashes of transactions as they become executable. A subscriber that falls behind the
    /// configured capacity loses the oldest and is told how many.
    pub fn subscribe_new(&self) -> broadcast::Receiver<B256> {
        self.shared.new_pending.subscribe()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod model;
