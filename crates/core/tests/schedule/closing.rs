//! The transaction that a block ends with.

use std::sync::{Arc, Mutex};

use alloy_primitives::{Address, U256};
use blockwright_core::PriorityOrder;
use blockwright_seams::{Closing, ClosingView};
use blockwright_testkit::{
    Accounts, FakeArtifact, FakeHost, Happening, ManualClock, RootsScript, Scenario, ScriptHost,
    Transcript, TxSpec, address, check_block, check_budget, check_order, check_schedule,
    random_scenario, simulate,
};
use blockwright_types::{Gas, SharedTx, SkipReason, UnixUs, Usage};

/// The account that pays; scripts have no other use for it.
const PAYER: u64 = 590;
const GAS_LIMIT: u64 = 60_000;

/// What became of each closing: the fees it saw, and why it is not in the block.
type Outcomes = Arc<Mutex<Vec<(U256, Option<SkipReason>)>>>;

/// Pays with a transfer without a tip.
struct Payment {
    outcomes: Outcomes,
}

impl Closing for Payment {
    fn sender(&self) -> Address {
        address(PAYER)
    }

    fn reserve(&self, scalar: u64) -> Usage {
        let tx = TxSpec::transfer(PAYER, 0, 0).build();
        Usage {
            gas: Gas(GAS_LIMIT),
            da: tx.da,
            da_footprint: Gas(tx.da.0 * scalar),
            size_bytes: tx.size_bytes(),
        }
    }

    fn transaction(&mut self, view: &ClosingView) -> Option<SharedTx> {
        self.outcomes.lock().unwrap().push((view.value, None));
        Some(TxSpec::transfer(PAYER, view.sender.nonce, 0).build())
    }

    fn done(&mut self, outcome: Result<(), &SkipReason>) {
        if let Some(last) = self.outcomes.lock().unwrap().last_mut() {
            last.1 = outcome.err().cloned();
        }
    }
}

fn run_on(mut inner: FakeHost, scenario: &Scenario) -> (Transcript<FakeArtifact>, Outcomes) {
    let clock = Arc::new(ManualClock::at(UnixUs(0)));
    inner.clock = Some(Arc::clone(&clock));
    let pool = inner.pool.clone();
    let outcomes = Outcomes::default();
    let told = Arc::clone(&outcomes);
    let host = ScriptHost::new(inner, pool, RootsScript::Honest).closed_by(move |_| {
        Some(Box::new(Payment {
            outcomes: Arc::clone(&told),
        }))
    });
    let transcript = simulate(&host, &clock, Box::new(PriorityOrder), scenario).unwrap();
    check_block(scenario, &transcript).unwrap();
    check_schedule(scenario, &transcript).unwrap();
    check_budget(scenario, &transcript, 0).unwrap();
    check_order(scenario, &transcript).unwrap();
    (transcript, outcomes)
}

fn run(scenario: &Scenario) -> (Transcript<FakeArtifact>, Outcomes) {
    run_on(FakeHost::funded(600), scenario)
}

/// Places of the payer's transactions in the newest published block, and the number of all.
fn payments(transcript: &Transcript<FakeArtifact>) -> (Vec<usize>, usize) {
    let newest = transcript.published.last();
    let senders: Vec<Address> = newest.map_or_else(Vec::new, |newest| {
        let transactions = newest.best.block.transactions();
        transactions.map(|tx| tx.sender).collect()
    });
    let places = (0..senders.len()).filter(|at| senders[*at] == address(PAYER));
    (places.collect(), senders.len())
}

/// More transfers than a block of a million gas holds.
fn crowded() -> Scenario {
    let mut scenario = Scenario::quiet(7);
    scenario.request.context.gas_limit = 1_000_000;
    (0..100).fold(scenario, |scenario, n| {
        scenario.pooled(TxSpec::transfer(n, 0, 1 + u128::from(n)))
    })
}

#[test]
fn a_full_block_has_room_for_its_last_transaction() {
    let (transcript, outcomes) = run(&crowded());
    assert!(transcript.complete);
    let (places, count) = payments(&transcript);
    assert_eq!(places, [count - 1]);
    let block = &transcript.published.last().unwrap().best.block;
    assert_eq!(*outcomes.lock().unwrap(), [(block.value, None)]);
    assert!(block.value > U256::ZERO);
    // It was full indeed: neither one more transfer nor another payment would have fitted.
    assert!(block.header.gas_used + 2 * GAS_LIMIT > 1_000_000);
}

#[test]
fn a_block_that_is_taken_early_has_none() {
    let scenario = crowded().happening(900_000, Happening::Resolve);
    let (transcript, outcomes) = run(&scenario);
    assert!(!transcript.complete);
    assert!(payments(&transcript).0.is_empty());
    assert!(outcomes.lock().unwrap().is_empty());
}

#[test]
fn a_block_for_the_sequencer_alone_has_none() {
    let mut scenario = crowded();
    scenario.request.no_tx_pool = true;
    let (transcript, outcomes) = run(&scenario);
    assert!(payments(&transcript).0.is_empty());
    assert!(outcomes.lock().unwrap().is_empty());
}

#[test]
fn a_payer_without_funds_costs_the_payment_alone() {
    let mut host = FakeHost::funded(600);
    let mut accounts = Accounts::funded(600);
    accounts.set(address(PAYER), U256::from(1), 3);
    host.accounts = accounts;
    let (transcript, outcomes) = run_on(host, &crowded());
    assert!(transcript.complete);
    let (places, count) = payments(&transcript);
    assert!(places.is_empty());
    assert!(count > 10);
    assert_eq!(
        outcomes.lock().unwrap()[0].1,
        Some(SkipReason::InsufficientFunds),
        "whoever made it is told why it is missing"
    );
}

/// Under any script: at most one, at the end, and there whenever the plan was carried out.
#[test]
fn random_scripts_end_with_it_exactly_where_the_plan_was_done() {
    let (mut paid, mut unpaid) = (0, 0);
    for seed in 0..400 {
        let scenario = random_scenario(seed);
        let (transcript, outcomes) = run(&scenario);
        let (places, count) = payments(&transcript);
        let ended = transcript
            .published
            .last()
            .is_some_and(|last| last.publication.report.last);
        let refused = outcomes
            .lock()
            .unwrap()
            .iter()
            .any(|(_, reason)| reason.is_some());
        if ended && !scenario.request.no_tx_pool && !transcript.plan.is_empty() && !refused {
            assert_eq!(places, [count - 1], "seed {seed}");
            paid += 1;
        } else {
            assert!(places.is_empty(), "seed {seed}");
            unpaid += 1;
        }
    }
    assert!(paid > 50 && unpaid > 20, "{paid} paid, {unpaid} unpaid");
}
