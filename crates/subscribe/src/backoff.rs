//! The pause between attempts.

use core::fmt;
use std::time::Duration;

use rand::Rng as _;

/// The random part of a pause: keeps the subscribers of a server that restarts from coming back all at once.
pub trait Jitter: Send + Sync + fmt::Debug {
    /// A number from 0 to 1.
    fn fraction(&mut self) -> f64;
}

/// The process's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomJitter;

impl Jitter for RandomJitter {
    fn fraction(&mut self) -> f64 {
        rand::rng().random()
    }
}

/// Pauses that double from the first to the last, each between half of it and all of it.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    last: Duration,
    next: Duration,
    jitter: Box<dyn Jitter>,
}

impl Backoff {
    pub(crate) fn new(first: Duration, last: Duration, jitter: Box<dyn Jitter>) -> Self {
        Self {
            first,
            last,
            next: first,
            jitter,
        }
    }

    /// The next pause.
    pub(crate) fn pause(&mut self) -> Duration {
        let whole = self.next.min(self.last);
        self.next = (whole * 2).min(self.last);
        let fraction = self.jitter.fraction().clamp(0.0, 1.0);
        whole.mul_f64(fraction.mul_add(0.5, 0.5))
    }

    /// An attempt led to something.
    pub(crate) const fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says the same again and again.
    #[derive(Debug)]
    struct Fixed(f64);

    impl Jitter for Fixed {
        fn fraction(&mut self) -> f64 {
            self.0
        }
    }

    fn pauses(fraction: f64) -> Vec<u128> {
        let (first, last) = (Duration::from_millis(100), Duration::from_secs(1));
        let mut backoff = Backoff::new(first, last, Box::new(Fixed(fraction)));
        (0..5).map(|_| backoff.pause().as_millis()).collect()
    }

    #[test]
    fn pauses_double_up_to_the_last_with_a_random_half() {
        assert_eq!(pauses(1.0), [100, 200, 400, 800, 1_000]);
        assert_eq!(pauses(0.0), [50, 100, 200, 400, 500]);
        assert_eq!(pauses(7.0), pauses(1.0), "what is no fraction is made one");
    }

    #[test]
    fn success_begins_again_and_random_numbers_are_fractions() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, second * 8, Box::new(RandomJitter));
        for _ in 0..100 {
            backoff.pause();
            backoff.reset();
            let pause = backoff.pause();
            assert!(pause >= second / 2 && pause <= second, "{pause:?}");
        }
    }
}
