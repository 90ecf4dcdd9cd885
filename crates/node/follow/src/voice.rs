//! What an operator is told, however often it happens.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Between two lines of a kind: whoever sends a stream must not be able to fill the log.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Knows what was said lately.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    /// By kind, of which there is a fixed number.
    said: BTreeMap<&'static str, Said>,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    at: Instant,
    unsaid: u64,
}

impl Voice {
    /// Whether it is time for a line of this kind, with the number of those left out since the last.
    pub(crate) fn speak(&mut self, kind: &'static str, now: Instant) -> Option<u64> {
        match self.said.get_mut(kind) {
            Some(said) if now.saturating_duration_since(said.at) < LINE_EVERY => {
                said.unsaid += 1;
                None
            }
            Some(said) => {
                said.at = now;
                Some(core::mem::take(&mut said.unsaid))
            }
            None => {
                self.said.insert(kind, Said { at: now, unsaid: 0 });
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_line_every_ten_seconds_with_its_number() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut voice = Voice::default();
        assert_eq!(voice.speak("gap", at(0)), Some(0));
        assert_eq!(voice.speak("lie", at(1)), Some(0), "another kind");
        for ms in 1..=500 {
            assert_eq!(voice.speak("gap", at(ms)), None);
        }
        assert_eq!(voice.speak("gap", at(10_000)), Some(500));
        assert_eq!(voice.speak("gap", at(20_000)), Some(0));
    }
}
