//! The metrics of the JSON-RPC servers, all in one place.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

const REQUESTS: &str = "blockwright_rpc_requests_total";
const DURATION: &str = "blockwright_rpc_request_seconds";
const BATCHES: &str = "blockwright_rpc_batch_entries";
const WORKERS_REFUSED: &str = "blockwright_rpc_workers_refused_total";
const SOURCES_REFUSED: &str = "blockwright_rpc_sources_refused_total";
const SEQUENCED_NOT_POOLED: &str = "blockwright_rpc_sequenced_not_pooled_total";
const SYNC_WAITING: &str = "blockwright_rpc_sync_waiting_count";
const SYNC_REFUSED: &str = "blockwright_rpc_sync_refused_total";
const LAGGED: &str = "blockwright_rpc_subscriptions_lagged_total";

/// Tells the recorder what each metric means.
pub(crate) fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "Requests by method and outcome");
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "Time to answer a request, by method"
    );
    describe_histogram!(BATCHES, Unit::Count, "Requests in a batch");
    describe_counter!(
        WORKERS_REFUSED,
        Unit::Count,
        "Calls, estimates and scans refused because all workers were busy"
    );
    describe_gauge!(
        SYNC_WAITING,
        Unit::Count,
        "Calls of eth_sendRawTransactionSync that wait for a receipt"
    );
    describe_counter!(
        SYNC_REFUSED,
        Unit::Count,
        "Calls of eth_sendRawTransactionSync refused because too many waited"
    );
    describe_counter!(
        SOURCES_REFUSED,
        Unit::Count,
        "Transactions refused because their sender's address is not listed"
    );
    describe_counter!(
        SEQUENCED_NOT_POOLED,
        Unit::Count,
        "Transactions the sequencer took and the pool refused"
    );
    describe_counter!(
        LAGGED,
        Unit::Count,
        "Subscriptions closed because they fell behind"
    );
}

/// One answered request. `method` is a name of ours, never the caller's text.
pub(crate) fn answered(method: &'static str, success: bool, took: Duration) {
    let outcome = if success { "ok" } else { "error" };
    counter!(REQUESTS, "method" => method, "outcome" => outcome).increment(1);
    histogram!(DURATION, "method" => method).record(took.as_secs_f64());
}

/// `count` requests that were answered together.
pub(crate) fn answered_many(method: &'static str, success: bool, took: Duration, count: usize) {
    if count == 0 {
        return;
    }
    let outcome = if success { "ok" } else { "error" };
    counter!(REQUESTS, "method" => method, "outcome" => outcome).increment(count as u64);
    histogram!(DURATION, "method" => method).record_many(took.as_secs_f64(), count);
}

pub(crate) fn batch(entries: usize) {
    histogram!(BATCHES).record(entries as f64);
}

pub(crate) fn worker_refused() {
    counter!(WORKERS_REFUSED).increment(1);
}

pub(crate) fn source_refused() {
    counter!(SOURCES_REFUSED).increment(1);
}

pub(crate) fn sequenced_not_pooled() {
    counter!(SEQUENCED_NOT_POOLED).increment(1);
}

pub(crate) fn sync_refused() {
    counter!(SYNC_REFUSED).increment(1);
}

/// One call that waits, for as long as this lives: callers may leave at any time.
pub(crate) struct SyncWaiting(());

impl SyncWaiting {
    pub(crate) fn begin() -> Self {
        gauge!(SYNC_WAITING).increment(1.0);
        Self(())
    }
}

impl Drop for SyncWaiting {
    fn drop(&mut self) {
        gauge!(SYNC_WAITING).decrement(1.0);
    }
}

pub(crate) fn subscription_lagged() {
    counter!(LAGGED).increment(1);
}
