//! The metrics of forwarding, a set for each target.

use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::types::ErrorObjectOwned;
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

const QUEUE: &str = "blockwright_forward_queue_count";
const SENT: &str = "blockwright_forward_sent_total";
const KNOWN: &str = "blockwright_forward_known_total";
const REFUSED: &str = "blockwright_forward_refused_total";
const DROPPED: &str = "blockwright_forward_dropped_total";
const RETRIES: &str = "blockwright_forward_retries_total";
const CALL: &str = "blockwright_forward_call_seconds";

/// Tells the recorder what each metric means.
pub(crate) fn describe() {
    describe_gauge!(QUEUE, Unit::Count, "Transactions that wait for the target");
    describe_counter!(SENT, Unit::Count, "Transactions the target took");
    describe_counter!(KNOWN, Unit::Count, "Transactions the target had already");
    describe_counter!(REFUSED, Unit::Count, "Transactions the target refused");
    describe_counter!(DROPPED, Unit::Count, "Transactions not sent to the target");
    describe_counter!(RETRIES, Unit::Count, "Calls repeated after a failure");
    describe_histogram!(CALL, Unit::Seconds, "Time to the target's answer");
}

/// The metrics of one target.
#[derive(Clone)]
pub(crate) struct TargetMetrics {
    label: Arc<str>,
    pub(crate) queue: Gauge,
    sent: Counter,
    known: Counter,
    pub(crate) retries: Counter,
    call: Histogram,
}

impl TargetMetrics {
    pub(crate) fn new(label: &str) -> Self {
        let target = || label.to_owned();
        Self {
            queue: gauge!(QUEUE, "target" => target()),
            sent: counter!(SENT, "target" => target()),
            known: counter!(KNOWN, "target" => target()),
            retries: counter!(RETRIES, "target" => target()),
            call: histogram!(CALL, "target" => target()),
            label: label.into(),
        }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// A call that was answered.
    pub(crate) fn answered(&self, took: Duration) {
        self.call.record(took.as_secs_f64());
    }

    pub(crate) fn sent(&self) {
        self.sent.increment(1);
    }

    pub(crate) fn known(&self) {
        self.known.increment(1);
    }

    pub(crate) fn refused(&self, refusal: &ErrorObjectOwned) {
        let code = code_label(refusal.code());
        counter!(REFUSED, "target" => self.label.to_string(), "code" => code).increment(1);
    }

    /// Transactions given up; `reason` is one of ours.
    pub(crate) fn dropped(&self, reason: &'static str, count: usize) {
        if count > 0 {
            counter!(DROPPED, "target" => self.label.to_string(), "reason" => reason)
                .increment(count as u64);
        }
    }
}

/// The codes that nodes use; a target cannot make up further labels.
const fn code_label(code: i32) -> &'static str {
    match code {
        3 => "3",
        -32_000 => "-32000",
        -32_001 => "-32001",
        -32_002 => "-32002",
        -32_003 => "-32003",
        -32_004 => "-32004",
        -32_005 => "-32005",
        -32_010 => "-32010",
        -32_016 => "-32016",
        -32_600 => "-32600",
        -32_601 => "-32601",
        -32_602 => "-32602",
        -32_603 => "-32603",
        -32_700 => "-32700",
        _ => "other",
    }
}
