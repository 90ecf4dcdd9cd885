//! What holds for every script on every host.

use blockwright_core::RootsRule;
use blockwright_testkit::{
    Scenario, Transcript, check_block, check_budget, check_order, check_schedule,
};
use blockwright_types::OpFork;

use super::chain::da_footprint_scalar;
use super::streamed::check_streamed;

pub fn require(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// Prefix, Silence, Availability, Budget, Order and the schedule; and all of what can be proved from
/// the frames alone.
pub fn check<A>(fork: OpFork, seed: u64, scenario: &Scenario, transcript: &Transcript<A>) {
    let checks = [
        check_block(scenario, transcript),
        check_schedule(scenario, transcript),
        check_budget(scenario, transcript, da_footprint_scalar(fork)),
        check_order(scenario, transcript),
    ];
    for check in checks {
        check.unwrap_or_else(|violation| panic!("{fork}, seed {seed}: {violation}"));
    }
    check_streamed(fork, scenario.config.roots, transcript)
        .unwrap_or_else(|what| panic!("{fork}, seed {seed}, streamed: {what}"));
}

/// Transactions that the pool gave.
pub fn pool_transactions<A>(transcript: &Transcript<A>) -> u64 {
    let published = transcript.published.iter().skip(1);
    published
        .map(|published| published.publication.report.transactions)
        .sum()
}

/// Under which rule the scripts of a seed leave roots out.
pub const fn rule(seed: u64) -> RootsRule {
    match seed % 3 {
        0 => RootsRule::Every,
        1 => RootsRule::Last,
        _ => RootsRule::None,
    }
}
