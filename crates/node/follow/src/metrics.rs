//! The metrics of the follower, all in one place.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::{Refutation, Step};

const FLASHBLOCKS: &str = "blockwright_follow_flashblocks_total";
const EXECUTION: &str = "blockwright_follow_flashblock_seconds";
const REFUTED: &str = "blockwright_follow_refuted_total";
const UNKNOWN_PARENTS: &str = "blockwright_follow_unknown_parents_total";
const AHEAD: &str = "blockwright_follow_ahead_count";
const HELD_AHEAD: &str = "blockwright_follow_held_ahead_total";
const CONNECTED: &str = "blockwright_follow_connected_count";
const DISCONNECTS: &str = "blockwright_follow_disconnects_total";
const GAPS: &str = "blockwright_follow_gaps_total";
const STALLS: &str = "blockwright_follow_stalls_total";
const UNREADABLE: &str = "blockwright_follow_unreadable_total";
const PANICS: &str = "blockwright_follow_panics_total";

/// Tells the recorder what each metric means.
pub fn describe() {
    let counters = [
        (
            FLASHBLOCKS,
            "Flashblocks of the followed stream, by outcome",
        ),
        (
            REFUTED,
            "Flashblocks that are not what execution gives, by what is wrong",
        ),
        (
            UNKNOWN_PARENTS,
            "Blocks that waited for their parent to become the head",
        ),
        (
            HELD_AHEAD,
            "Blocks stored before a consensus client brought them, for the next one to stand on",
        ),
        (
            DISCONNECTS,
            "Connections to the stream that ended or failed",
        ),
        (GAPS, "Times that flashblocks may have been missed"),
        (STALLS, "Times that no flashblock came for two intervals"),
        (UNREADABLE, "Frames that are no flashblocks"),
        (PANICS, "Flashblocks whose execution panicked"),
    ];
    for (name, text) in counters {
        describe_counter!(name, Unit::Count, text);
    }
    describe_histogram!(
        EXECUTION,
        Unit::Seconds,
        "From a flashblock's turn to its snapshot: decoding, execution, roots"
    );
    describe_gauge!(
        AHEAD,
        Unit::Count,
        "Complete preconfirmed blocks above the head"
    );
    describe_gauge!(CONNECTED, Unit::Count, "1 while the stream is connected");
}

pub(crate) fn step(step: &Step) {
    counter!(FLASHBLOCKS, "outcome" => step.label()).increment(1);
}

pub(crate) fn executed(elapsed: Duration) {
    histogram!(EXECUTION).record(elapsed);
}

pub(crate) fn refuted(refutation: &Refutation) {
    counter!(REFUTED, "field" => refutation.label()).increment(1);
}

pub(crate) fn unknown_parent() {
    counter!(UNKNOWN_PARENTS).increment(1);
}

pub(crate) fn ahead(blocks: usize) {
    gauge!(AHEAD).set(blocks as f64);
}

pub(crate) fn held_ahead() {
    counter!(HELD_AHEAD).increment(1);
}

pub(crate) fn connected(is_connected: bool) {
    gauge!(CONNECTED).set(f64::from(u8::from(is_connected)));
    if !is_connected {
        counter!(DISCONNECTS).increment(1);
    }
}

pub(crate) fn gap() {
    counter!(GAPS).increment(1);
}

pub(crate) fn stalled() {
    counter!(STALLS).increment(1);
}

pub(crate) fn unreadable() {
    counter!(UNREADABLE).increment(1);
}

pub(crate) fn panicked() {
    counter!(PANICS).increment(1);
}
