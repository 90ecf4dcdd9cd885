//! When each flashblock is due.

use blockwright_types::{Budget, UnixUs, Usage};

use crate::{JobConfig, Shares};

/// The shortest slot worth having, in microseconds, where not even one whole interval is left.
const LAST_CHANCE_MIN_US: u64 = 20_000;

/// The first flashblock is planned where at least 1/4 of an interval is left to fill it.
const FIRST_PART: u64 = 4;

/// More flashblocks than this are never planned, whatever the timestamps say.
const SLOTS_MAX: u64 = 4_096;

/// What a plan is made of.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput {
    /// Timestamp of the block in seconds.
    pub timestamp: u64,
    /// Timestamp of its parent in seconds.
    pub parent_timestamp: u64,
    /// Nothing but sequencer transactions may enter.
    pub no_tx_pool: bool,
    /// When the fork choice arrived.
    pub now: UnixUs,
}

/// A flashblock to be filled from the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its index, from 1 (index 0 holds the sequencer transactions and is due at once).
    pub index: u64,
    /// When it is to be published.
    pub due: UnixUs,
    /// Cumulative limit of the block when it is cut.
    pub budget: Budget,
}

/// The due times of a block's flashblocks, counted back from its end.
///
/// The rhythm runs across blocks: the first flashblock is due an interval after the last one of the
/// block before, which is sooner than an interval after the fork choice by as much as blocks end
/// before their timestamp. A late fork choice gives fewer flashblocks, never a faster rhythm: those
/// are left out that would have less than a quarter of an interval to be filled. Two exceptions keep
/// blocks from being empty: where less than that (but at least 20 ms) is left, one flashblock is due
/// at the end; where the end has passed (catching up), one is due an interval from now, for callers
/// that take their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    dues: Vec<UnixUs>,
}

impl Plan {
    /// Plans a block.
    pub fn new(config: &JobConfig, input: &PlanInput) -> Self {
        if input.no_tx_pool {
            return Self { dues: Vec::new() };
        }
        let interval_us = config.interval_us.max(1);
        let end = UnixUs::from_secs(input.timestamp).minus_us(config.end_margin_us);
        let window_us = end.since_us(input.now);
        let block_time_us = input
            .timestamp
            .saturating_sub(input.parent_timestamp)
            .saturating_mul(1_000_000);
        let count_max = (block_time_us / interval_us).clamp(1, SLOTS_MAX);
        let count = window_us
            .checked_sub(interval_us / FIRST_PART)
            .map_or(0, |room_us| room_us / interval_us + 1)
            .min(count_max);
        let dues = if count > 0 {
            (0..count)
                .rev()
                .map(|before_end| end.minus_us(before_end.saturating_mul(interval_us)))
                .collect()
        } else if window_us >= LAST_CHANCE_MIN_US {
            vec![end]
        } else {
            vec![input.now.plus_us(interval_us)]
        };
        Self { dues }
    }

    /// Number of flashblocks with pool transactions (F of the specification).
    pub fn len(&self) -> u64 {
        self.dues.len() as u64
    }

    /// Whether only index 0 is built.
    pub fn is_empty(&self) -> bool {
        self.dues.is_empty()
    }

    /// When flashblock `index` is due; `None` for index 0 and beyond the last one.
    pub fn due(&self, index: u64) -> Option<UnixUs> {
        let position = usize::try_from(index.checked_sub(1)?).ok()?;
        self.dues.get(position).copied()
    }

    /// The slot of flashblock `index` in a block limited by `block` that opened with `sequencer`.
    pub fn slot(&self, index: u64, shares: &Shares) -> Option<Slot> {
        Some(Slot {
            index,
            due: self.due(index)?,
            budget: shares.slot(index, self.len()),
        })
    }

    /// All slots of a block limited by `block` that opened with `sequencer`.
    pub fn slots(&self, config: &JobConfig, block: Budget, sequencer: Usage) -> Vec<Slot> {
        let shares = Shares::new(config.share, block, sequencer);
        (1..=self.len())
            .filter_map(|index| self.slot(index, &shares))
            .collect()
    }
}

#[cfg(test)]
mod tests;
