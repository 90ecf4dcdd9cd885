//! When the next block is due. Pure.

use std::time::Duration;

use crate::Timing;

/// The times of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Timestamp of the block, in seconds since the epoch.
    pub(crate) timestamp_s: u64,
    /// When its fork choice is due, since the epoch.
    pub(crate) start: Duration,
    /// When its payload is asked for, since the epoch.
    pub(crate) seal: Duration,
    /// Slots between the parent's and this one that are over already.
    pub(crate) missed: u64,
}

/// The slot after a parent with `parent_s`: the parent's own time plus the block time, unless that
/// slot is over, in which case it is the one that runs now.
pub(crate) fn next_slot(parent_s: u64, timing: &Timing, now: Duration) -> Slot {
    let late = now.saturating_sub(Duration::from_secs(parent_s));
    let missed = late.as_secs() / timing.block_time_s.max(1);
    slot(parent_s, timing, missed)
}

/// The first slot after a parent with `parent_s` that has not begun; none counts as missed.
pub(crate) fn fresh_slot(parent_s: u64, timing: &Timing, now: Duration) -> Slot {
    let late = now.saturating_sub(Duration::from_secs(parent_s));
    let whole = late.as_secs() + u64::from(late.subsec_nanos() > 0);
    let passed = whole.div_ceil(timing.block_time_s.max(1));
    Slot {
        missed: 0,
        ..slot(parent_s, timing, passed)
    }
}

fn slot(parent_s: u64, timing: &Timing, missed: u64) -> Slot {
    let start_s = parent_s + missed * timing.block_time_s;
    let timestamp_s = start_s + timing.block_time_s;
    Slot {
        timestamp_s,
        start: Duration::from_secs(start_s),
        seal: Duration::from_secs(timestamp_s)
            .saturating_sub(Duration::from_millis(timing.seal_margin_ms)),
        missed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing = Timing {
        block_time_s: 2,
        interval_ms: 200,
        seal_margin_ms: 50,
    };

    #[test]
    fn a_block_follows_its_parent_by_a_block_time() {
        let slot = next_slot(100, &TIMING, Duration::from_millis(99_970));
        assert_eq!(slot.timestamp_s, 102);
        assert_eq!(slot.start, Duration::from_secs(100));
        assert_eq!(slot.seal, Duration::from_millis(101_950));
        assert_eq!(slot.missed, 0);
    }

    #[test]
    fn a_late_block_keeps_its_slot_while_it_lasts() {
        let slot = next_slot(100, &TIMING, Duration::from_millis(101_999));
        assert_eq!((slot.timestamp_s, slot.missed), (102, 0));
    }

    #[test]
    fn slots_that_are_over_are_missed() {
        let slot = next_slot(100, &TIMING, Duration::from_millis(102_000));
        assert_eq!((slot.timestamp_s, slot.missed), (104, 1));
        assert_eq!(slot.start, Duration::from_secs(102));
        let slot = next_slot(100, &TIMING, Duration::from_millis(107_500));
        assert_eq!((slot.timestamp_s, slot.missed), (108, 3));
    }

    #[test]
    fn a_fresh_slot_begins_in_the_future_and_misses_nothing() {
        let slot = fresh_slot(100, &TIMING, Duration::from_millis(107_500));
        assert_eq!((slot.timestamp_s, slot.missed), (110, 0));
        assert_eq!(slot.start, Duration::from_secs(108));
        let slot = fresh_slot(100, &TIMING, Duration::from_secs(108));
        assert_eq!(slot.start, Duration::from_secs(108));
        let slot = fresh_slot(200, &TIMING, Duration::from_secs(108));
        assert_eq!(slot.start, Duration::from_secs(200));
    }
}
