//! The service's metrics and its log lines, in one place.
//!
//! | name | kind | meaning |
//! |---|---|---|
//! | `blockwright_builder_start_us` | histogram | fork choice received to first block resolvable |
//! | `blockwright_builder_publish_lateness_us` | histogram | publication after the due time (index 0 excluded) |
//! | `blockwright_builder_exec_us` | histogram | execution per flashblock |
//! | `blockwright_builder_roots_us` | histogram | close to roots per flashblock |
//! | `blockwright_builder_seal_us` | histogram | sealing per flashblock |
//! | `blockwright_builder_complete_us` | histogram | roots of a block whose last flashblock had none |
//! | `blockwright_builder_flashblocks_total` | counter | flashblocks published |
//! | `blockwright_builder_blocks_total` | counter | payloads resolved |
//! | `blockwright_builder_completed_total` | counter, label `when` | such blocks, completed `ahead` of the resolve, by it, or for an `offer` |
//! | `blockwright_builder_incomplete_total` | counter | such blocks whose roots could not be had |
//! | `blockwright_builder_transactions_total` | counter | transactions published |
//! | `blockwright_builder_used_gas` | counter | gas published |
//! | `blockwright_builder_simulations_total` | counter | transactions run, ahead of the commit included |
//! | `blockwright_builder_deferred_total` | counter | candidates put off to a later flashblock |
//! | `blockwright_builder_rejected_total` | counter | candidates refused for a block |
//! | `blockwright_builder_held_total` | counter | arrivals held for the next flashblock's order |
//! | `blockwright_builder_suppressed_total` | counter | flashblocks not published because the payload was over |
//! | `blockwright_builder_jobs_ended_total` | counter, label `reason` | jobs ended |
//! | `blockwright_builder_start_refused_total` | counter | start calls refused |
//! | `blockwright_builder_sink_dropped_total` | counter | flashblocks the sink had no room for |
//! | `blockwright_builder_roots_dropped_total` | counter | root answers a full mailbox lost |

use std::time::Duration;

use blockwright_core::PartReport;
use blockwright_types::{SealedBlock, StopReason, UnixUs};
use metrics::{counter, describe_counter, describe_histogram, histogram};

/// Durations, in microseconds.
const HISTOGRAMS: &[(&str, &str)] = &[
    (
        "blockwright_builder_start_us",
        "fork choice received to first block resolvable",
    ),
    (
        "blockwright_builder_publish_lateness_us",
        "publication after the due time",
    ),
    ("blockwright_builder_exec_us", "execution per flashblock"),
    (
        "blockwright_builder_roots_us",
        "close to roots per flashblock",
    ),
    ("blockwright_builder_seal_us", "sealing per flashblock"),
    (
        "blockwright_builder_complete_us",
        "roots of a block whose last flashblock had none",
    ),
];

/// What is counted.
const COUNTERS: &[(&str, &str)] = &[
    (
        "blockwright_builder_flashblocks_total",
        "flashblocks published",
    ),
    ("blockwright_builder_blocks_total", "payloads resolved"),
    (
        "blockwright_builder_completed_total",
        "blocks that got their roots after their last flashblock",
    ),
    (
        "blockwright_builder_incomplete_total",
        "payloads that fell back to an earlier block for want of roots",
    ),
    (
        "blockwright_builder_transactions_total",
        "transactions published",
    ),
    ("blockwright_builder_used_gas", "gas published"),
    (
        "blockwright_builder_simulations_total",
        "transactions run, also ahead of the commit",
    ),
    (
        "blockwright_builder_deferred_total",
        "candidates put off to a later flashblock",
    ),
    (
        "blockwright_builder_rejected_total",
        "candidates refused for a block",
    ),
    (
        "blockwright_builder_held_total",
        "arrivals held for the next flashblock's order",
    ),
    (
        "blockwright_builder_extended_total",
        "flashblocks whose cut was put off for a late thread",
    ),
    (
        "blockwright_builder_suppressed_total",
        "flashblocks of payloads that were over",
    ),
    (
        "blockwright_builder_too_late_total",
        "flashblocks ready only after --flashblocks.publish-by",
    ),
    (
        "blockwright_builder_jobs_ended_total",
        "jobs ended, by reason",
    ),
    (
        "blockwright_builder_start_refused_total",
        "start calls refused",
    ),
    (
        "blockwright_builder_sink_dropped_total",
        "flashblocks the sink had no room for",
    ),
    (
        "blockwright_builder_roots_dropped_total",
        "root answers a full mailbox lost",
    ),
];

