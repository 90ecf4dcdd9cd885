//! The metrics of the builder API, all in one place.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

const REQUESTS: &str = "blockwright_builder_api_requests_total";
const REQUEST: &str = "blockwright_builder_api_request_seconds";
const SENT: &str = "blockwright_builder_api_sent_seconds";
const REFUSED: &str = "blockwright_builder_api_refused_total";
const TIMEOUTS: &str = "blockwright_builder_api_timeouts_total";
const ACCEPT_ERRORS: &str = "blockwright_builder_api_accept_errors_total";

pub(crate) fn describe() {
    describe_counter!(
        REQUESTS,
        Unit::Count,
        "Requests for payloads, by what came of them"
    );
    describe_histogram!(
        REQUEST,
        Unit::Seconds,
        "From a complete request to its signed answer"
    );
    describe_histogram!(
        SENT,
        Unit::Seconds,
        "From a complete request until the system has its whole answer"
    );
    describe_counter!(
        REFUSED,
        Unit::Count,
        "Connections that were not served, by reason"
    );
    describe_counter!(
        TIMEOUTS,
        Unit::Count,
        "Connections closed because they were too slow, by what was waited for"
    );
    describe_counter!(
        ACCEPT_ERRORS,
        Unit::Count,
        "Failed accepts of the listening socket"
    );
}

pub(crate) fn answered(outcome: &'static str) {
    counter!(REQUESTS, "outcome" => outcome).increment(1);
}

pub(crate) fn took(time: Duration) {
    histogram!(REQUEST).record(time.as_secs_f64());
}

pub(crate) fn sent(time: Duration) {
    histogram!(SENT).record(time.as_secs_f64());
}

pub(crate) fn refused(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

pub(crate) fn timed_out(what: &'static str) {
    counter!(TIMEOUTS, "what" => what).increment(1);
}

pub(crate) fn accept_error() {
    counter!(ACCEPT_ERRORS).increment(1);
}
