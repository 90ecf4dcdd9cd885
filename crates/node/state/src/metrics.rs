//! The crate's metrics.
//!
//! | Name | Kind | Meaning |
//! |---|---|---|
//! | `blockwright_state_fork_choice_seconds` | histogram | a fork choice, its durable write included |
//! | `blockwright_state_log_bytes_total` | counter | bytes written to the log |
//! | `blockwright_state_log_sync_seconds` | histogram | one fdatasync of the log |
//! | `blockwright_state_log_read_failures_total` | counter | blocks that could not be read back |
//! | `blockwright_state_layers_count` | gauge | blocks whose state is held |
//! | `blockwright_state_side_blocks_evicted_total` | counter | blocks outside the canonical chain dropped at the limit |

use std::time::Duration;

use metrics::{counter, gauge, histogram};

pub(crate) fn fork_choice_set(elapsed: Duration) {
    histogram!("blockwright_state_fork_choice_seconds").record(elapsed);
}

pub(crate) fn log_synced(bytes: usize, elapsed: Duration) {
    counter!("blockwright_state_log_bytes_total").increment(bytes as u64);
    histogram!("blockwright_state_log_sync_seconds").record(elapsed);
}

pub(crate) fn log_read_failed() {
    counter!("blockwright_state_log_read_failures_total").increment(1);
}

pub(crate) fn layers_held(count: usize) {
    gauge!("blockwright_state_layers_count").set(count as f64);
}

pub(crate) fn side_block_evicted() {
    counter!("blockwright_state_side_blocks_evicted_total").increment(1);
}
