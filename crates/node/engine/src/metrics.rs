//! Metrics of the engine.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

/// `blockwright_engine_call_seconds{method}`: time to answer a call of the consensus client.
pub(crate) fn call(method: &'static str, elapsed: Duration) {
    histogram!("blockwright_engine_call_seconds", "method" => method).record(elapsed);
}

/// `blockwright_engine_payload_status_total{status}`: answers to newPayload.
pub(crate) fn payload_status(status: &'static str) {
    counter!("blockwright_engine_payload_status_total", "status" => status).increment(1);
}

/// `blockwright_engine_imported_total{source}`: blocks imported; `built` were handed over by the
/// builder, `executed` were run.
pub(crate) fn imported(source: &'static str) {
    counter!("blockwright_engine_imported_total", "source" => source).increment(1);
}

/// `blockwright_engine_orphans_dropped_total`: payloads with unknown parents that had to make room.
pub(crate) fn orphan_dropped() {
    counter!("blockwright_engine_orphans_dropped_total").increment(1);
}

/// `blockwright_engine_head_number` and `blockwright_engine_reorgs_total`.
pub(crate) fn head(number: u64, reverted: usize) {
    gauge!("blockwright_engine_head_number").set(number as f64);
    if reverted > 0 {
        counter!("blockwright_engine_reorgs_total").increment(1);
    }
}

/// `blockwright_engine_auth_refused_total`: requests without a valid token.
pub(crate) fn auth_refused() {
    counter!("blockwright_engine_auth_refused_total").increment(1);
}
