//! What became of a flashblock.

use std::sync::Arc;

use blockwright_pending::PendingBlock;
use blockwright_verify::{Equivocation, SequenceError};

use crate::Refutation;

/// What became of one flashblock of the stream.
#[derive(Debug)]
pub enum Step {
    /// It was executed, is what it says, and is the newest snapshot.
    Published(Arc<PendingBlock>),
    /// Its block stands on one that is not the head yet, nor preconfirmed: kept until that is so.
    Waiting,
    /// It is of no use: a repetition, out of order, or of a block that was given up.
    Ignored(&'static str),
    /// It contradicts itself or its payload; the block stays as it was.
    Invalid(SequenceError),
    /// A second content for one place. The first stands.
    Equivocation(Box<Equivocation>),
    /// It is not what executing it gives: its block was withdrawn.
    Refuted(Refutation),
}

impl Step {
    /// Stable lower-case label for metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Published(_) => "executed",
            Self::Waiting => "waiting",
            Self::Ignored(why) => why,
            Self::Invalid(_) => "invalid",
            Self::Equivocation(_) => "equivocation",
            Self::Refuted(_) => "refuted",
        }
    }
}
