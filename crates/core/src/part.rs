//! The flashblock that is being filled.

use std::collections::VecDeque;

use alloy_primitives::{Address, B256};
use blockwright_types::UnixUs;

use crate::floor::Floor;
use crate::{PartReport, RootsRule, Slot};

/// State of the flashblock that is being filled.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) slot: Slot,
    pub(crate) started: UnixUs,
    /// Committing has begun: from here on arrivals must respect the floor.
    pub(crate) committing: bool,
    /// Nothing more fits.
    pub(crate) full: bool,
    /// Candidates that did not fit since the last one that did.
    pub(crate) misses: u32,
    /// Those of them for which no time was left.
    pub(crate) overruns: u32,
    pub(crate) commits_since_poll: u32,
    /// The cut is put off to this instant, because committing had not begun when it was due.
    pub(crate) extended_to: Option<UnixUs>,
    pub(crate) floor: Floor,
    /// To be run before all others: an earlier slot had no time left for them.
    pub(crate) head_start: VecDeque<Address>,
    pub(crate) report: PartReport,
}

impl Part {
    /// A part of a plan that ends with `last_index`.
    pub(crate) fn new(slot: Slot, started: UnixUs, last_index: u64, roots: RootsRule) -> Self {
        Self {
            slot,
            started,
            committing: false,
            full: false,
            misses: 0,
            overruns: 0,
            commits_since_poll: 0,
            extended_to: None,
            floor: Floor::default(),
            head_start: VecDeque::new(),
            report: PartReport {
                index: slot.index,
                due: slot.due,
                last: slot.index == last_index,
                has_roots: roots.covers(slot.index, last_index),
                ..PartReport::default()
            },
        }
    }
}

/// What the previous step did; the next step's `now` tells how long it took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Work {
    /// Nothing worth measuring.
    #[default]
    None,
    /// Ran a candidate ahead.
    Ahead { sender: Address, tx: B256, gas: u64 },
    /// Ran and committed a candidate, or found it invalid.
    Run { gas: u64 },
    /// Committed without running.
    Commit,
    /// Sealed a flashblock.
    Seal,
}
