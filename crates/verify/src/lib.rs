#![doc = include_str!("../README.md")]

mod accumulator;
pub use accumulator::{Accumulator, BlockRules, Prefix, decode_transactions};

mod chain;
pub use chain::{ChainError, Link, SpecChain, SpecMetadataError, SpecReport, spec_payload};

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

mod pair;
pub use pair::{PairDifference, compare_pair};

mod receipts;

mod sequence;
pub use sequence::{OnGap, Sequence, SequenceRules};

mod signature;
pub use signature::{SignatureError, check_signature};

mod verifier;
pub use verifier::{Report, Verifier, VerifierRules};
