//! The metrics of the namespace, all in one place.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

const REQUESTS: &str = "blockwright_builder_rpc_requests_total";
const REQUEST: &str = "blockwright_builder_rpc_request_seconds";
const REGISTRATIONS: &str = "blockwright_builder_rpc_registrations_count";
const OFFERS: &str = "blockwright_builder_rpc_offers_count";
const BIDS: &str = "blockwright_builder_rpc_bids_sent_total";

pub(crate) fn describe() {
    describe_counter!(
        REQUESTS,
        Unit::Count,
        "Calls of builder_ methods, by what came of them"
    );
    describe_histogram!(
        REQUEST,
        Unit::Seconds,
        "From a call of a builder_ method to its answer"
    );
    describe_gauge!(
        REGISTRATIONS,
        Unit::Count,
        "Proposers with a registered fee recipient"
    );
    describe_gauge!(
        OFFERS,
        Unit::Count,
        "Blocks that are kept because their header was handed out"
    );
    describe_counter!(BIDS, Unit::Count, "Bids sent to subscribers");
}

pub(crate) fn answered(method: &'static str, outcome: &'static str, time: Duration) {
    counter!(REQUESTS, "method" => method, "outcome" => outcome).increment(1);
    histogram!(REQUEST, "method" => method).record(time.as_secs_f64());
}

pub(crate) fn registrations(count: usize) {
    gauge!(REGISTRATIONS).set(count as f64);
}

pub(crate) fn offers(count: usize) {
    gauge!(OFFERS).set(count as f64);
}

pub(crate) fn bid_sent() {
    counter!(BIDS).increment(1);
}
