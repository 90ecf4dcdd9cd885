//! The metrics of payments.

use alloy_primitives::U256;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

const PAYMENTS: &str = "blockwright_payment_total";
const LAST: &str = "blockwright_payment_last_wei";

pub(crate) fn describe() {
    describe_counter!(
        PAYMENTS,
        Unit::Count,
        "Payments at the end of blocks, by what came of them"
    );
    describe_gauge!(LAST, "The last payment that was put into a block, in wei");
}

pub(crate) fn outcome(outcome: &'static str) {
    counter!(PAYMENTS, "outcome" => outcome).increment(1);
}

pub(crate) fn last(amount: U256) {
    gauge!(LAST).set(f64::from(amount));
}
