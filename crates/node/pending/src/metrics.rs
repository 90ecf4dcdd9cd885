//! The metrics of preconfirmed state, all in one place.

use blockwright_types::UnixUs;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::Fallback;

const SNAPSHOTS: &str = "blockwright_pending_snapshots_total";
const LIVE: &str = "blockwright_pending_live_count";
const NUMBER: &str = "blockwright_pending_block_number";
const INDEX: &str = "blockwright_pending_flashblock_index";
const LAST: &str = "blockwright_pending_last_flashblock_timestamp_seconds";
const FALLBACKS: &str = "blockwright_pending_fallbacks_total";
const WITHDRAWN: &str = "blockwright_pending_withdrawn_total";
const DROPPED: &str = "blockwright_pending_handover_dropped_total";

/// Why a snapshot was withdrawn before its block was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// Its payload was abandoned.
    Abandoned,
    /// A flashblock is missing.
    Gap,
    /// A flashblock was dropped because the queue was full.
    Dropped,
    /// The state it stands on is not held.
    UnknownParent,
    /// Its flashblock states another hash than what it is made of has.
    HashMismatch,
}

impl Withdrawal {
    /// Stable lower-case label for metrics and logs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Gap => "gap",
            Self::Dropped => "dropped",
            Self::UnknownParent => "unknown_parent",
            Self::HashMismatch => "hash_mismatch",
        }
    }
}

/// Tells the recorder what each metric means.
pub fn describe() {
    describe_counter!(SNAPSHOTS, Unit::Count, "Snapshots of preconfirmed state");
    describe_gauge!(
        LIVE,
        Unit::Count,
        "1 while flashblocks come and `pending` is preconfirmed state, else 0"
    );
    describe_gauge!(NUMBER, "Number of the block in the newest snapshot");
    describe_gauge!(INDEX, "Index of the last flashblock in the newest snapshot");
    describe_gauge!(
        LAST,
        Unit::Seconds,
        "Unix time of the newest snapshot; its age is time() minus this"
    );
    describe_counter!(
        FALLBACKS,
        Unit::Count,
        "Requests for `pending` that were answered from the head, by reason"
    );
    describe_counter!(
        WITHDRAWN,
        Unit::Count,
        "Snapshots withdrawn before their block was chosen, by reason"
    );
    describe_counter!(
        DROPPED,
        Unit::Count,
        "Flashblocks and ends of payloads that the snapshots' queue had no room for"
    );
}

pub(crate) fn published(number: u64, index: u64, at: UnixUs) {
    counter!(SNAPSHOTS).increment(1);
    gauge!(NUMBER).set(number as f64);
    gauge!(INDEX).set(index as f64);
    gauge!(LAST).set(at.0 as f64 / 1e6);
}

pub(crate) fn live(live: bool) {
    gauge!(LIVE).set(if live { 1.0 } else { 0.0 });
}

pub(crate) fn fell_back(reason: Fallback) {
    counter!(FALLBACKS, "reason" => reason.label()).increment(1);
}

pub(crate) fn withdrawn(reason: Withdrawal) {
    counter!(WITHDRAWN, "reason" => reason.label()).increment(1);
}

pub(crate) fn handover_dropped() {
    counter!(DROPPED).increment(1);
}
