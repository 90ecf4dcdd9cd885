//! What is said once although it happens again and again.

use std::time::{Duration, Instant};

/// Time between two reports of the same thing.
const PAUSE: Duration = Duration::from_secs(60);

/// Something that may happen with every frame.
#[derive(Debug, Default)]
pub(crate) struct Repeated {
    said: Option<Instant>,
    unsaid: u64,
}

impl Repeated {
    /// It happened. Where it is to be said now: how often it happened since it was said last.
    pub(crate) fn happened(&mut self, now: Instant) -> Option<u64> {
        self.unsaid += 1;
        let is_fresh = |said: Instant| now.saturating_duration_since(said) < PAUSE;
        if self.said.is_some_and(is_fresh) {
            return None;
        }
        self.said = Some(now);
        Some(core::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_and_then_one_in_a_minute_with_their_number() {
        let mut repeated = Repeated::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(repeated.happened(start), Some(1));
        assert_eq!(repeated.happened(start), None);
        assert_eq!(repeated.happened(after(59)), None);
        assert_eq!(repeated.happened(after(60)), Some(3));
        assert_eq!(repeated.happened(after(61)), None);
    }
}
