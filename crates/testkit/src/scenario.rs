//! What happens to a job, and when.

use blockwright_core::{DaLimits, JobConfig, ShareRule};
use blockwright_types::{BuildRequest, DaBytes, SharedTx, StopReason, UnixUs};

use crate::{Program, Rng, TxSpec, deposit, request};

/// Accounts that random scripts send from.
const SENDERS: u64 = 24;

/// A transaction that reaches the pool.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When.
    pub at: UnixUs,
    /// Which.
    pub tx: SharedTx,
}

/// Something else that happens to the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The consensus client asks for the payload.
    Resolve,
    /// The job is stopped.
    Stop(StopReason),
    /// The DA limits are set.
    Limits(DaLimits),
}

/// A script for one job.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Seeds delays and the order of simultaneous events.
    pub seed: u64,
    /// Settings of the job.
    pub config: JobConfig,
    /// DA limits at the start.
    pub limits: DaLimits,
    /// What is built.
    pub request: BuildRequest,
    /// When the job is opened.
    pub opened_at: UnixUs,
    /// The pool, in order of time.
    pub arrivals: Vec<Arrival>,
    /// Everything else, in order of time.
    pub happenings: Vec<(UnixUs, Happening)>,
    /// Roots take between these microseconds.
    pub roots_us: (u64, u64),
    /// Timers are late by up to these microseconds.
    pub timer_late_us_max: u64,
}

impl Scenario {
    /// A quiet two-second block with these sequencer transactions and no pool.
    pub fn quiet(seed: u64) -> Self {
        let request = request(seed, vec![deposit(1), deposit(2)]);
        Self {
            seed,
            config: JobConfig::default(),
            limits: DaLimits::default(),
            opened_at: request.received_at,
            request,
            arrivals: Vec::new(),
            happenings: Vec::new(),
            roots_us: (500, 2_000),
            timer_late_us_max: 100,
        }
    }

    /// Adds a transaction that is there from the beginning.
    #[must_use]
    pub fn pooled(self, tx: TxSpec) -> Self {
        self.arriving(0, tx)
    }

    /// Adds a transaction that arrives `after_us` microseconds after the opening.
    #[must_use]
    pub fn arriving(mut self, after_us: u64, tx: TxSpec) -> Self {
        let at = self.opened_at.plus_us(after_us);
        self.arrivals.push(Arrival { at, tx: tx.build() });
        self
    }

    /// Adds a happening `after_us` microseconds after the opening.
    #[must_use]
    pub fn happening(mut self, after_us: u64, what: Happening) -> Self {
        self.happenings
            .push((self.opened_at.plus_us(after_us), what));
        self
    }
}

/// A script drawn from `seed`: tips with many ties and zeros, nonce chains, gaps, replacements,
/// reverts, monsters, late and early fork choices, slow roots, resolves and stops at any time.
pub fn random_scenario(seed: u64) -> Scenario {
    let mut rng = Rng::new(seed);
    let mut scenario = Scenario::quiet(seed);
    scenario.config.interval_us = [50_000, 200_000, 250_000, 333_333][rng.below(4) as usize];
    scenario.config.push_every = 1 + rng.below(8) as u32;
    if rng.chance(30) {
        scenario.config.share = ShareRule::Linear;
    }
    if rng.chance(30) {
        scenario.config.size_max_bytes = 500 + rng.below(20_000);
    }
    if rng.chance(30) {
        scenario.limits = DaLimits {
            tx: DaBytes(150 + rng.below(1_000)),
            block: DaBytes(500 + rng.below(20_000)),
        };
    }
    scenario.request.context.gas_limit = 400_000 + rng.below(30_000_000);
    scenario.request.no_tx_pool = rng.chance(5);
    let lateness_us = match rng.below(4) {
        0 => rng.below(2_400_000),
        1 => rng.below(200_000),
        _ => rng.below(20_000),
    };
    scenario.opened_at = scenario.opened_at.plus_us(lateness_us);
    scenario.roots_us = [(100, 500), (1_000, 20_000), (50_000, 300_000)][rng.below(3) as usize];
    scenario.timer_late_us_max = [0, 200, 5_000][rng.below(3) as usize];
    add_arrivals(&mut scenario, &mut rng);
    add_happenings(&mut scenario, &mut rng);
    scenario
}

fn add_arrivals(scenario: &mut Scenario, rng: &mut Rng) {
    let mut nonces = [0_u64; SENDERS as usize];
    let mut specs = Vec::new();
    for _ in 0..rng.below(200) {
        let sender = rng.below(SENDERS);
        let nonce = &mut nonces[sender as usize];
        let at_us = match rng.below(3) {
            0 => 0,
            _ => rng.below(2_000_000),
        };
        let mut spec = TxSpec::transfer(sender, *nonce, random_tip(rng));
        match rng.below(20) {
            0 => spec.program = Program::Revert,
            1 => {
                spec.gas_limit = 200_000 + rng.below(16_000_000);
                spec.program = Program::Burn(rng.below(spec.gas_limit));
            }
            2 => spec.gas_limit = 40_000_000,
            3 => spec.padding_bytes = rng.below(2_000) as usize,
            4 => spec.nonce = nonce.saturating_sub(1),
            5 => spec.nonce += 2,
            _ => *nonce += 1,
        }
        spec.gas_limit += 20 * spec.padding_bytes as u64;
        specs.push((at_us, spec));
    }
    specs.sort_by_key(|(at_us, _)| *at_us);
    for (at_us, spec) in specs {
        let at = scenario.opened_at.plus_us(at_us);
        let tx = spec.build();
        scenario.arrivals.push(Arrival { at, tx });
    }
}

fn random_tip(rng: &mut Rng) -> u128 {
    match rng.below(4) {
        0 => 0,
        1 => 1_000,
        _ => u128::from(rng.below(50)),
    }
}

fn add_happenings(scenario: &mut Scenario, rng: &mut Rng) {
    let mut happenings = Vec::new();
    if rng.chance(20) {
        let limits = DaLimits {
            tx: DaBytes(100 + rng.below(500)),
            block: DaBytes(100 + rng.below(10_000)),
        };
        happenings.push((rng.below(2_000_000), Happening::Limits(limits)));
    }
    let end_us = match rng.below(4) {
        0 => rng.below(2_000_000),
        1 => rng.below(5_000),
        _ => 1_995_000,
    };
    let end = match rng.below(10) {
        0 => Happening::Stop(StopReason::Superseded),
        1 => Happening::Stop(StopReason::Expired),
        _ => Happening::Resolve,
    };
    happenings.push((end_us, end));
    happenings.sort_by_key(|(at_us, _)| *at_us);
    for (at_us, what) in happenings {
        scenario
            .happenings
            .push((scenario.opened_at.plus_us(at_us), what));
    }
}
