//! The metrics of the attributes stream, all in one place.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

const PUBLISHED: &str = "blockwright_attributes_published_total";
const LOST: &str = "blockwright_attributes_lost_total";
const SUBSCRIBERS: &str = "blockwright_attributes_subscribers_count";
const REFUSED: &str = "blockwright_attributes_refused_total";
const CLOSED: &str = "blockwright_attributes_closed_total";
const ACCEPT_ERRORS: &str = "blockwright_attributes_accept_errors_total";
const CONNECTED: &str = "blockwright_attributes_connected_count";
const CONNECTS: &str = "blockwright_attributes_connects_total";
const DISCONNECTS: &str = "blockwright_attributes_disconnects_total";
const EVENTS: &str = "blockwright_attributes_events_total";
const BUILDS: &str = "blockwright_attributes_builds_total";
const START: &str = "blockwright_attributes_start_seconds";

pub(crate) fn describe() {
    describe_counter!(PUBLISHED, Unit::Count, "Attributes published");
    describe_counter!(
        LOST,
        Unit::Count,
        "Attributes not published because publishing was behind"
    );
    describe_gauge!(SUBSCRIBERS, Unit::Count, "Subscribers being served");
    describe_counter!(
        REFUSED,
        Unit::Count,
        "Connections that were not served, by reason"
    );
    describe_counter!(
        CLOSED,
        Unit::Count,
        "Subscribers cut because they were too slow, by how that showed"
    );
    describe_counter!(
        ACCEPT_ERRORS,
        Unit::Count,
        "Failed accepts of the listening socket"
    );
    describe_gauge!(CONNECTED, Unit::Count, "Whether an upstream is connected");
    describe_counter!(CONNECTS, Unit::Count, "Connections to an upstream");
    describe_counter!(
        DISCONNECTS,
        Unit::Count,
        "Connections to an upstream that ended or did not come about, by cause"
    );
    describe_counter!(
        EVENTS,
        Unit::Count,
        "Events of an upstream, by what they were"
    );
    describe_counter!(
        BUILDS,
        Unit::Count,
        "Events that were to be built, by what came of them"
    );
    describe_histogram!(
        START,
        Unit::Seconds,
        "From an event's arrival to its first block"
    );
}

/// Counters that begin at zero, so that the first of something shows as one.
pub(crate) fn begin<'a>(upstreams: impl Iterator<Item = &'a str>) {
    for upstream in upstreams {
        gauge!(CONNECTED, "upstream" => upstream.to_owned()).set(0);
        for kind in ["taken", "duplicate", "older", "unreadable"] {
            counter!(EVENTS, "upstream" => upstream.to_owned(), "kind" => kind).increment(0);
        }
    }
    for outcome in [
        "started",
        "superseded",
        "overruled",
        "unknown_parent",
        "refused",
    ] {
        counter!(BUILDS, "outcome" => outcome).increment(0);
    }
}

pub(crate) fn published() {
    counter!(PUBLISHED).increment(1);
}

pub(crate) fn lost(count: u64) {
    counter!(LOST).increment(count);
}

/// Counted as a subscriber for as long as it lives.
pub(crate) struct Subscribed(());

impl Subscribed {
    pub(crate) fn new() -> Self {
        gauge!(SUBSCRIBERS).increment(1);
        Self(())
    }
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        gauge!(SUBSCRIBERS).decrement(1);
    }
}

pub(crate) fn refused(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

pub(crate) fn closed(cause: &'static str) {
    counter!(CLOSED, "cause" => cause).increment(1);
}

pub(crate) fn accept_error() {
    counter!(ACCEPT_ERRORS).increment(1);
}

pub(crate) fn connected(upstream: &str) {
    counter!(CONNECTS, "upstream" => upstream.to_owned()).increment(1);
    gauge!(CONNECTED, "upstream" => upstream.to_owned()).set(1);
}

pub(crate) fn disconnected(upstream: &str, cause: &'static str) {
    counter!(DISCONNECTS, "upstream" => upstream.to_owned(), "cause" => cause).increment(1);
    gauge!(CONNECTED, "upstream" => upstream.to_owned()).set(0);
}

pub(crate) fn event(upstream: &str, kind: &'static str) {
    counter!(EVENTS, "upstream" => upstream.to_owned(), "kind" => kind).increment(1);
}

pub(crate) fn built(outcome: &'static str) {
    counter!(BUILDS, "outcome" => outcome).increment(1);
}

pub(crate) fn started(after: Duration) {
    histogram!(START).record(after.as_secs_f64());
}
