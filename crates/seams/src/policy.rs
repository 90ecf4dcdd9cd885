//! The public extension point: which transactions, in which order.

use blockwright_types::{Budget, SkipReason, Usage};

use crate::Candidate;

/// Sort key of a candidate: the larger goes first; equal ranks go by arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(pub u128);

/// What a policy may look at when it decides about a candidate.
#[derive(Clone, Copy, Debug)]
pub struct SlotView {
    /// Flashblock index being filled.
    pub index: u64,
    /// Base fee of the block, in wei.
    pub base_fee: u64,
    /// What the block uses so far.
    pub usage: Usage,
    /// Cumulative limit of this slot.
    pub slot: Budget,
    /// Limit of the block.
    pub block: Budget,
}

/// A policy's answer about one candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Try it within the slot's budget.
    Admit,
    /// Try it although it exceeds the slot's share; the block's limits still bind.
    AdmitOversized,
    /// Not in this flashblock.
    Defer(SkipReason),
    /// Not in this block.
    Refuse(SkipReason),
}

/// The executable candidates, best rank first.
pub trait Frontier {
    /// The best candidate without taking it.
    fn peek(&self) -> Option<(&Candidate, Rank)>;
    /// Takes the best candidate.
    fn pop(&mut self) -> Option<(Candidate, Rank)>;
    /// Number of executable candidates.
    fn len(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Order and admission of pool transactions.
///
/// For each candidate: [`order`](Self::order) once when it becomes executable, then, whenever the
/// job has room, [`select`](Self::select) and [`admit`](Self::admit);
/// [`finish`](Self::finish) when a flashblock is cut. Calls come from one thread and must be
/// deterministic: same calls, same answers.
pub trait Policy: Send + 'static {
    /// Name for logs, metrics and the order checker.
    fn name(&self) -> &'static str;

    /// The candidate's rank at `base_fee` (wei). `None`: cannot be in a block at this base fee.
    fn order(&self, candidate: &Candidate, base_fee: u64) -> Option<Rank>;

    /// Takes the next candidate to try; by default the best.
    fn select(&mut self, frontier: &mut dyn Frontier) -> Option<(Candidate, Rank)> {
        frontier.pop()
    }

    /// Decides about a selected candidate; by default it is admitted.
    fn admit(&mut self, candidate: &Candidate, slot: &SlotView) -> Admission {
        let _ = (candidate, slot);
        Admission::Admit
    }

    /// A flashblock was cut with this usage.
    fn finish(&mut self, index: u64, usage: &Usage) {
        let _ = (index, usage);
    }
}
