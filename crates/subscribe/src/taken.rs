//! What was handed out already. Pure.

use std::collections::{BTreeSet, VecDeque};

use blockwright_types::PayloadId;

use crate::{FrameHeader, Gap};

/// Payloads that are remembered: more than a server replays.
const PAYLOADS_MAX: usize = 32;
/// Flashblocks of each that are remembered.
const INDICES_MAX: usize = 8_192;

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It was handed out before.
    Skip,
    /// It is new; whether something may be missing before it.
    Take(Option<Gap>),
}

/// The frames taken over all connections of a stream, by position.
///
/// After a connection was opened again, frames that were taken are left out, until the first that comes behind
/// the last one. From there on every frame is handed out: what a server repeats or contradicts within one
/// connection is for the consumer to judge.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    payloads: VecDeque<Payload>,
    last: Option<FrameHeader>,
    /// The last one is still the place to resume from.
    is_place: bool,
    catching_up: bool,
    /// What comes after the last one follows it without a hole.
    is_proven: bool,
}

#[derive(Debug)]
struct Payload {
    id: PayloadId,
    block_number: Option<u64>,
    indices: BTreeSet<u64>,
}

impl Taken {
    /// The flashblock to resume behind.
    pub(crate) fn place(&self) -> Option<FrameHeader> {
        let numbered = |last: &FrameHeader| last.block_number.is_some();
        self.last.filter(numbered).filter(|_| self.is_place)
    }

    /// The server does not hold that place, and the consumer was told so.
    pub(crate) const fn forget_place(&mut self) {
        self.is_place = false;
    }

    /// A connection stands; whether the server said that it goes on behind [`Self::place`].
    pub(crate) const fn connected(&mut self, is_resumed: bool) {
        self.catching_up = self.last.is_some();
        // A loss that was told of needs no second telling.
        self.is_proven = is_resumed || !self.is_place;
    }

    /// Looks at the next frame, and completes its header from what is known of its payload.
    pub(crate) fn offer(&mut self, header: &mut FrameHeader) -> Offer {
        let is_known = self.payload(header).indices.contains(&header.index);
        if self.catching_up {
            if is_known {
                let of_last = self
                    .last
                    .is_some_and(|last| last.payload_id == header.payload_id);
                self.is_proven |= of_last;
                return Offer::Skip;
            }
            if self.last.is_some_and(|last| is_before(header, &last)) {
                // It fills an older hole.
                self.remember(header);
                return Offer::Take(None);
            }
        }
        let gap = self.gap(header);
        self.catching_up = false;
        self.is_proven = true;
        self.remember(header);
        self.last = Some(*header);
        self.is_place = true;
        Offer::Take(gap)
    }

    fn gap(&self, header: &FrameHeader) -> Option<Gap> {
        let last = self.last?;
        if last.payload_id == header.payload_id {
            return (header.index > last.index + 1).then_some(Gap::Skipped);
        }
        match header.index {
            0 => (!self.is_proven).then_some(Gap::Unproven),
            _ => Some(Gap::Skipped),
        }
    }

    /// The payload's memory; a new one where there was none.
    fn payload(&mut self, header: &mut FrameHeader) -> &mut Payload {
        let found = self
            .payloads
            .iter()
            .position(|payload| payload.id == header.payload_id);
        let place = found.unwrap_or_else(|| {
            if self.payloads.len() == PAYLOADS_MAX {
                self.payloads.pop_front();
            }
            self.payloads.push_back(Payload {
                id: header.payload_id,
                block_number: None,
                indices: BTreeSet::new(),
            });
            self.payloads.len() - 1
        });
        let payload = &mut self.payloads[place];
        payload.block_number = payload.block_number.or(header.block_number);
        header.block_number = payload.block_number;
        payload
    }

    fn remember(&mut self, header: &mut FrameHeader) {
        let index = header.index;
        let indices = &mut self.payload(header).indices;
        indices.insert(index);
        if indices.len() > INDICES_MAX {
            indices.pop_first();
        }
    }
}

