//! How fast this machine is, measured from the `now` arguments of successive steps.

/// What a gas is taken to cost before anything was measured, in picoseconds: 1 Ggas/s.
const START_PS_PER_GAS: u64 = 1_000;
/// What a gas may cost at worst, in picoseconds: 200 Mgas/s (a loop of KECCAK256 runs at 257).
const WORST_PS_PER_GAS: u64 = 5_000;
/// Below this gas a sample says more about the machine's scheduler than about the EVM.
const WORST_SAMPLE_GAS: u64 = 1_000_000;
/// Gas of a transaction before anything was measured.
const START_GAS_PER_TX: u64 = 100_000;
/// Never cut later than this before the due time, in microseconds: a thread has to wake up, too.
const LEAD_FLOOR_US: u64 = 500;

/// A smoothed mean with its mean deviation, as in TCP's retransmission timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spread {
    mean_us: u64,
    deviation_us: u64,
}

impl Spread {
    fn add(&mut self, sample_us: u64) {
        let distance_us = self.mean_us.abs_diff(sample_us);
        self.deviation_us = smooth(self.deviation_us, distance_us, 4);
        self.mean_us = smooth(self.mean_us, sample_us, 8);
    }

    const fn upper_us(&self) -> u64 {
        self.mean_us
            .saturating_add(self.deviation_us.saturating_mul(4))
    }
}

/// Moves `old` by 1/`weight` of the way to `sample`, by at least one so that it arrives.
const fn smooth(old: u64, sample: u64, weight: u64) -> u64 {
    if sample >= old {
        old + (sample - old).div_ceil(weight)
    } else {
        old - (old - sample).div_ceil(weight)
    }
}

/// Measured execution, root and seal times. A host carries it from one job to the next, so that a
/// block does not start with guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    ps_per_gas: u64,
    worst_ps_per_gas: u64,
    gas_per_tx: u64,
    roots: Spread,
    seal: Spread,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            ps_per_gas: START_PS_PER_GAS,
            worst_ps_per_gas: WORST_PS_PER_GAS,
            gas_per_tx: START_GAS_PER_TX,
            roots: Spread {
                mean_us: 3_000,
                deviation_us: 500,
            },
            seal: Spread {
                mean_us: 500,
                deviation_us: 100,
            },
        }
    }
}

impl Pace {
    /// A transaction of `gas` took `elapsed_us`.
    pub(crate) fn executed(&mut self, gas: u64, elapsed_us: u64) {
        if gas == 0 {
            return;
        }
        let sample = elapsed_us.saturating_mul(1_000_000) / gas;
        self.ps_per_gas = smooth(self.ps_per_gas, sample, 16).max(1);
        self.gas_per_tx = smooth(self.gas_per_tx, gas, 16);
        if gas >= WORST_SAMPLE_GAS && sample > self.worst_ps_per_gas {
            self.worst_ps_per_gas = sample;
        } else {
            self.worst_ps_per_gas = smooth(self.worst_ps_per_gas, WORST_PS_PER_GAS, 64);
        }
    }

    /// Roots took `elapsed_us` from close to answer.
    pub(crate) fn rooted(&mut self, elapsed_us: u64) {
        self.roots.add(elapsed_us);
    }

    /// A seal took `elapsed_us`.
    pub(crate) fn sealed(&mut self, elapsed_us: u64) {
        self.seal.add(elapsed_us);
    }

    /// Microseconds that executing `gas` is expected to take.
    pub(crate) const fn expected_us(&self, gas: u64) -> u64 {
        gas.saturating_mul(self.ps_per_gas) / 1_000_000
    }

    /// Microseconds that executing `gas` may take where nothing is known about it.
    pub(crate) const fn worst_us(&self, gas: u64) -> u64 {
        gas.saturating_mul(self.worst_ps_per_gas) / 1_000_000
    }

    /// Like [`Self::worst_us`], for a transaction that gets a slot's beginning to itself: twice
    /// the expectation.
    pub(crate) fn likely_us(&self, gas: u64) -> u64 {
        self.expected_us(gas)
            .saturating_mul(2)
            .min(self.worst_us(gas))
    }

    /// Microseconds to expect of `count` transactions that have not run yet and whose gas limits sum
    /// to `gas_limit`.
    pub(crate) fn unknown_us(&self, count: u64, gas_limit: u64) -> u64 {
        self.expected_us(self.gas_per_tx.saturating_mul(count).min(gas_limit))
    }

    /// Microseconds that a seal may take.
    pub(crate) const fn seal_us(&self) -> u64 {
        self.seal.upper_us()
    }

    /// How long before its due time a flashblock has to be cut, for its seal, and the roots if it
    /// carries any, to be in time. At most half the interval: a slower root makes flashblocks late
    /// rather than empty.
    pub(crate) fn lead_us(&self, interval_us: u64, has_roots: bool) -> u64 {
        let roots_us = if has_roots { self.roots.upper_us() } else { 0 };
        roots_us
            .saturating_add(self.seal.upper_us())
            .saturating_add(LEAD_FLOOR_US)
            .min(interval_us / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_what_is_measured() {
        let mut pace = Pace::default();
        for _ in 0..200 {
            pace.executed(21_000, 4);
        }
        assert!((150..=230).contains(&pace.ps_per_gas), "{pace:?}");
        assert_eq!(pace.gas_per_tx, 21_000);
        assert!(pace.unknown_us(10, 1_000_000) < pace.unknown_us(20, 1_000_000));
        assert_eq!(pace.unknown_us(10, 0), 0);
    }

    #[test]
    fn one_slow_monster_raises_the_worst_case_and_it_decays() {
        let mut pace = Pace::default();
        pace.executed(2_000_000, 40_000);
        assert_eq!(pace.worst_us(1_000_000), 20_000);
        for _ in 0..1_000 {
            pace.executed(21_000, 4);
        }
        assert_eq!(pace.worst_us(1_000_000), 5_000);
    }

    #[test]
    fn a_descheduled_small_transaction_does_not_poison_the_worst_case() {
        let mut pace = Pace::default();
        pace.executed(21_000, 100_000);
        assert_eq!(pace.worst_us(1_000_000), 5_000);
    }

    #[test]
    fn the_lead_covers_roots_and_seal_and_never_half_the_interval() {
        let mut pace = Pace::default();
        for _ in 0..100 {
            pace.rooted(30_000);
            pace.sealed(1_000);
        }
        let lead_us = pace.lead_us(200_000, true);
        assert!((31_000..40_000).contains(&lead_us), "{lead_us}");
        assert_eq!(pace.lead_us(50_000, true), 25_000);
        let lead_us = pace.lead_us(200_000, false);
        assert!((1_500..3_000).contains(&lead_us), "{lead_us}");
    }
}
