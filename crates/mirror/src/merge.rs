//! Many sequences of flashblocks made into one. Pure: time comes with the copies.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};

use blockwright_subscribe::FrameHeader;
use blockwright_types::PayloadId;
use bytes::Bytes;

use crate::open::{Held, Known, Open, Print, Testimony};

mod succession;
pub use succession::Loss;
use succession::{Past, Usual};

/// Payloads that wait to be sent. Full: the oldest is given up.
const WAITING_MAX: usize = 8;
/// Payloads that are over and known.
const PAST_MAX: usize = 16;

/// What a merge is to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeConfig {
    /// Upstreams there are; they are numbered from 0.
    pub upstreams: usize,
    /// How long a payload that may be incomplete can stand still before a later one replaces it, in
    /// microseconds.
    pub hold_us: u64,
    /// Bytes of frames that may wait. Full: a copy that cannot be sent at once is refused.
    pub held_bytes_max: usize,
}

/// A flashblock as one upstream sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameCopy {
    /// Which upstream.
    pub upstream: usize,
    /// Which flashblock.
    pub header: FrameHeader,
    /// Its bytes.
    pub frame: Bytes,
    /// When it came, in microseconds of a clock that never goes back.
    pub at_us: u64,
}

/// What a copy was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The first one, and its turn.
    First,
    /// The first one; it waits for others.
    Held,
    /// The same bytes as the first one, so much later.
    Duplicate {
        /// Microseconds after the first copy.
        lag_us: u64,
    },
    /// Its payload was over before it was sent.
    Late,
    /// Other bytes than the first one, which stands.
    Different,
    /// There is no room for it, or index 0 does not say its block's number.
    Refused,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The next flashblock.
    Frame(Merged),
    /// Flashblocks of a payload that was begun are missing and will not come. Said once for a payload.
    Lost(Loss),
}

/// A flashblock in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Its payload.
    pub payload_id: PayloadId,
    /// Number of its block.
    pub block_number: u64,
    /// Its index: 0, or one more than the last.
    pub index: u64,
    /// Its bytes.
    pub frame: Bytes,
    /// The upstream that sent it first.
    pub upstream: usize,
}

/// What is known of an upstream.
#[derive(Clone, Debug, Default)]
struct Upstream {
    /// Connected, and not stalled.
    is_live: bool,
    /// The last flashblock it sent.
    at: Option<(PayloadId, u64)>,
    /// It may have missed something since then.
    is_broken: bool,
    /// It sent something of the current payload.
    has_current: bool,
    /// Payloads for which its word alone ends none, because others contradicted it.
    doubted_for: u32,
}

/// The rule by which copies become one sequence. See the crate's documentation.
#[derive(Debug)]
pub struct Merge {
    config: MergeConfig,
    upstreams: Vec<Upstream>,
    current: Option<Open>,
    /// When the current payload grew last.
    grown_us: u64,
    /// Later payloads, in the order in which they were heard of.
    waiting: VecDeque<Open>,
    past: VecDeque<Past>,
    held_bytes: usize,
    /// How long payloads are.
    usual: Usual,
    /// Keyed at random, so that nobody can make two contents look like one.
    hasher: RandomState,
}

impl Merge {
    /// An empty sequence.
    pub fn new(config: MergeConfig) -> Self {
        Self {
            upstreams: vec![Upstream::default(); config.upstreams],
            config,
            current: None,
            grown_us: 0,
            waiting: VecDeque::new(),
            past: VecDeque::new(),
            held_bytes: 0,
            usual: Usual::default(),
            hasher: RandomState::new(),
        }
    }

    /// An upstream is connected.
    pub fn connected(&mut self, upstream: usize) {
        if let Some(upstream) = self.upstreams.get_mut(upstream) {
            upstream.is_live = true;
        }
    }

    /// An upstream may have missed flashblocks since its last one.
    pub fn broken(&mut self, upstream: usize) {
        if let Some(upstream) = self.upstreams.get_mut(upstream) {
            upstream.is_broken = true;
        }
    }

    /// Nothing is to be expected from an upstream: it is disconnected or stalled. Whoever waited for
    /// it waits no longer.
    pub fn silent(&mut self, upstream: usize, now_us: u64, out: &mut Vec<Output>) {
        if let Some(upstream) = self.upstreams.get_mut(upstream) {
            upstream.is_live = false;
        }
        self.settle(now_us, out);
    }

    /// Looks at the time.
    pub fn tick(&mut self, now_us: u64, out: &mut Vec<Output>) {
        self.settle(now_us, out);
    }

