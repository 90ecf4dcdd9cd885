//! Whether a stream still lives. Pure: the time comes from outside.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Silence that is no alarm while the interval is not known.
const UNKNOWN_LIMIT: Duration = Duration::from_secs(5);
/// Frames closer together than this were not made in this rhythm: they were replayed or waited somewhere.
const BURST: Duration = Duration::from_millis(20);
/// Distances that are remembered, and those needed to know the interval.
const DISTANCES_MAX: usize = 31;
const DISTANCES_MIN: usize = 7;
/// Between these an interval is believed.
const INTERVAL_MIN: Duration = Duration::from_millis(50);
const INTERVAL_MAX: Duration = Duration::from_secs(10);
/// Intervals without a frame that are too many.
const INTERVALS_SILENT: u32 = 2;
/// Intervals without a frame after which a living connection is tried anew, and the least time.
const INTERVALS_STALLED: u32 = 20;
const STALLED_MIN: Duration = Duration::from_secs(5);
/// Longest time between pings while nothing else comes.
const PING_MAX: Duration = Duration::from_secs(1);

/// What the time says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// A ping should go out.
    Ping,
    /// No frame for two intervals; said once.
    Stalled { silent: Duration },
    /// Nothing at all for two intervals, not even a pong.
    Dead,
    /// The connection lives, but its frames have stopped for good.
    GiveUp,
}

/// Watches one stream over all of its connections.
#[derive(Debug)]
pub(crate) struct Watchdog {
    configured: Option<Duration>,
    distances: VecDeque<Duration>,
    /// On this connection, or its beginning.
    last_frame: Instant,
    has_frame: bool,
    last_heard: Instant,
    last_ping: Instant,
    stalled: bool,
}

impl Watchdog {
    /// A watchdog for the interval given, or else for the one it sees.
    pub(crate) fn new(configured: Option<Duration>, now: Instant) -> Self {
        Self {
            configured,
            distances: VecDeque::new(),
            last_frame: now,
            has_frame: false,
            last_heard: now,
            last_ping: now,
            stalled: false,
        }
    }

    /// The time between flashblocks; `None` while it is not known.
    pub(crate) fn interval(&self) -> Option<Duration> {
        if self.configured.is_some() {
            return self.configured;
        }
        if self.distances.len() < DISTANCES_MIN {
            return None;
        }
        let mut sorted: Vec<Duration> = self.distances.iter().copied().collect();
        sorted.sort_unstable();
        let median = sorted[sorted.len() / 2];
        Some(median.clamp(INTERVAL_MIN, INTERVAL_MAX))
    }

    /// A connection begins.
    pub(crate) const fn connected(&mut self, now: Instant) {
        self.last_frame = now;
        self.has_frame = false;
        self.last_heard = now;
        self.last_ping = now;
        self.stalled = false;
    }

    /// A frame came.
    pub(crate) fn frame(&mut self, now: Instant) {
        let distance = now.saturating_duration_since(self.last_frame);
        if self.has_frame && !self.stalled && distance >= BURST {
            self.distances.push_back(distance);
            if self.distances.len() > DISTANCES_MAX {
                self.distances.pop_front();
            }
        }
        self.last_frame = now;
        self.has_frame = true;
        self.stalled = false;
        self.last_heard = now;
    }

