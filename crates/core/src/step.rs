//! What goes into a job and what comes out.

use std::sync::Arc;

use alloy_consensus::Header;
use blockwright_seams::RootsAnswer;
use blockwright_types::{
    BlockPart, Flashblock, Gas, SealedBlock, SharedTx, StopReason, UnixUs, UnrootedBlock,
};

use crate::{DaLimits, JobFault};

/// Something that happened.
#[derive(Debug)]
pub enum Event<A> {
    /// Time passed.
    Tick,
    /// The pool has news.
    Wake,
    /// The root session answered.
    Roots(RootsAnswer<A>),
    /// The DA limits changed; they bind from the next transaction on.
    Limits(DaLimits),
    /// The job is to end.
    Stop(StopReason),
}

/// What the caller has to do next.
#[derive(Debug)]
pub enum Step<A> {
    /// Call again at once: a bounded piece of work was done and there is more.
    Run,
    /// Nothing to do before this instant or the next event.
    Wait(UnixUs),
    /// Publish this now, make its payload the job's, and call again.
    Publish(Box<Publication<A>>),
    /// All planned flashblocks are published.
    Complete,
    /// The job is over; every later step says so again.
    Done(End),
}

/// A flashblock to publish with the block it completes.
#[derive(Clone, Debug)]
pub struct Publication<A> {
    /// The increment.
    pub flashblock: Arc<Flashblock>,
    /// The payload from now on.
    pub payload: Payload<A>,
    /// Figures for metrics and the log.
    pub report: PartReport,
}

/// What a job has to hand out.
#[derive(Clone, Debug)]
pub enum Payload<A> {
    /// A complete block.
    Sealed(Best<A>),
    /// A block that lacks its roots alone, because its last flashblock carries none
    /// ([`RootsRule`](crate::RootsRule)).
    Unrooted(Arc<UnrootedBlock>),
}

impl<A> Payload<A> {
    /// The header; without roots those fields are zero.
    pub fn header(&self) -> &Header {
        match self {
            Self::Sealed(best) => &best.block.header,
            Self::Unrooted(block) => &block.header,
        }
    }

    /// What the flashblocks added, in order.
    pub fn parts(&self) -> &[Arc<BlockPart>] {
        match self {
            Self::Sealed(best) => &best.block.parts,
            Self::Unrooted(block) => &block.parts,
        }
    }

    /// All transactions in order.
    pub fn transactions(&self) -> impl Iterator<Item = &SharedTx> {
        self.parts().iter().flat_map(|part| &part.transactions)
    }

    /// The block, if it is complete.
    pub const fn sealed(&self) -> Option<&Best<A>> {
        match self {
            Self::Sealed(best) => Some(best),
            Self::Unrooted(_) => None,
        }
    }

    /// Roughly what the block takes in memory, see [`SealedBlock::memory_bytes`].
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Sealed(best) => best.block.memory_bytes(),
            Self::Unrooted(block) => block.memory_bytes(),
        }
    }
}

/// A valid block with the host's own trie delta.
#[derive(Clone, Debug)]
pub struct Best<A> {
    /// The block.
    pub block: Arc<SealedBlock>,
    /// What the host needs to import it without running it again.
    pub artifact: A,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub struct End {
    /// Why.
    pub reason: StopReason,
    /// The failure, where `reason` is [`StopReason::Failed`].
    pub fault: Option<Arc<JobFault>>,
}

/// Figures of one flashblock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartReport {
    /// Index of the flashblock.
    pub index: u64,
    /// When it was due; zero for index 0, which is due at once.
    pub due: UnixUs,
    /// Whether it is the last one planned.
    pub last: bool,
    /// Whether it carries roots.
    pub has_roots: bool,
    /// Pool transactions committed (index 0: sequencer transactions).
    pub transactions: u64,
    /// Gas they used.
    pub gas: Gas,
    /// Microseconds spent in simulating and committing.
    pub exec_us: u64,
    /// Microseconds from closing to the roots; zero where it has none.
    pub roots_us: u64,
    /// Microseconds spent in sealing.
    pub seal_us: u64,
    /// Simulations run, those ahead of the commit included.
    pub simulations: u64,
    /// Candidates put off to a later flashblock.
    pub deferred: u64,
    /// Candidates refused for this block.
    pub rejected: u64,
    /// Arrivals that outranked what was already committed and wait for the next flashblock.
    pub held: u64,
    /// The cut was put off, because the thread woke up only after it was due.
    pub extended: bool,
}
