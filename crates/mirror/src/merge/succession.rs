//! When a payload is over, and which one comes next.
//!
//! An upstream that goes from one payload to another says that the first one is over. One alone may be
//! wrong about it. It is believed at once where the payload is as long as payloads are; where it is shorter,
//! the others that are inside it have their say first, within the hold time.

use std::collections::VecDeque;

use blockwright_types::PayloadId;

use super::{FrameCopy, Merge, Output, PAST_MAX, Upstream, Verdict};
use crate::open::{INDICES_MAX, Open, Print};

/// Payloads whose lengths are remembered.
const LENGTHS_MAX: usize = 4;
/// Payloads for which an upstream that was contradicted is not believed alone.
const DOUBTED_FOR: u32 = 64;

/// Why flashblocks of a payload are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nobody had one, and later ones were there.
    Hole {
        /// The payload.
        payload_id: PayloadId,
    },
    /// Another payload had begun when an upstream brought more of this one.
    CutOff {
        /// The payload.
        payload_id: PayloadId,
        /// The upstream on whose word the other payload began; `None` where that was for want of others.
        by: Option<usize>,
        /// The upstream that brought more.
        continued_by: usize,
    },
}

/// A payload that is over.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) id: PayloadId,
    sent: Vec<Print>,
    /// An upstream that said that it was over.
    ended_by: Option<usize>,
    /// Upstreams that said so before the next one began.
    witness_count: usize,
    /// Its loss was said, or is none.
    is_lost: bool,
}

/// The lengths of the last payloads.
#[derive(Debug, Default)]
pub(super) struct Usual(VecDeque<u64>);

impl Usual {
    fn note(&mut self, length: u64) {
        if self.0.len() == LENGTHS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(length);
    }

    /// Whether payloads were no longer than this.
    fn is_reached(&self, length: u64) -> bool {
        self.0.iter().min().is_some_and(|least| length >= *least)
    }
}

impl Merge {
    /// An upstream that said that `payload` was over is in it again.
    pub(super) fn withdraw(&mut self, upstream: usize, payload: PayloadId) {
        for open in &mut self.waiting {
            open.withdraw(upstream, payload);
        }
    }

    /// Which of those that wait comes next, if any may: one that somebody saw follow, else one of no
    /// earlier block, else any; of several the oldest.
    pub(super) fn successor(&self, now_us: u64) -> Option<usize> {
        let preference = |open: &Open| match &self.current {
            Some(current) if open.witnesses(current.id, current.next()).next().is_some() => 0,
            Some(current) if open.block_number < current.block_number => 2,
            _ => 1,
        };
        let waiting = self.waiting.iter().enumerate();
        let may = waiting.filter(|(_, open)| open.is_ready() && self.may_begin(open, now_us));
        may.min_by_key(|(place, open)| (preference(open), *place))
            .map(|(place, _)| place)
    }

    /// Whether the current payload is over and `open` comes next.
    fn may_begin(&self, open: &Open, now_us: u64) -> bool {
        let Some(current) = &self.current else {
            return true;
        };
        self.is_seen_to_follow(open, current)
            || self.is_outdone(current, open)
            || !self
                .upstreams
                .iter()
                .any(|upstream| self.may_still_deliver(current, upstream))
            || (self.may_time_out(open) && self.out_of_time_us(open) <= now_us)
    }

    /// Whether the word of those who came from `current` to `open` is enough.
    fn is_seen_to_follow(&self, open: &Open, current: &Open) -> bool {
        let length = current.next();
        let witnesses: Vec<usize> = open.witnesses(current.id, length).collect();
        if witnesses.is_empty() || current.has_hole() {
            return false;
        }
        let is_undoubted = |upstream: &usize| self.upstreams[*upstream].doubted_for == 0;
        let is_believed = witnesses.iter().any(is_undoubted);
        if is_believed && self.usual.is_reached(length) {
            return true;
        }
        let others = self.upstreams.iter().enumerate().filter(|(place, other)| {
            let is_inside = other.at.is_some_and(|(id, _)| id == current.id);
            // Those who have sent nothing yet may be of another stream altogether, and are not waited for.
            !witnesses.contains(place)
                && self.may_still_deliver(current, other)
                && (is_inside || (!is_believed && other.at.is_some()))
        });
        witnesses.len() > others.count()
    }

    /// Whether the current payload is of doubted upstreams alone and `open` is not, or more upstreams saw
    /// `open` in its place.
    fn is_outdone(&self, current: &Open, open: &Open) -> bool {
        let is_doubted = |upstream: usize| self.upstreams[upstream].doubted_for > 0;
        (current.senders().all(is_doubted) && !open.senders().all(is_doubted))
            || is_outvoted(current, open)
    }

    /// Whether an upstream may send what the current payload lacks.
    fn may_still_deliver(&self, current: &Open, upstream: &Upstream) -> bool {
        if !upstream.is_live {
            return false;
        }
        match upstream.at {
            Some((id, index)) if id == current.id => {
                !current.has_hole() || index < current.next() || upstream.is_broken
            }
            // It is ahead where it has been here, or its block is no earlier one.
            Some((id, _)) => {
                let number = current.block_number;
                let is_ahead = |open: &Open| upstream.has_current || open.block_number >= number;
                let mut waiting = self.waiting.iter();
                !waiting.any(|open| open.id == id && is_ahead(open))
            }
            None => true,
        }
    }

