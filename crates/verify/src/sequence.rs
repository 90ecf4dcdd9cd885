//! The rules of a sequence of flashblocks.

use std::sync::Arc;

use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_types::PayloadId;

use crate::contents::{Contents, MemoryLimits, Seen, content_digest};
use crate::{Counters, Equivocation, Outcome, SequenceError};

/// What happens to a sequence at an index that is not the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnGap {
    /// The flashblock is ignored and the sequence waits for the right one (dialects `v1` and
    /// `spec`).
    #[default]
    Wait,
    /// The sequence is given up; the next index 0 begins a new one (dialect `subblocks`).
    Discard,
}

/// Rules and bounds of a [`Sequence`]; the default is dialect `v1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SequenceRules {
    /// What a wrong index does.
    pub on_gap: OnGap,
    /// How much is remembered.
    pub memory: MemoryLimits,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    payload_id: PayloadId,
    block_number: u64,
    /// The index that comes next.
    next: u64,
    /// Given up until the next index 0.
    discarded: bool,
}

/// Takes the flashblocks of one stream in the order of arrival and says which of them continue it.
///
/// Indices rise by one from 0; `base` comes with index 0 and never again; all flashblocks of a
/// payload have its block number; one (payload id, index) has one content. A payload opened by
/// another index 0 replaces the one before it. Whether the contents make a block is
/// not looked at: that is the [`crate::Accumulator`]'s part.
#[derive(Debug)]
pub struct Sequence {
    rules: SequenceRules,
    contents: Contents,
    running: Option<Running>,
    counters: Counters,
}

impl Default for Sequence {
    fn default() -> Self {
        Self::new(SequenceRules::default())
    }
}

impl Sequence {
    /// A sequence that waits for an index 0.
    pub const fn new(rules: SequenceRules) -> Self {
        Self {
            rules,
            contents: Contents::new(rules.memory),
            running: None,
            counters: Counters {
                accepted: 0,
                duplicates: 0,
                not_begun: 0,
                skipped: 0,
                superseded: 0,
                equivocations: 0,
                invalid: 0,
                discarded: 0,
            },
        }
    }

    /// How often each outcome came.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The running payload with the index that continues it; `None` before the first index 0 and
    /// after the sequence was discarded.
    pub fn expected(&self) -> Option<(PayloadId, u64)> {
        let running = self.running.filter(|running| !running.discarded)?;
        Some((running.payload_id, running.next))
    }

    /// Judges the next flashblock of the stream. Hashes its content once.
    pub fn check(&mut self, flashblock: &Arc<OpFlashblockPayload>) -> Outcome {
        let outcome = self.judge(flashblock);
        self.counters.count(&outcome);
        outcome
    }

    fn judge(&mut self, flashblock: &Arc<OpFlashblockPayload>) -> Outcome {
        let digest = content_digest(flashblock);
        let seen = self.contents.compare(flashblock, digest);
        if let Seen::Other(first_digest, first) = seen {
            return Outcome::Equivocation(Box::new(Equivocation {
                payload_id: flashblock.payload_id,
                index: flashblock.index,
                first_digest,
                first,
                second_digest: digest,
                second: Arc::clone(flashblock),
            }));
        }
        if let Err(error) = self.check_shape(flashblock) {
            return Outcome::Invalid(error);
        }
        let outcome = self.place(flashblock);
        if matches!(seen, Seen::Never) {
            // Also what is ahead of any known index 0, but never at the cost of the running payload.
            let running = self.running.map(|running| running.payload_id);
            let kept = running.unwrap_or(flashblock.payload_id);
            self.contents.remember(flashblock, digest, kept);
        }
        outcome
    }

    fn check_shape(&self, flashblock: &OpFlashblockPayload) -> Result<(), SequenceError> {
        let OpFlashblockPayload {
            index, metadata, ..
        } = flashblock;
        match &flashblock.base {
            None if *index == 0 => return Err(SequenceError::BaseMissing),
            Some(_) if *index > 0 => return Err(SequenceError::BaseRepeated { index: *index }),
            Some(base) if base.block_number != metadata.block_number => {
                return Err(SequenceError::BaseBlockNumber {
                    base: base.block_number,
                    metadata: metadata.block_number,
                });
            }
            _ => {}
        }
        match self.running {
            Some(running)
                if *index > 0
                    && running.payload_id == flashblock.payload_id
                    && running.block_number != metadata.block_number =>
            {
                Err(SequenceError::BlockNumber {
                    expected: running.block_number,
                    got: metadata.block_number,
                })
            }
            _ => Ok(()),
        }
    }

    /// Where a well-formed flashblock without a rival stands in the sequence.
    fn place(&mut self, flashblock: &OpFlashblockPayload) -> Outcome {
        let OpFlashblockPayload {
            payload_id, index, ..
        } = *flashblock;
        let of_running = self
            .running
            .filter(|running| running.payload_id == payload_id);
        let Some(running) = of_running else {
            return self.place_other(flashblock);
        };
        if running.discarded {
            if index == 0 {
                return self.open(flashblock);
            }
            return Outcome::Skipped { expected: 0 };
        }
        if index == running.next {
            self.running = Some(Running {
                next: index.saturating_add(1),
                ..running
            });
            return Outcome::Accepted;
        }
        self.miss();
        if index < running.next {
            Outcome::Duplicate
        } else {
            Outcome::Skipped {
                expected: running.next,
            }
        }
    }

    /// A flashblock of another payload than the running one.
    fn place_other(&mut self, flashblock: &OpFlashblockPayload) -> Outcome {
        let OpFlashblockPayload {
            payload_id, index, ..
        } = *flashblock;
        let was_opened = self.contents.knows(payload_id, 0);
        match self.running {
            Some(running) if was_opened && !running.discarded => {
                if index == 0 {
                    Outcome::Duplicate
                } else {
                    Outcome::Superseded {
                        by: running.payload_id,
                    }
                }
            }
            _ if index == 0 => self.open(flashblock),
            None => Outcome::NotBegun,
            Some(_) => Outcome::Skipped { expected: 0 },
        }
    }

    fn open(&mut self, flashblock: &OpFlashblockPayload) -> Outcome {
        self.running = Some(Running {
            payload_id: flashblock.payload_id,
            block_number: flashblock.metadata.block_number,
            next: 1,
            discarded: false,
        });
        Outcome::Accepted
    }

    /// A wrong index came.
    fn miss(&mut self) {
        if self.rules.on_gap == OnGap::Discard
            && let Some(running) = &mut self.running
        {
            running.discarded = true;
            self.counters.discarded = self.counters.discarded.saturating_add(1);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
