//! A clock that moves when a test says so.

use std::sync::atomic::{AtomicU64, Ordering};

use blockwright_seams::{Clock, Wake};
use blockwright_types::UnixUs;
use parking_lot::Mutex;

/// A clock that moves when a test says so.
#[derive(Default)]
pub struct ManualClock {
    now_us: AtomicU64,
    sleepers: Mutex<Vec<Wake>>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: UnixUs) -> Self {
        Self {
            now_us: AtomicU64::new(now.0),
            sleepers: Mutex::default(),
        }
    }

    /// Moves on without waking anybody: the time that work takes.
    pub fn tick(&self, us: u64) {
        self.now_us.fetch_add(us, Ordering::AcqRel);
    }

    /// Moves to `now` (never back) and wakes everybody who asked for it.
    pub fn advance_to(&self, now: UnixUs) {
        self.now_us.fetch_max(now.0, Ordering::AcqRel);
        for wake in self.sleepers.lock().iter() {
            wake();
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixUs {
        UnixUs(self.now_us.load(Ordering::Acquire))
    }

    fn on_jump(&self, wake: Wake) {
        self.sleepers.lock().push(wake);
    }
}
