//! The crate's metrics.
//!
//! | Name | Kind | Meaning |
//! |---|---|---|
//! | `blockwright_state_root_close_seconds` | histogram | from a close to the roots |
//! | `blockwright_state_root_pieces_coalesced_total` | counter | pieces merged because a root session's queue was full |

use std::time::Duration;

use metrics::{counter, histogram};

pub(crate) fn root_closed(elapsed: Duration) {
    histogram!("blockwright_state_root_close_seconds").record(elapsed);
}

pub(crate) fn piece_coalesced() {
    counter!("blockwright_state_root_pieces_coalesced_total").increment(1);
}
