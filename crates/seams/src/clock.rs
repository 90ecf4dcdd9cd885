//! Wall-clock time.

use blockwright_types::UnixUs;

/// Where the service takes the time from. The core never sees it; it gets `now` as an argument.
pub trait Clock: Send + Sync + 'static {
    /// The current wall-clock time.
    fn now(&self) -> UnixUs;
}
