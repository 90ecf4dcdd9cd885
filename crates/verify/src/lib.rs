#![doc = include_str!("../README.md")]

mod accumulator;
pub use accumulator::{Accumulator, BlockRules, Prefix, decode_transactions};

mod contents;
pub use contents::{MemoryLimits, content_digest};

mod error;
pub use error::BlockError;

mod footprint;

mod header;

mod order;
pub use order::{
    OrderViolation, OrderedTx, check_consecutive, check_order, check_ranked, priority,
};

mod outcome;
pub use outcome::{Counters, Equivocation, Outcome, SequenceError};

mod receipts;

mod sequence;
pub use sequence::{OnGap, Sequence, SequenceRules};

mod verifier;
pub use verifier::{Report, Verifier, VerifierRules};
