//! What an operator may set about building.

use blockwright_types::DaBytes;

/// Smallest flashblock interval, in microseconds.
const INTERVAL_MIN_US: u64 = 50_000;

/// How a block's capacity is handed out over its flashblocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShareRule {
    /// Cumulatively i/F of the limit: every flashblock gets the same, unused capacity carries over.
    #[default]
    Even,
    /// The founding specification's rule: flashblock i gets i/F of the limit, cumulatively
    /// limit · i(i+1)/2F, capped at the limit.
    Linear,
}

/// Which flashblocks carry the state root, and with it the block's hash.
///
/// Index 0 does under every rule: a payload can be handed out from the moment it is started, so its
/// first block is complete. What is published without roots can be completed at any time by anyone
/// who has the parent's state and the changes; receipts root, bloom and gas are real in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RootsRule {
    /// Every one: each prefix is a complete block, and the payload is ready at any time.
    #[default]
    Every,
    /// Index 0 and the last one planned.
    Last,
    /// Index 0 alone.
    None,
}

impl RootsRule {
    /// Whether flashblock `index` of a plan that ends with `last_index` carries roots.
    pub const fn covers(self, index: u64, last_index: u64) -> bool {
        match self {
            Self::Every => true,
            Self::Last => index == 0 || index == last_index,
            Self::None => index == 0,
        }
    }
}

/// Limits on estimated DA bytes, settable at run time (`miner_setMaxDASize`).
/// [`DaBytes::MAX`] means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaLimits {
    /// Of one pool transaction.
    pub tx: DaBytes,
    /// Of the whole block.
    pub block: DaBytes,
}

impl Default for DaLimits {
    fn default() -> Self {
        Self {
            tx: DaBytes::MAX,
            block: DaBytes::MAX,
        }
    }
}

impl DaLimits {
    /// From the RPC's convention, in which zero means "no limit".
    pub const fn from_rpc(tx_bytes: u64, block_bytes: u64) -> Self {
        const fn or_max(bytes: u64) -> DaBytes {
            if bytes == 0 {
                DaBytes::MAX
            } else {
                DaBytes(bytes)
            }
        }
        Self {
            tx: or_max(tx_bytes),
            block: or_max(block_bytes),
        }
    }
}

/// Settings of a [`Job`](crate::Job).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobConfig {
    /// Time between flashblocks in microseconds; at least 50,000. Default 200,000.
    pub interval_us: u64,
    /// How long before the block's timestamp the last flashblock is due, in microseconds. A
    /// consensus client asks for the payload 50 ms before the timestamp; the default of 75,000
    /// leaves 25 ms for a late root or a late timer.
    pub end_margin_us: u64,
    /// How capacity is handed out.
    pub share: ShareRule,
    /// Which flashblocks carry roots. Default [`RootsRule::Every`].
    pub roots: RootsRule,
    /// Limit of the block's encoded transactions in bytes. Default 9 MiB: consensus clients gossip
    /// blocks up to 10 MiB.
    pub size_max_bytes: u64,
    /// Changes go to the root session after this many commits; at least 1. Default 64.
    pub push_every: u32,
}

impl Default for JobConfig {
    fn default() -> Self {
        Self {
            interval_us: 200_000,
            end_margin_us: 75_000,
            share: ShareRule::Even,
            roots: RootsRule::Every,
            size_max_bytes: 9 << 20,
            push_every: 64,
        }
    }
}

impl JobConfig {
    /// Checks what can be checked without knowing the chain.
    pub const fn validate(&self) -> Result<(), ConfigError> {
        if self.interval_us < INTERVAL_MIN_US {
            return Err(ConfigError::IntervalTooShort {
                interval_us: self.interval_us,
            });
        }
        if self.push_every == 0 {
            return Err(ConfigError::PushEveryZero);
        }
        if self.size_max_bytes == 0 {
            return Err(ConfigError::SizeZero);
        }
        Ok(())
    }

    /// Checks that at least one flashblock with pool transactions fits a block of `block_time_us`.
    pub const fn validate_for(&self, block_time_us: u64) -> Result<(), ConfigError> {
        if let Err(error) = self.validate() {
            return Err(error);
        }
        if self.interval_us.saturating_add(self.end_margin_us) > block_time_us {
            return Err(ConfigError::IntervalTooLong {
                interval_us: self.interval_us,
                end_margin_us: self.end_margin_us,
                block_time_us,
            });
        }
        Ok(())
    }
}

/// A setting that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Zero, or below what a slot needs for its roots.
    #[error("flashblock interval of {interval_us} us is below the minimum of {INTERVAL_MIN_US} us")]
    IntervalTooShort {
        /// The configured interval.
        interval_us: u64,
    },
    /// Not even one interval fits into a block.
    #[error(
        "flashblock interval of {interval_us} us and end margin of {end_margin_us} us do not fit the block time of {block_time_us} us"
    )]
    IntervalTooLong {
        /// The configured interval.
        interval_us: u64,
        /// The configured margin.
        end_margin_us: u64,
        /// The chain's block time.
        block_time_us: u64,
    },
    /// `push_every` is zero.
    #[error("push_every must be at least 1")]
    PushEveryZero,
    /// `size_max_bytes` is zero.
    #[error("size_max_bytes must be at least 1")]
    SizeZero,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_zero_is_a_typed_error() {
        let config = JobConfig {
            interval_us: 0,
            ..JobConfig::default()
        };
        assert_eq!(
            config.validate(),
            Err(ConfigError::IntervalTooShort { interval_us: 0 })
        );
    }

    #[test]
    fn interval_longer_than_the_block_time_is_a_typed_error() {
        let config = JobConfig {
            interval_us: 3_000_000,
            ..JobConfig::default()
        };
        assert!(matches!(
            config.validate_for(2_000_000),
            Err(ConfigError::IntervalTooLong { .. })
        ));
        assert_eq!(JobConfig::default().validate_for(1_000_000), Ok(()));
    }

    #[test]
    fn index_zero_has_roots_under_every_rule() {
        let covered = |rule: RootsRule| -> Vec<u64> {
            (0..=4).filter(|index| rule.covers(*index, 4)).collect()
        };
        assert_eq!(covered(RootsRule::Every), [0, 1, 2, 3, 4]);
        assert_eq!(covered(RootsRule::Last), [0, 4]);
        assert_eq!(covered(RootsRule::None), [0]);
        assert!(RootsRule::None.covers(0, 0), "a block without a pool");
    }

    #[test]
    fn zero_means_no_limit_in_the_rpc() {
        assert_eq!(DaLimits::from_rpc(0, 0), DaLimits::default());
        assert_eq!(DaLimits::from_rpc(0, 7).block, DaBytes(7));
    }
}
