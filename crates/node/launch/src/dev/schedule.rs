//! When the development chain's next block is due. Pure.

use std::time::Duration;

/// The timing of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockSlot {
    /// Timestamp of the block, seconds since the epoch.
    pub(crate) timestamp_s: u64,
    /// When to start building, since the epoch.
    pub(crate) start: Duration,
    /// When to ask for the payload, since the epoch.
    pub(crate) resolve: Duration,
}

/// How long before the block's timestamp the payload is asked for; what op-node does.
const SEALING: Duration = Duration::from_millis(50);

/// The slot after a parent with `parent_timestamp_s`. A chain that slept continues now: it does not
/// rush through the blocks it missed.
pub(crate) fn next_slot(parent_timestamp_s: u64, block_time_s: u64, now: Duration) -> BlockSlot {
    let regular = parent_timestamp_s + block_time_s;
    let timestamp_s = if now.as_secs() >= regular {
        now.as_secs() + block_time_s
    } else {
        regular
    };
    let at = Duration::from_secs(timestamp_s);
    BlockSlot {
        timestamp_s,
        start: at.saturating_sub(Duration::from_secs(block_time_s)),
        resolve: at.saturating_sub(SEALING),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_parent_by_one_block_time() {
        let slot = next_slot(100, 2, Duration::from_millis(100_020));
        assert_eq!(slot.timestamp_s, 102);
        assert_eq!(slot.start, Duration::from_secs(100));
        assert_eq!(slot.resolve, Duration::from_millis(101_950));
    }

    #[test]
    fn a_chain_that_slept_continues_now() {
        let slot = next_slot(100, 2, Duration::from_millis(500_900));
        assert_eq!(slot.timestamp_s, 502);
        assert_eq!(slot.start, Duration::from_secs(500));
    }

    #[test]
    fn a_late_resolve_does_not_skip_the_slot() {
        let slot = next_slot(100, 2, Duration::from_millis(101_999));
        assert_eq!(slot.timestamp_s, 102);
    }

    #[test]
    fn a_future_parent_is_waited_for() {
        let slot = next_slot(200, 1, Duration::from_secs(100));
        assert_eq!(slot.timestamp_s, 201);
        assert_eq!(slot.start, Duration::from_secs(200));
    }
}
