//! What each flashblock may take of the block.

use blockwright_types::{Budget, DaBytes, Gas, Usage};

use crate::ShareRule;

/// Hands out a block's capacity over its flashblocks.
///
/// Sequencer transactions are exempt from the shares and counted for the block: the shares are of
/// what they leave. Where they alone exceed a limit, nothing that adds to that dimension follows.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    rule: ShareRule,
    block: Budget,
    sequencer: Usage,
    reserve: Usage,
}

impl Shares {
    /// Shares of `block`, which opened with `sequencer`.
    pub fn new(rule: ShareRule, block: Budget, sequencer: Usage) -> Self {
        Self {
            rule,
            block,
            sequencer,
            reserve: Usage::default(),
        }
    }

    /// The same with room kept free for what comes after all shares.
    #[must_use]
    pub const fn reserving(self, reserve: Usage) -> Self {
        Self { reserve, ..self }
    }

    /// Limits of the whole block, the reserve included.
    pub fn whole(&self) -> Budget {
        self.reserving(Usage::default()).block()
    }

    /// Limits of the whole block without the reserve: what the sequencer transactions exceed stays as they left it.
    pub fn block(&self) -> Budget {
        self.scaled(1, 1)
    }

    /// Cumulative limits at the cut of flashblock `index` (from 1) of `count`.
    pub fn slot(&self, index: u64, count: u64) -> Budget {
        let count = u128::from(count.max(1));
        let index = u128::from(index).min(count);
        match self.rule {
            ShareRule::Even => self.scaled(index, count),
            ShareRule::Linear => self.scaled((index * (index + 1)).min(2 * count), 2 * count),
        }
    }

    fn scaled(&self, numerator: u128, denominator: u128) -> Budget {
        let share = |limit: u64, used: u64, reserve: u64| -> u64 {
            if limit == u64::MAX {
                return u64::MAX;
            }
            let free = u128::from(limit.saturating_sub(used).saturating_sub(reserve));
            let part = free * numerator / denominator;
            used.saturating_add(u64::try_from(part).unwrap_or(u64::MAX))
        };
        Budget {
            gas: Gas(share(
                self.block.gas.0,
                self.sequencer.gas.0,
                self.reserve.gas.0,
            )),
            da: DaBytes(share(
                self.block.da.0,
                self.sequencer.da.0,
                self.reserve.da.0,
            )),
            da_footprint: Gas(share(
                self.block.da_footprint.0,
                self.sequencer.da_footprint.0,
                self.reserve.da_footprint.0,
            )),
            size_bytes: share(
                self.block.size_bytes,
                self.sequencer.size_bytes,
                self.reserve.size_bytes,
            ),
            da_tx: self.block.da_tx,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Budget = Budget {
        gas: Gas(30_000_000),
        da: DaBytes(120_000),
        da_footprint: Gas(30_000_000),
        size_bytes: 1_000_000,
        da_tx: DaBytes(5_000),
    };

    #[test]
    fn even_shares_are_cumulative_and_reach_the_limit() {
        let shares = Shares::new(ShareRule::Even, BLOCK, Usage::default());
        assert_eq!(shares.slot(1, 10).gas, Gas(3_000_000));
        assert_eq!(shares.slot(7, 10).da, DaBytes(84_000));
        assert_eq!(shares.slot(10, 10), BLOCK);
        assert_eq!(shares.slot(99, 10), BLOCK);
    }

    #[test]
    fn linear_shares_of_ten_end_at_four_with_forty_percent() {
        let shares = Shares::new(ShareRule::Linear, BLOCK, Usage::default());
        let cumulative: Vec<u64> = (1..=10).map(|i| shares.slot(i, 10).gas.0).collect();
        let percent: Vec<u64> = cumulative.iter().map(|gas| gas / 300_000).collect();
        assert_eq!(percent, [10, 30, 60, 100, 100, 100, 100, 100, 100, 100]);
        let largest = percent
            .iter()
            .scan(0, |before, now| {
                let own = now - *before;
                *before = *now;
                Some(own)
            })
            .max();
        assert_eq!(largest, Some(40));
    }

    #[test]
    fn sequencer_usage_is_exempt_from_shares_and_counts_for_the_block() {
        let sequencer = Usage {
            gas: Gas(10_000_000),
            da: DaBytes(200_000),
            ..Usage::default()
        };
        let shares = Shares::new(ShareRule::Even, BLOCK, sequencer);
        assert_eq!(shares.slot(1, 10).gas, Gas(12_000_000));
        assert_eq!(shares.block().gas, Gas(30_000_000));
        assert_eq!(shares.slot(1, 10).da, DaBytes(200_000));
        assert_eq!(shares.block().da, DaBytes(200_000));
    }

    #[test]
    fn a_reserve_is_left_free_by_every_share() {
        let reserve = Usage {
            gas: Gas(100_000),
            da: DaBytes(20_000),
            ..Usage::default()
        };
        let shares = Shares::new(ShareRule::Even, BLOCK, Usage::default()).reserving(reserve);
        assert_eq!(shares.slot(5, 10).gas, Gas(14_950_000));
        assert_eq!(shares.block().gas, Gas(29_900_000));
        assert_eq!(shares.block().da, DaBytes(100_000));
        assert_eq!(shares.block().size_bytes, 1_000_000);
        assert_eq!(shares.whole(), BLOCK);
    }

    #[test]
    fn unlimited_stays_unlimited() {
        let shares = Shares::new(ShareRule::Even, Budget::UNLIMITED, Usage::default());
        assert_eq!(shares.slot(1, 7), Budget::UNLIMITED);
    }
}
