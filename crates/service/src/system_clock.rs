//! The machine's wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use blockwright_seams::Clock;
use blockwright_types::UnixUs;

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixUs {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        UnixUs(u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX))
    }
}