    /// When [`Self::tick`] has something to do.
    pub fn due_us(&self) -> Option<u64> {
        let waiting = self.waiting.iter().filter(|open| self.may_time_out(open));
        waiting.map(|open| self.out_of_time_us(open)).min()
    }

    /// Takes a copy. What can be sent now is added to `out`.
    pub fn take(&mut self, copy: FrameCopy, out: &mut Vec<Output>) -> Verdict {
        let now_us = copy.at_us;
        let (payload_id, index) = (copy.header.payload_id, copy.header.index);
        let Some(upstream) = self.upstreams.get_mut(copy.upstream) else {
            return Verdict::Refused;
        };
        upstream.is_live = true;
        let was_broken = core::mem::take(&mut upstream.is_broken);
        let before = upstream.at.replace((payload_id, index));
        let current = self.current.as_ref().map(|current| current.id);
        upstream.has_current |= current == Some(payload_id);
        let digest = self.hasher.hash_one(&copy.frame);
        self.withdraw(copy.upstream, payload_id);
        if self.past.iter().any(|past| past.id == payload_id) {
            return self.after_the_end(&copy, digest, out);
        }
        if let Some((left, index)) = before.filter(|(id, _)| *id != payload_id) {
            let testimony = Testimony {
                before: left,
                last_index: index,
                upstream: copy.upstream,
                is_whole: !was_broken,
            };
            self.open(payload_id, now_us).follow(testimony);
        }
        let verdict = self.place(copy, digest);
        let sent = out.len();
        self.settle(now_us, out);
        let is_it = |output: &Output| matches!(output, Output::Frame(merged) if merged.payload_id == payload_id && merged.index == index);
        match verdict {
            Verdict::Held if out[sent..].iter().any(is_it) => Verdict::First,
            other => other,
        }
    }

    /// The payload, which is made to wait where it is new.
    fn open(&mut self, id: PayloadId, now_us: u64) -> &mut Open {
        let is_current = self
            .current
            .as_ref()
            .is_some_and(|current| current.id == id);
        if !is_current && !self.waiting.iter().any(|open| open.id == id) {
            if self.waiting.len() == WAITING_MAX
                && let Some(oldest) = self.waiting.pop_front()
            {
                self.retire(oldest, None);
            }
            self.waiting.push_back(Open::new(id, now_us));
        }
        let waiting = self.waiting.iter_mut();
        let mut all = self.current.iter_mut().chain(waiting);
        all.find(|open| open.id == id)
            .expect("it is the current one, waited before or was pushed above")
    }

    /// Puts a copy where it belongs.
    fn place(&mut self, copy: FrameCopy, digest: u64) -> Verdict {
        let FrameCopy {
            upstream,
            header,
            frame,
            at_us,
        } = copy;
        let room = self.config.held_bytes_max.saturating_sub(self.held_bytes);
        let current = self
            .current
            .as_ref()
            .map(|current| (current.id, current.next()));
        let is_next = current == Some((header.payload_id, header.index));
        let open = self.open(header.payload_id, at_us);
        open.block_number = open.block_number.or(header.block_number);
        open.came_from(upstream);
        match open.compare(header.index, digest) {
            Known::Same { at_us: first_us } => Verdict::Duplicate {
                lag_us: at_us.saturating_sub(first_us),
            },
            Known::Other => Verdict::Different,
            Known::New if open.block_number.is_none() && header.index == 0 => Verdict::Refused,
            Known::New if is_next || frame.len() <= room => {
                let size_bytes = frame.len();
                let print = Print { digest, at_us };
                open.hold(
                    header.index,
                    Held {
                        print,
                        upstream,
                        frame,
                    },
                );
                self.held_bytes += size_bytes;
                Verdict::Held
            }
            Known::New | Known::TooFar => Verdict::Refused,
        }
    }

    /// Sends what can be sent, also what that makes possible.
    fn settle(&mut self, now_us: u64, out: &mut Vec<Output>) {
        loop {
            self.flush(now_us, out);
            let Some(place) = self.successor(now_us) else {
                return;
            };
            self.begin(place, now_us, out);
        }
    }

    fn flush(&mut self, now_us: u64, out: &mut Vec<Output>) {
        let Some(current) = &mut self.current else {
            return;
        };
        // A number is known before index 0 is taken.
        let Some(block_number) = current.block_number else {
            return;
        };
        loop {
            let index = current.next();
            let Some(held) = current.take_next() else {
                return;
            };
            self.grown_us = now_us;
            self.held_bytes = self.held_bytes.saturating_sub(held.frame.len());
            out.push(Output::Frame(Merged {
                payload_id: current.id,
                block_number,
                index,
                frame: held.frame,
                upstream: held.upstream,
            }));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
