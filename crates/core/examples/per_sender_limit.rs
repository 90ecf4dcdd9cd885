//! A policy with state: priority order in which no sender takes more than a few transactions of a
//! flashblock. Whoever has used up its share waits for the next one.
//!
//! Run with `cargo run -p blockwright-core --example per_sender_limit`.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::Address;
use blockwright_core::PriorityOrder;
use blockwright_seams::{Admission, Candidate, Policy, Rank, SlotView};
use blockwright_testkit::{
    FakeHost, ManualClock, RootsScript, Scenario, ScriptHost, TxSpec, simulate,
};
use blockwright_types::{SkipReason, UnixUs, Usage};

/// Priority order with at most `per_flashblock` transactions of one sender in a flashblock.
struct PerSenderLimit {
    per_flashblock: u32,
    admitted: BTreeMap<Address, u32>,
}

impl Policy for PerSenderLimit {
    fn name(&self) -> &'static str {
        "per-sender-limit"
    }

    fn order(&self, candidate: &Candidate, base_fee: u64) -> Option<Rank> {
        PriorityOrder.order(candidate, base_fee)
    }

    fn admit(&mut self, candidate: &Candidate, _slot: &SlotView) -> Admission {
        let admitted = self.admitted.entry(candidate.tx.sender).or_default();
        if *admitted >= self.per_flashblock {
            return Admission::Defer(SkipReason::Policy(
                "sender has its share of this flashblock",
            ));
        }
        *admitted += 1;
        Admission::Admit
    }

    fn finish(&mut self, _index: u64, _usage: &Usage) {
        self.admitted.clear();
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut scenario = Scenario::quiet(1);
    for nonce in 0..9 {
        scenario = scenario.pooled(TxSpec::transfer(7, nonce, 100));
    }
    scenario = scenario.pooled(TxSpec::transfer(8, 0, 1));
    let clock = Arc::new(ManualClock::at(UnixUs(0)));
    let inner = FakeHost::funded(10);
    let pool = inner.pool.clone();
    let host = ScriptHost::new(inner, pool, RootsScript::Honest);
    let policy = PerSenderLimit {
        per_flashblock: 3,
        admitted: BTreeMap::new(),
    };
    let transcript = simulate(&host, &clock, Box::new(policy), &scenario)?;
    for published in transcript.published.iter().skip(1) {
        let flashblock = &published.publication.flashblock;
        let count = flashblock.part.transactions.len();
        println!("flashblock {}: {count} transactions", flashblock.index);
    }
    let counts = transcript.published.iter().skip(1);
    let counts: Vec<_> = counts
        .map(|published| published.publication.report.transactions)
        .collect();
    assert_eq!(counts[..4], [4, 3, 3, 0]);
    Ok(())
}