    /// Something else came.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.last_heard = self.last_heard.max(now);
    }

    /// The consumer was slow, and nothing was read meanwhile: the silence was ours.
    pub(crate) fn excuse(&mut self, now: Instant) {
        self.last_frame = now;
        self.has_frame = false;
        self.heard(now);
    }

    /// A ping went out.
    pub(crate) const fn pinged(&mut self, now: Instant) {
        self.last_ping = now;
    }

    fn limit(&self) -> Duration {
        let interval = self.interval();
        interval.map_or(UNKNOWN_LIMIT, |interval| interval * INTERVALS_SILENT)
    }

    fn patience(&self) -> Duration {
        let interval = self.interval().unwrap_or(INTERVAL_MAX);
        (interval * INTERVALS_STALLED).max(STALLED_MIN)
    }

    fn ping_due(&self) -> Instant {
        let every = (self.limit() / (2 * INTERVALS_SILENT)).min(PING_MAX);
        self.last_heard.max(self.last_ping) + every
    }

    /// When [`Self::check`] has something to say.
    pub(crate) fn due(&self) -> Instant {
        let dead = self.last_heard + self.limit();
        let silent = if self.stalled {
            self.last_frame + self.patience()
        } else {
            self.last_frame + self.limit()
        };
        dead.min(silent).min(self.ping_due())
    }

    /// What is due. A stall is told of before the connection is called dead.
    pub(crate) fn check(&mut self, now: Instant) -> Option<Alarm> {
        let silent = now.saturating_duration_since(self.last_frame);
        if !self.stalled && silent >= self.limit() {
            self.stalled = true;
            return Some(Alarm::Stalled { silent });
        }
        if now.saturating_duration_since(self.last_heard) >= self.limit() {
            return Some(Alarm::Dead);
        }
        if silent >= self.patience() {
            return Some(Alarm::GiveUp);
        }
        (now >= self.ping_due()).then_some(Alarm::Ping)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Alarms between `from` and `to`, each with its time in milliseconds; pings are answered or not.
    fn alarms(
        watchdog: &mut Watchdog,
        zero: Instant,
        (from, to): (u32, u32),
        answers: bool,
    ) -> Vec<(u32, Alarm)> {
        let mut seen = Vec::new();
        let mut now = zero + MS * from;
        loop {
            now = now.max(watchdog.due());
            let at = now.duration_since(zero).as_millis() as u32;
            if at > to {
                return seen;
            }
            match watchdog.check(now) {
                Some(Alarm::Ping) => {
                    watchdog.pinged(now);
                    if answers {
                        watchdog.heard(now + MS);
                    }
                }
                Some(alarm) => {
                    seen.push((at, alarm));
                    if matches!(alarm, Alarm::Dead | Alarm::GiveUp) {
                        return seen;
                    }
                }
                None => now += MS,
            }
        }
    }

    #[test]
    fn two_intervals_of_silence_are_a_stall_and_without_pongs_the_end() {
        let zero = Instant::now();
        let mut watchdog = Watchdog::new(Some(MS * 200), zero);
        watchdog.frame(zero + MS * 100);
        let silent = MS * 400;
        assert_eq!(
            alarms(&mut watchdog, zero, (100, 10_000), false),
            [(500, Alarm::Stalled { silent }), (500, Alarm::Dead)]
        );
    }

    #[test]
    fn a_connection_that_answers_is_kept_for_a_while() {
        let zero = Instant::now();
        let mut watchdog = Watchdog::new(Some(MS * 200), zero);
        watchdog.frame(zero);
        let silent = MS * 400;
        assert_eq!(
            alarms(&mut watchdog, zero, (0, 60_000), true),
            [(400, Alarm::Stalled { silent }), (5_000, Alarm::GiveUp)]
        );
        // A frame ends the stall; the next silence is told of again.
        watchdog.frame(zero + MS * 5_000);
        let again = alarms(&mut watchdog, zero, (5_000, 6_000), true);
        assert_eq!(again, [(5_400, Alarm::Stalled { silent })]);
    }

    #[test]
    fn the_interval_is_seen_through_bursts_and_holes() {
        let zero = Instant::now();
        let mut watchdog = Watchdog::new(None, zero);
        assert_eq!(watchdog.interval(), None);
        let mut at = zero;
        // A replayed block, then live frames with one long pause.
        for distance in [1, 1, 1, 1, 1, 250, 250, 240, 260, 1_200, 250, 130, 250] {
            at += MS * distance;
            watchdog.frame(at);
        }
        assert_eq!(watchdog.interval(), Some(MS * 250));
        // It is known from the first moment of the next connection on.
        watchdog.connected(at);
        assert_eq!(watchdog.due(), at + MS * 125);
    }

    #[test]
    fn the_consumers_own_slowness_is_no_silence() {
        let zero = Instant::now();
        let mut watchdog = Watchdog::new(Some(MS * 100), zero);
        watchdog.frame(zero);
        watchdog.excuse(zero + MS * 900);
        assert_eq!(watchdog.check(zero + MS * 901), None);
        let later = watchdog.check(zero + MS * 1_100).unwrap();
        assert!(matches!(later, Alarm::Stalled { .. }));
    }
}
