//! The pool's handle and the state behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::{Address, B256, Bytes};
use blockwright_seams::{Candidate, Wake};
use blockwright_types::{BuildRequest, SealedBlock, SharedTx};
use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::candidates::{PoolCandidates, Run};
use crate::config::PoolConfig;
use crate::error::PoolError;
use crate::event::{DropReason, Event, Events};
use crate::intake::Intake;
use crate::jobs::Jobs;
use crate::metrics::{PoolMetrics, Sizes};
use crate::price_index::Place;
use crate::table::{Inclusion, Table};
use crate::view::{AccountView, HeadView};

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

fn saturated(wei: u128) -> u64 {
    u64::try_from(wei).unwrap_or(u64::MAX)
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
    /// In wei; 18 ether and more are the same to everybody.
    min_tip_wei: AtomicU64,
    arrivals: AtomicU64,
    new_pending: broadcast::Sender<B256>,
}

impl Shared {
    fn new(config: PoolConfig) -> Self {
        let (new_pending, _) = broadcast::channel(config.new_pending_capacity.max(1));
        Self {
            min_tip_wei: AtomicU64::new(saturated(config.min_tip_wei)),
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

    /// The first of `count` consecutive arrival numbers.
    pub(crate) fn next_arrivals(&self, count: u64) -> u64 {
        self.arrivals.fetch_add(count, Ordering::Relaxed)
    }

    pub(crate) fn min_tip_wei(&self) -> u128 {
        self.min_tip_wei.load(Ordering::Relaxed).into()
    }

    pub(crate) fn head(&self) -> Result<Arc<Head>, PoolError> {
        self.state.lock().head.clone().ok_or(PoolError::NotReady)
    }

    /// Counts, traces and announces what a critical section did. Called without the lock, with the
    /// sizes that the section left behind.
    pub(crate) fn report(&self, events: &Events, sizes: Sizes) {
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
        self.metrics.record_sizes(sizes);
    }

    pub(crate) fn record_results<'a>(
        &self,
        results: impl IntoIterator<Item = (&'a Result<B256, PoolError>, B256)>,
    ) {
        let mut accepted = 0;
        for (result, hash) in results {
            match result {
                Ok(_) => accepted += 1,
                Err(error) => PoolMetrics::record_refusals(error, Some(hash), 1),
            }
        }
        self.metrics.record_accepted(accepted);
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

    /// Appends what is pooled at each of `places` and at most `ahead` that follow it without a gap.
    /// One answer a place, `None` where nothing is.
    pub(crate) fn runs_from(
        &self,
        places: &[Place],
        ahead: usize,
        out: &mut Vec<Candidate>,
    ) -> Vec<Option<Run>> {
        let mut runs = Vec::with_capacity(places.len());
        let state = self.state.lock();
        runs.extend(places.iter().map(|&place| {
            let before = out.len();
            let sighting = state.table.run_from(place, ahead, out)?;
            let count = out.len() - before;
            Some(Run { count, sighting })
        }));
        runs
    }

    /// Drops what a job found to be final. A used nonce is final only on the job's own branch, so
    /// the pool's head decides.
    pub(crate) fn discard(&self, tx: &SharedTx, reason: DropReason) {
        let place = Place {
            sender: tx.sender,
            nonce: tx.nonce(),
        };
        let mut events = Events::new();
        let sizes = {
            let mut state = self.state.lock();
            let same = state.table.get(&tx.hash).is_some();
            let used = state
                .table
                .sender(tx.sender)
                .is_some_and(|sender| tx.nonce() < sender.facts.nonce);
            if same && (used || reason != DropReason::NonceUsed) {
                state.table.discard(place, reason, &mut events);
            }
            Sizes::of(&state.table)
        };
        self.report(&events, sizes);
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

    /// [`add_raw`](Self::add_raw) for many; one result each, in order. Where the intake has no room
    /// for all of them, all are refused with [`PoolError::IntakeFull`] at once.
    pub async fn add_batch(&self, encoded: Vec<Bytes>) -> Vec<Result<B256, PoolError>> {
        self.intake.submit(&self.shared, encoded).await
    }

    /// Checks and pools a transaction whose sender is known already.
    pub fn add_recovered(&self, tx: SharedTx) -> Result<B256, PoolError> {
        let hash = tx.hash;
        self.shared.metrics.received.increment(1);
        let arrival = self.shared.next_arrivals(1);
        let result = self
            .shared
            .insert(&[(tx, arrival)], None)
            .pop()
            .unwrap_or(Err(PoolError::Closed));
        self.shared.record_results([(&result, hash)]);
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

    /// Takes over the smallest tip cap in wei (geth's `miner_setGasPrice`) for what arrives from now
    /// on; what is pooled stays. Values from 2^64 on are read as 2^64 - 1.
    pub fn set_min_tip(&self, wei: u128) {
        self.shared
            .min_tip_wei
            .store(saturated(wei), Ordering::Relaxed);
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
            executable: sender.txs.range(0..end).map(of).collect(),
            parked: sender.txs.from(end).map(of).collect(),
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
