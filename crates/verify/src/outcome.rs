//! What a sequence can say about a flashblock.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_types::PayloadId;

/// What became of one flashblock. Only [`Outcome::Accepted`] changes what the block consists of.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It opens a payload (index 0) or is the next one of the running payload.
    Accepted,
    /// It was seen before with the same content, or lies behind the running position.
    Duplicate,
    /// No index 0 was seen yet: whoever joins a stream in the middle of a block waits for the next one.
    NotBegun,
    /// It lies ahead of what is known of its payload.
    Skipped {
        /// The index that has to come first; 0 where the payload's beginning is not known.
        expected: u64,
    },
    /// It belongs to a payload that a newer one has replaced.
    Superseded {
        /// The running payload.
        by: PayloadId,
    },
    /// The producer signed off two contents for one (payload id, index). The first one stands.
    Equivocation(Box<Equivocation>),
    /// It contradicts itself or the payload it belongs to.
    Invalid(SequenceError),
}

impl Outcome {
    /// Whether the flashblock became part of the sequence.
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted)
    }

    /// Stable lower-case label for metrics and logs.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::NotBegun => "not_begun",
            Self::Skipped { .. } => "skipped",
            Self::Superseded { .. } => "superseded",
            Self::Equivocation(_) => "equivocation",
            Self::Invalid(_) => "invalid",
        }
    }
}

/// Two contents for one (payload id, index): proof of misbehaviour, in the producer's own words.
#[derive(Clone, Debug)]
pub struct Equivocation {
    /// Payload of both.
    pub payload_id: PayloadId,
    /// Index of both.
    pub index: u64,
    /// Digest of the content that came first (see [`crate::content_digest`]).
    pub first_digest: B256,
    /// The content that came first; `None` where memory limits made the checker let go of it.
    pub first: Option<Arc<OpFlashblockPayload>>,
    /// Digest of the content that came second. Equal to the first one where only metadata differ.
    pub second_digest: B256,
    /// The content that came second.
    pub second: Arc<OpFlashblockPayload>,
}

/// Why a flashblock cannot belong to any sequence, or not to the one it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    /// Index 0 carries the immutable head of the block.
    #[error("flashblock 0 has no base")]
    BaseMissing,
    /// The base is immutable and sent once.
    #[error("flashblock {index} has a base: it belongs to index 0 alone")]
    BaseRepeated {
        /// Index of the flashblock.
        index: u64,
    },
    /// `base.block_number` and `metadata.block_number` are one number.
    #[error("base.block_number is {base}, metadata.block_number {metadata}")]
    BaseBlockNumber {
        /// Number in `base`.
        base: u64,
        /// Number in `metadata`.
        metadata: u64,
    },
    /// All flashblocks of a payload have its block number.
    #[error("metadata.block_number is {got}, that of the payload {expected}")]
    BlockNumber {
        /// Number of the payload.
        expected: u64,
        /// Number of the flashblock.
        got: u64,
    },
}

/// How often each outcome came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Flashblocks accepted.
    pub accepted: u64,
    /// Repetitions ignored.
    pub duplicates: u64,
    /// Flashblocks before the first index 0, ignored.
    pub not_begun: u64,
    /// Flashblocks ahead of the expected index, ignored.
    pub skipped: u64,
    /// Flashblocks of replaced payloads, ignored.
    pub superseded: u64,
    /// Second contents for one (payload id, index).
    pub equivocations: u64,
    /// Flashblocks that contradict themselves or their payload.
    pub invalid: u64,
    /// Sequences given up until the next index 0 ([`crate::OnGap::Discard`]).
    pub discarded: u64,
}

impl Counters {
    pub(crate) const fn count(&mut self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Accepted => &mut self.accepted,
            Outcome::Duplicate => &mut self.duplicates,
            Outcome::NotBegun => &mut self.not_begun,
            Outcome::Skipped { .. } => &mut self.skipped,
            Outcome::Superseded { .. } => &mut self.superseded,
            Outcome::Equivocation(_) => &mut self.equivocations,
            Outcome::Invalid(_) => &mut self.invalid,
        };
        *counter = counter.saturating_add(1);
    }
}