    /// An earlier block replaces a later one only where somebody saw that happen, or nobody else is left.
    pub(super) fn may_time_out(&self, open: &Open) -> bool {
        let current = self
            .current
            .as_ref()
            .and_then(|current| current.block_number);
        open.is_ready() && open.block_number >= current
    }

    pub(super) fn out_of_time_us(&self, open: &Open) -> u64 {
        let from_us = self.grown_us.max(open.since_us);
        from_us.saturating_add(self.config.hold_us)
    }

    /// Ends the current payload and begins the one at `place`. What waited longer stays only where an
    /// upstream is, or came from: it may be ahead of the others.
    pub(super) fn begin(&mut self, place: usize, now_us: u64, out: &mut Vec<Output>) {
        if let Some(current) = self.current.take() {
            if current.has_hole() {
                out.push(Output::Lost(Loss::Hole {
                    payload_id: current.id,
                }));
            }
            // One upstream alone could teach any length.
            if current.sender_count() > 1 {
                self.usual.note(current.next());
            }
            let next = self.waiting.get(place);
            if next.is_some_and(|next| is_outvoted(&current, next)) {
                for upstream in current.senders() {
                    self.upstreams[upstream].doubted_for = DOUBTED_FOR;
                }
            }
            self.retire(current, Some(place));
        }
        self.current = self.waiting.remove(place);
        let alive = self.alive();
        for (age, open) in core::mem::take(&mut self.waiting).into_iter().enumerate() {
            if age < place && !alive.contains(&open.id) {
                self.retire(open, None);
            } else {
                self.waiting.push_back(open);
            }
        }
        let current = self.current.as_ref().map(|current| current.id);
        for upstream in &mut self.upstreams {
            upstream.has_current = upstream.at.map(|(id, _)| id) == current;
            upstream.doubted_for = upstream.doubted_for.saturating_sub(1);
        }
        self.grown_us = now_us;
    }

    /// Payloads where upstreams are, and those from which they came there.
    fn alive(&self) -> Vec<PayloadId> {
        let at = |upstream: &Upstream| upstream.at.map(|(id, _)| id);
        let mut alive: Vec<PayloadId> = self.upstreams.iter().filter_map(at).collect();
        let mut looked_at = 0;
        while let Some(id) = alive.get(looked_at).copied() {
            looked_at += 1;
            let found = self.waiting.iter().find(|open| open.id == id);
            for before in found.into_iter().flat_map(Open::follows) {
                if !alive.contains(&before) {
                    alive.push(before);
                }
            }
        }
        alive
    }

    /// Forgets a payload but for its flashblocks' digests. `next` is the place of the one that follows.
    pub(super) fn retire(&mut self, open: Open, next: Option<usize>) {
        self.held_bytes = self.held_bytes.saturating_sub(open.held_bytes());
        if self.past.len() == PAST_MAX {
            self.past.pop_front();
        }
        let next = next.and_then(|place| self.waiting.get(place));
        let mut witnesses = next
            .iter()
            .flat_map(|next| next.witnesses(open.id, open.next()));
        let ended_by = witnesses.next();
        // What most others saw another payload in place of is no loss.
        let is_disowned = next.is_some_and(|next| is_outvoted(&open, next));
        let witness_count = witnesses.count() + usize::from(ended_by.is_some());
        self.past.push_back(Past {
            id: open.id,
            is_lost: is_disowned || open.has_hole(),
            sent: open.sent,
            ended_by,
            witness_count,
        });
    }

    /// What a copy is whose payload is over. More of it than was sent is lost, unless several saw its end.
    pub(super) fn after_the_end(
        &mut self,
        copy: &FrameCopy,
        digest: u64,
        out: &mut Vec<Output>,
    ) -> Verdict {
        let id = copy.header.payload_id;
        let place = usize::try_from(copy.header.index).unwrap_or(usize::MAX);
        let Some(past) = self.past.iter_mut().find(|past| past.id == id) else {
            return Verdict::Late;
        };
        if let Some(print) = past.sent.get(place) {
            return if print.digest == digest {
                Verdict::Duplicate {
                    lag_us: copy.at_us.saturating_sub(print.at_us),
                }
            } else {
                Verdict::Different
            };
        }
        let is_news = !past.sent.is_empty() && !past.is_lost && place < INDICES_MAX;
        let is_outvoted = past.witness_count > 1;
        if is_news && !is_outvoted {
            past.is_lost = true;
            let by = past.ended_by;
            out.push(Output::Lost(Loss::CutOff {
                payload_id: id,
                by,
                continued_by: copy.upstream,
            }));
            if let Some(by) = by {
                self.upstreams[by].doubted_for = DOUBTED_FOR;
            }
        }
        Verdict::Late
    }
}

/// Whether more upstreams saw `next` in the place of `current`.
fn is_outvoted(current: &Open, next: &Open) -> bool {
    next.is_rival(current) && next.sender_count() > current.sender_count()
}