/// Whether `header` stands before `last` in the same payload.
fn is_before(header: &FrameHeader, last: &FrameHeader) -> bool {
    header.payload_id == last.payload_id && header.index < last.index
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TAKE: Offer = Offer::Take(None);

    fn header(payload: u8, index: u64) -> FrameHeader {
        FrameHeader {
            payload_id: PayloadId::new([payload; 8]),
            index,
            block_number: (index == 0).then_some(u64::from(payload)),
        }
    }

    fn offer(taken: &mut Taken, (payload, index): (u8, u64)) -> Offer {
        taken.offer(&mut header(payload, index))
    }

    fn first(positions: &[(u8, u64)]) -> Taken {
        let mut taken = Taken::default();
        taken.connected(false);
        for position in positions {
            assert_eq!(offer(&mut taken, *position), TAKE);
        }
        taken
    }

    #[test]
    fn the_place_has_the_payloads_number_whichever_frame_said_it() {
        let taken = first(&[(1, 0), (1, 1)]);
        let place = taken.place().unwrap();
        assert_eq!((place.index, place.block_number), (1, Some(1)));
        assert_eq!(first(&[(1, 4)]).place(), None, "no number, no place");
    }

    #[test]
    fn a_resumed_stream_goes_on_without_a_gap() {
        let mut taken = first(&[(1, 0), (1, 1)]);
        taken.connected(true);
        assert_eq!(offer(&mut taken, (2, 0)), TAKE);
    }

    #[test]
    fn a_replayed_block_is_left_out_and_proves_what_follows() {
        let mut taken = first(&[(1, 0), (1, 1), (1, 2)]);
        taken.connected(false);
        for index in 0..3 {
            assert_eq!(offer(&mut taken, (1, index)), Offer::Skip);
        }
        assert_eq!(offer(&mut taken, (1, 3)), TAKE);
        taken.connected(false);
        for index in 0..4 {
            assert_eq!(offer(&mut taken, (1, index)), Offer::Skip);
        }
        assert_eq!(offer(&mut taken, (2, 0)), TAKE);
    }

    #[test]
    fn what_may_be_missing_is_told() {
        let mut taken = first(&[(1, 0), (1, 1)]);
        taken.connected(false);
        assert_eq!(offer(&mut taken, (2, 0)), Offer::Take(Some(Gap::Unproven)));
        taken.connected(false);
        assert_eq!(offer(&mut taken, (2, 4)), Offer::Take(Some(Gap::Skipped)));
        assert_eq!(offer(&mut taken, (2, 5)), TAKE);
        assert_eq!(offer(&mut taken, (2, 7)), Offer::Take(Some(Gap::Skipped)));
        assert_eq!(offer(&mut taken, (3, 1)), Offer::Take(Some(Gap::Skipped)));
    }

    #[test]
    fn a_place_that_is_not_held_is_given_up_and_told_of_once() {
        let mut taken = first(&[(1, 0), (1, 1)]);
        taken.forget_place();
        assert_eq!(taken.place(), None);
        taken.connected(false);
        assert_eq!(offer(&mut taken, (2, 0)), TAKE);
        assert!(taken.place().is_some());
    }

    #[test]
    fn a_hole_is_filled_by_a_later_replay() {
        let mut taken = first(&[(1, 0)]);
        assert_eq!(offer(&mut taken, (1, 2)), Offer::Take(Some(Gap::Skipped)));
        taken.connected(false);
        let seen: Vec<Offer> = (0..4).map(|index| offer(&mut taken, (1, index))).collect();
        assert_eq!(seen, [Offer::Skip, TAKE, Offer::Skip, TAKE]);
    }

    #[test]
    fn within_a_connection_everything_is_handed_out() {
        let mut taken = first(&[(1, 0), (1, 1)]);
        assert_eq!(offer(&mut taken, (1, 1)), TAKE);
        assert_eq!(offer(&mut taken, (1, 0)), TAKE);
    }

    #[test]
    fn memory_is_bounded() {
        let mut taken = first(&[]);
        for payload in 0..=255 {
            offer(&mut taken, (payload, 0));
        }
        assert_eq!(taken.payloads.len(), PAYLOADS_MAX);
        for index in 1..20_000 {
            offer(&mut taken, (255, index));
        }
        assert_eq!(taken.payloads.back().unwrap().indices.len(), INDICES_MAX);
    }
}
