//! The metric of blocks that are handed out as they were shown:
//!
//! | name | kind | meaning |
//! |---|---|---|
//! | `blockwright_engine_left_out_total` | counter | flashblocks that were published and are not in the block, because it was asked for by an older header |

use metrics::counter;

pub(crate) fn left_out(flashblocks: u64) {
    counter!("blockwright_engine_left_out_total").increment(flashblocks);
}
