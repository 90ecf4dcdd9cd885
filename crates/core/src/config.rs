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
    fn zero_means_no_limit_in_the_rpc() {
        assert_eq!(DaLimits::from_rpc(0, 0), DaLimits::default());
        assert_eq!(DaLimits::from_rpc(0, 7).block, DaBytes(7));
    }
}
