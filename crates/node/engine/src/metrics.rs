//! The engine's metrics, all of its own:
//!
//! | name | kind | meaning |
//! |---|---|---|
//! | `blockwright_engine_call_seconds{method}` | histogram | time to answer a successful call |
//! | `blockwright_engine_payload_status_total{status}` | counter | answers to newPayload |
//! | `blockwright_engine_imported_total{source}` | counter | blocks imported: `built` were handed over by the builder, `preconfirmed` were executed as flashblocks before, `executed` were run |
//! | `blockwright_engine_orphans_forgotten_total` | counter | payloads with unknown parents that had to make room |
//! | `blockwright_engine_head_number` | gauge | number of the head |
//! | `blockwright_engine_reorgs_total` | counter | fork choices that reverted blocks |
//! | `blockwright_engine_reverted_blocks_total` | counter | blocks they reverted |
//! | `blockwright_engine_rival_total{outcome}` | counter | payloads for which another builder was asked: its block was `taken`, or why not |
//! | `blockwright_engine_rival_seconds` | histogram | time to answer such a call of getPayload |
//! | `blockwright_engine_auth_refused_total` | counter | requests without a valid token |

use std::time::Duration;

use metrics::{counter, gauge, histogram};

pub(crate) fn call(method: &'static str, elapsed: Duration) {
    histogram!("blockwright_engine_call_seconds", "method" => method).record(elapsed);
}

pub(crate) fn payload_status(status: &'static str) {
    counter!("blockwright_engine_payload_status_total", "status" => status).increment(1);
}

pub(crate) fn imported(source: &'static str) {
    counter!("blockwright_engine_imported_total", "source" => source).increment(1);
}

pub(crate) fn orphans_forgotten(count: u64) {
    counter!("blockwright_engine_orphans_forgotten_total").increment(count);
}

pub(crate) fn head(number: u64) {
    gauge!("blockwright_engine_head_number").set(number as f64);
}

pub(crate) fn reorg(reverted: usize) {
    counter!("blockwright_engine_reorgs_total").increment(1);
    counter!("blockwright_engine_reverted_blocks_total").increment(reverted as u64);
}

pub(crate) fn rival(outcome: &'static str) {
    counter!("blockwright_engine_rival_total", "outcome" => outcome).increment(1);
}

pub(crate) fn rival_asked(elapsed: Duration) {
    histogram!("blockwright_engine_rival_seconds").record(elapsed);
}

pub(crate) fn auth_refused() {
    counter!("blockwright_engine_auth_refused_total").increment(1);
}