/// Registers the descriptions with the installed recorder.
pub fn describe() {
    for (name, text) in HISTOGRAMS {
        describe_histogram!(*name, metrics::Unit::Microseconds, *text);
    }
    for (name, text) in COUNTERS {
        describe_counter!(*name, *text);
    }
}

pub(crate) fn published(report: &PartReport, block_number: u64, at: UnixUs) {
    let late_us = if report.index == 0 {
        0
    } else {
        at.since_us(report.due)
    };
    if report.index > 0 {
        histogram!("blockwright_builder_publish_lateness_us").record(late_us as f64);
    }
    histogram!("blockwright_builder_exec_us").record(report.exec_us as f64);
    if report.has_roots {
        histogram!("blockwright_builder_roots_us").record(report.roots_us as f64);
    }
    histogram!("blockwright_builder_seal_us").record(report.seal_us as f64);
    counter!("blockwright_builder_flashblocks_total").increment(1);
    counter!("blockwright_builder_transactions_total").increment(report.transactions);
    counter!("blockwright_builder_used_gas").increment(report.gas.0);
    counter!("blockwright_builder_simulations_total").increment(report.simulations);
    counter!("blockwright_builder_deferred_total").increment(report.deferred);
    counter!("blockwright_builder_rejected_total").increment(report.rejected);
    counter!("blockwright_builder_held_total").increment(report.held);
    counter!("blockwright_builder_extended_total").increment(u64::from(report.extended));
    tracing::info!(
        block = block_number,
        index = report.index,
        roots = report.has_roots,
        txs = report.transactions,
        gas = report.gas.0,
        exec_us = report.exec_us,
        roots_us = report.roots_us,
        seal_us = report.seal_us,
        late_us,
        "flashblock"
    );
}

pub(crate) fn resolved(block: &SealedBlock) {
    counter!("blockwright_builder_blocks_total").increment(1);
    tracing::info!(
        block = block.header.number,
        hash = %block.hash,
        flashblocks = block.parts.len(),
        txs = block.transaction_count(),
        gas = block.header.gas_used,
        "payload"
    );
}

pub(crate) fn completed(when: &'static str, block: &SealedBlock, elapsed: Duration) {
    let elapsed_us = elapsed.as_micros() as f64;
    counter!("blockwright_builder_completed_total", "when" => when).increment(1);
    histogram!("blockwright_builder_complete_us").record(elapsed_us);
    tracing::info!(
        block = block.header.number,
        flashblocks = block.parts.len(),
        when,
        elapsed_us,
        "roots completed"
    );
}

pub(crate) fn incomplete() {
    counter!("blockwright_builder_incomplete_total").increment(1);
}

pub(crate) fn started(elapsed_us: u64) {
    histogram!("blockwright_builder_start_us").record(elapsed_us as f64);
}

pub(crate) fn suppressed() {
    counter!("blockwright_builder_suppressed_total").increment(1);
}

pub(crate) fn too_late() {
    counter!("blockwright_builder_too_late_total").increment(1);
}

pub(crate) fn job_ended(reason: Option<StopReason>) {
    let label = reason.map_or("complete", StopReason::label);
    counter!("blockwright_builder_jobs_ended_total", "reason" => label).increment(1);
}

pub(crate) fn start_refused() {
    counter!("blockwright_builder_start_refused_total").increment(1);
}

pub(crate) fn sink_dropped() {
    counter!("blockwright_builder_sink_dropped_total").increment(1);
}

pub(crate) fn roots_dropped() {
    counter!("blockwright_builder_roots_dropped_total").increment(1);
}
