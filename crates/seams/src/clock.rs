//! Wall-clock time.

use blockwright_types::UnixUs;

use crate::Wake;

/// Where the service takes the time from. The core never sees it; it gets `now` as an argument.
pub trait Clock: Send + Sync + 'static {
    /// The current wall-clock time.
    fn now(&self) -> UnixUs;

    /// Asks to be woken when this clock is moved by hand: whoever sleeps on real time would miss
    /// it. Clocks that follow real time never call it.
    fn on_jump(&self, wake: Wake) {
        let _ = wake;
    }
}
