//! Flashblocks between their cut and their publication.

use std::collections::{BTreeMap, VecDeque};

use blockwright_types::{Roots, UnixUs};

use crate::{PartReport, Publication};

/// Roots that arrived.
#[derive(Debug)]
pub(crate) struct Answer<A> {
    pub(crate) roots: Roots,
    pub(crate) artifact: A,
    pub(crate) elapsed_us: u64,
}

/// In order of index: cut and waiting for the roots they are to carry, then sealed and waiting for
/// the due time. Bounded by the number of slots of the plan.
#[derive(Debug)]
pub(crate) struct Pipeline<A> {
    cut: VecDeque<PartReport>,
    answers: BTreeMap<u64, Answer<A>>,
    sealed: VecDeque<Publication<A>>,
}

impl<A> Default for Pipeline<A> {
    fn default() -> Self {
        Self {
            cut: VecDeque::new(),
            answers: BTreeMap::new(),
            sealed: VecDeque::new(),
        }
    }
}

impl<A> Pipeline<A> {
    /// A flashblock was cut; its roots were asked for if it is to carry any.
    pub(crate) fn cut(&mut self, report: PartReport) {
        self.cut.push_back(report);
    }

    /// Roots arrived; answers nobody asked for are dropped.
    pub(crate) fn answered(&mut self, index: u64, answer: Answer<A>) {
        if self.cut.iter().any(|report| report.index == index) {
            self.answers.entry(index).or_insert(answer);
        }
    }

    /// The next flashblock in order, if the roots it is to carry are here.
    pub(crate) fn take_sealable(&mut self) -> Option<(PartReport, Option<Answer<A>>)> {
        let next = self.cut.front()?;
        let answer = if next.has_roots {
            Some(self.answers.remove(&next.index)?)
        } else {
            None
        };
        let mut report = self.cut.pop_front()?;
        report.roots_us = answer.as_ref().map_or(0, |answer| answer.elapsed_us);
        Some((report, answer))
    }

    /// A flashblock was sealed.
    pub(crate) fn sealed(&mut self, publication: Publication<A>) {
        self.sealed.push_back(publication);
    }

    /// The last seal took this long.
    pub(crate) fn seal_took(&mut self, elapsed_us: u64) {
        if let Some(last) = self.sealed.back_mut() {
            last.report.seal_us = elapsed_us;
        }
    }

    /// The next flashblock, if it is due.
    pub(crate) fn take_due(&mut self, now: UnixUs) -> Option<Publication<A>> {
        if self.next_due()? > now {
            return None;
        }
        self.sealed.pop_front()
    }

    /// When the next sealed flashblock is due.
    pub(crate) fn next_due(&self) -> Option<UnixUs> {
        self.sealed.front().map(|next| next.report.due)
    }

    /// When the next flashblock that was cut is due, with its index.
    pub(crate) fn next_promised(&self) -> Option<(u64, UnixUs)> {
        let sealed = self.sealed.front().map(|next| next.report);
        let report = sealed.or_else(|| self.cut.front().copied())?;
        Some((report.index, report.due))
    }

    /// Whether everything cut was published.
    pub(crate) fn is_empty(&self) -> bool {
        self.cut.is_empty() && self.sealed.is_empty()
    }
}
