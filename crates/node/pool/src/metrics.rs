//! The pool's metrics, all of them:
//!
//! | name | kind | meaning |
//! |---|---|---|
//! | `blockwright_pool_received_transactions_total` | counter | handed to the intake |
//! | `blockwright_pool_recovered_transactions_total` | counter | senders recovered |
//! | `blockwright_pool_accepted_transactions_total` | counter | given a place, new or as replacement |
//! | `blockwright_pool_refused_transactions_total{reason}` | counter | not taken; [`PoolError::label`] |
//! | `blockwright_pool_promoted_transactions_total` | counter | became executable |
//! | `blockwright_pool_parked_transactions_total` | counter | came to stand behind a nonce gap |
//! | `blockwright_pool_replaced_transactions_total` | counter | gave way to a better one of the same nonce |
//! | `blockwright_pool_included_transactions_total` | counter | left into the chain |
//! | `blockwright_pool_dropped_transactions_total{reason}` | counter | left otherwise; [`DropReason::label`] |
//! | `blockwright_pool_deferred_candidates_total` | counter | put off by a job |
//! | `blockwright_pool_rejected_candidates_total` | counter | refused by a job |
//! | `blockwright_pool_lost_job_news_total` | counter | arrivals a job was not told of, its queue being full |
//! | `blockwright_pool_view_errors_total` | counter | accounts that could not be read |
//! | `blockwright_pool_intake_panics_total` | counter | batches lost to a panic |
//! | `blockwright_pool_intake_count` | gauge | transactions that wait for their check or are in it |
//! | `blockwright_pool_executable_count` | gauge | executable now |
//! | `blockwright_pool_parked_count` | gauge | parked now |
//! | `blockwright_pool_size_bytes` | gauge | wire bytes pooled now |

use metrics::{Counter, Gauge, counter, gauge};
use tracing::trace;

use crate::error::PoolError;
use crate::event::{DropReason, Event, Events};
use crate::table::Table;

/// Handles, looked up once when the pool is made: a recorder has to be installed before that.
pub(crate) struct PoolMetrics {
    pub(crate) received: Counter,
    pub(crate) recovered: Counter,
    accepted: Counter,
    promoted: Counter,
    parked: Counter,
    replaced: Counter,
    included: Counter,
    dropped: [Counter; 5],
    pub(crate) deferred: Counter,
    pub(crate) rejected: Counter,
    pub(crate) lost_job_news: Counter,
    pub(crate) view_errors: Counter,
    pub(crate) intake_panics: Counter,
    pub(crate) intake_count: Gauge,
    executable_count: Gauge,
    parked_count: Gauge,
    size_bytes: Gauge,
}

impl PoolMetrics {
    pub(crate) fn new() -> Self {
        let dropped = DropReason::LABELS.map(
            |reason| counter!("blockwright_pool_dropped_transactions_total", "reason" => reason),
        );
        Self {
            received: counter!("blockwright_pool_received_transactions_total"),
            recovered: counter!("blockwright_pool_recovered_transactions_total"),
            accepted: counter!("blockwright_pool_accepted_transactions_total"),
            promoted: counter!("blockwright_pool_promoted_transactions_total"),
            parked: counter!("blockwright_pool_parked_transactions_total"),
            replaced: counter!("blockwright_pool_replaced_transactions_total"),
            included: counter!("blockwright_pool_included_transactions_total"),
            dropped,
            deferred: counter!("blockwright_pool_deferred_candidates_total"),
            rejected: counter!("blockwright_pool_rejected_candidates_total"),
            lost_job_news: counter!("blockwright_pool_lost_job_news_total"),
            view_errors: counter!("blockwright_pool_view_errors_total"),
            intake_panics: counter!("blockwright_pool_intake_panics_total"),
            intake_count: gauge!("blockwright_pool_intake_count"),
            executable_count: gauge!("blockwright_pool_executable_count"),
            parked_count: gauge!("blockwright_pool_parked_count"),
            size_bytes: gauge!("blockwright_pool_size_bytes"),
        }
    }

    /// Counts and traces what happened in one critical section; called after it.
    pub(crate) fn record(&self, events: &Events) {
        let (mut promoted, mut parked, mut included) = (0, 0, 0);
        for event in events {
            match event {
                Event::Promoted(tx) => {
                    promoted += 1;
                    trace!(hash = %tx.hash, "transaction executable");
                }
                Event::Parked(tx) => {
                    parked += 1;
                    trace!(hash = %tx.hash, nonce = tx.nonce(), "transaction parked behind a nonce gap");
                }
                Event::Replaced { old, by } => {
                    self.replaced.increment(1);
                    trace!(hash = %old.hash, %by, "transaction replaced");
                }
                Event::Included { tx, number } => {
                    included += 1;
                    trace!(hash = %tx.hash, block = number, "transaction included");
                }
                Event::Dropped { tx, reason } => {
                    self.dropped[reason.position()].increment(1);
                    trace!(hash = %tx.hash, reason = reason.label(), detail = ?reason, "transaction dropped");
                }
            }
        }
        self.promoted.increment(promoted);
        self.parked.increment(parked);
        self.included.increment(included);
    }

    /// `count` refusals for one reason.
    pub(crate) fn record_refusals(
        error: &PoolError,
        hash: Option<alloy_primitives::B256>,
        count: u64,
    ) {
        counter!("blockwright_pool_refused_transactions_total", "reason" => error.label())
            .increment(count);
        trace!(?hash, %error, count, "transaction refused");
    }

    pub(crate) fn record_accepted(&self, count: u64) {
        self.accepted.increment(count);
    }

    /// Publishes the sizes of the table.
    pub(crate) fn record_sizes(&self, sizes: Sizes) {
        self.executable_count.set(sizes.executable as f64);
        self.parked_count.set(sizes.parked as f64);
        self.size_bytes.set(sizes.size_bytes as f64);
    }
}

/// How much the table holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) executable: usize,
    pub(crate) parked: usize,
    pub(crate) size_bytes: u64,
    pub(crate) senders: usize,
}

impl Sizes {
    pub(crate) fn of(table: &Table) -> Self {
        Self {
            executable: table.executable().len(),
            parked: table.parked().len(),
            size_bytes: table.size_bytes(),
            senders: table.senders().len(),
        }
    }
}
