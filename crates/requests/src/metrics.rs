//! The metrics of how payloads are handed out:
//!
//! | name | kind | meaning |
//! |---|---|---|
//! | `blockwright_engine_left_out_total` | counter | flashblocks that were published and are not in the block, because it was asked for by an older header |
//! | `blockwright_engine_withheld_total` | counter | calls of getPayload answered as if there were no payload, because it is disabled |

use metrics::counter;

pub(crate) fn left_out(flashblocks: u64) {
    counter!("blockwright_engine_left_out_total").increment(flashblocks);
}

pub(crate) fn withheld() {
    counter!("blockwright_engine_withheld_total").increment(1);
}
