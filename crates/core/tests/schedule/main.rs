//! When flashblocks come and what they may hold: late transactions, late fork choices, shares, roots.

#![allow(clippy::unwrap_used, clippy::panic)]

mod closing;
mod deadlines;
mod fork_choices;
mod roots;
mod shares;

use std::sync::Arc;

use blockwright_core::PriorityOrder;
use blockwright_testkit::{
    FakeArtifact, FakeHost, ManualClock, Program, RootsScript, Scenario, ScriptHost, Transcript,
    TxSpec, check_block, check_budget, check_order, check_schedule, simulate,
};
use blockwright_types::UnixUs;

/// What came out of a scenario, with all invariants checked.
struct Outcome(Transcript<FakeArtifact>);

fn run(scenario: &Scenario) -> Outcome {
    let clock = Arc::new(ManualClock::at(UnixUs(0)));
    let mut inner = FakeHost::funded(600);
    inner.clock = Some(Arc::clone(&clock));
    let pool = inner.pool.clone();
    let host = ScriptHost::new(inner, pool, RootsScript::Honest);
    let transcript = simulate(&host, &clock, Box::new(PriorityOrder), scenario).unwrap();
    check_block(scenario, &transcript).unwrap();
    check_schedule(scenario, &transcript).unwrap();
    check_budget(scenario, &transcript, 0).unwrap();
    check_order(scenario, &transcript).unwrap();
    Outcome(transcript)
}

impl Outcome {
    /// Index of the flashblock that holds `spec`.
    fn index_of(&self, spec: TxSpec) -> Option<u64> {
        let hash = spec.build().hash;
        let mut published = self.0.published.iter();
        let found = published.find(|published| {
            let part = &published.publication.flashblock.part;
            part.transactions.iter().any(|tx| tx.hash == hash)
        })?;
        Some(found.publication.flashblock.index)
    }

    /// Microseconds after its due time of each flashblock from index 1 on.
    fn late_us(&self) -> Vec<u64> {
        let published = self.0.published.iter().skip(1);
        published
            .map(|published| published.at.since_us(published.publication.report.due))
            .collect()
    }

    /// Cumulative gas of each flashblock, index 0 included.
    fn gas(&self) -> Vec<u64> {
        let published = self.0.published.iter();
        published
            .map(|published| published.publication.flashblock.gas_used)
            .collect()
    }
}

/// A transaction that uses `gas` and takes `us` longer than that much gas should.
fn slow(sender: u64, gas: u64, us: u64) -> TxSpec {
    TxSpec {
        gas_limit: gas + 60_000,
        program: Program::Slow { gas, us },
        ..TxSpec::transfer(sender, 0, 9)
    }
}
