//! What happened to a transaction: the raw material of traces and counters.

use alloy_primitives::B256;
use blockwright_types::SharedTx;

/// Why a pooled transaction left without being in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The pool was full and this was the lowest price of its class.
    Evicted,
    /// The sender's slots were full and a lower nonce of the same sender needed one.
    Displaced,
    /// The account's balance no longer covers it.
    Unaffordable,
    /// The account's nonce passed it by another transaction.
    NonceUsed,
    /// A job found it invalid under the chain's rules.
    Invalid(String),
}

impl DropReason {
    /// Every label, for metrics.
    pub(crate) const LABELS: [&str; 5] = [
        "evicted",
        "displaced",
        "unaffordable",
        "nonce_used",
        "invalid",
    ];

    pub(crate) const fn position(&self) -> usize {
        match self {
            Self::Evicted => 0,
            Self::Displaced => 1,
            Self::Unaffordable => 2,
            Self::NonceUsed => 3,
            Self::Invalid(_) => 4,
        }
    }

    /// Stable lower-case label for metrics and traces.
    pub const fn label(&self) -> &'static str {
        Self::LABELS[self.position()]
    }
}

/// One step in a transaction's life, gathered under the table's lock and reported after it.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Executable now: new, or its gap was filled.
    Promoted(SharedTx),
    /// Behind a nonce gap now: new, or a predecessor left.
    Parked(SharedTx),
    /// Gave its place to `by`.
    Replaced { old: SharedTx, by: B256 },
    /// Left for a reason other than inclusion.
    Dropped { tx: SharedTx, reason: DropReason },
    /// Is in the head's chain.
    Included { tx: SharedTx, number: u64 },
}

/// Events of one critical section.
pub(crate) type Events = Vec<Event>;
