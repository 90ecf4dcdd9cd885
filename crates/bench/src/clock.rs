//! The clock that all recorded times are taken from.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the epoch, by the wall clock: the builder's own times can be compared with it.
pub(crate) fn now_us() -> u64 {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}
