//! When which flashblock was where.

use std::cell::RefCell;

use crate::CrowdRecord;

/// Most deliveries that are kept: 16 bytes each.
const DELIVERIES_MAX: usize = 50_000_000;

/// Which flashblock: the payload's id as a big-endian number, and the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlashblockKey {
    /// Payload id.
    pub payload_id: u64,
    /// Index in the payload.
    pub index: u32,
}

impl FlashblockKey {
    /// Whether this one may come right after `before` on a stream.
    pub(crate) const fn follows(self, before: Self) -> bool {
        if self.payload_id == before.payload_id {
            self.index == before.index + 1
        } else {
            self.index == 0
        }
    }
}

/// The last byte of a flashblock's frame at a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which one.
    pub flashblock: FlashblockKey,
    /// When, in microseconds since the epoch.
    pub at_us: u64,
}

/// What all members saw.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    record: CrowdRecord,
}

impl Deliveries {
    pub(crate) fn into_record(self) -> CrowdRecord {
        self.record
    }
}

/// [`Deliveries`] as the members of one thread share them.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    deliveries: RefCell<Deliveries>,
}

impl Shared {
    /// A member has `flashblock` whole; the one before was `before`.
    pub(crate) fn delivered(&self, delivery: Delivery, before: Option<FlashblockKey>) {
        let record = &mut self.deliveries.borrow_mut().record;
        if before.is_some_and(|before| !delivery.flashblock.follows(before)) {
            record.gaps += 1;
        }
        if record.deliveries.len() < DELIVERIES_MAX {
            record.deliveries.push(delivery);
        } else {
            record.unrecorded += 1;
        }
    }

    /// A member's connection ended.
    pub(crate) fn lost(&self, cause: String) {
        let record = &mut self.deliveries.borrow_mut().record;
        record.lost += 1;
        record.first_loss.get_or_insert(cause);
    }

    pub(crate) fn take(&self) -> Deliveries {
        self.deliveries.take()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const fn key(payload_id: u64, index: u32) -> FlashblockKey {
        FlashblockKey { payload_id, index }
    }

    #[test]
    fn what_does_not_follow_is_a_gap() {
        let shared = Shared::default();
        let mut before = None;
        for flashblock in [
            key(1, 3),
            key(1, 4),
            key(2, 0),
            key(2, 2),
            key(3, 1),
            key(3, 1),
        ] {
            let delivery = Delivery {
                flashblock,
                at_us: 7,
            };
            shared.delivered(delivery, before);
            before = Some(flashblock);
        }
        shared.lost("closed".to_owned());
        shared.lost("again".to_owned());
        let record = shared.take().into_record();
        assert_eq!((record.gaps, record.deliveries.len()), (3, 6));
        assert_eq!(
            (record.lost, record.first_loss.unwrap().as_str()),
            (2, "closed")
        );
    }
}
