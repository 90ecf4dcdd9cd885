//! When the groups of an open loop are due.

use std::time::Duration;

use crate::workload::draw::SplitMix;

/// One group in each period, at a random point of it: sends keep no phase with the builder's
/// flashblocks, and the rate is exact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    seed: u64,
    period_s: f64,
}

impl Schedule {
    /// Groups of `group` transactions at `tx_per_s` in all.
    pub(super) fn new(seed: u64, group: u64, tx_per_s: f64) -> Self {
        Self {
            seed,
            period_s: group as f64 / tx_per_s,
        }
    }

    /// When group number `group` is due, counted from the start.
    pub(super) fn due(&self, group: u64) -> Duration {
        let at = SplitMix::new(self.seed, group).unit();
        Duration::try_from_secs_f64((group as f64 + at) * self.period_s).unwrap_or(Duration::MAX)
    }
}
