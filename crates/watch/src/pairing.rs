//! Frames of a JSON dialect and the ones of dialect `spec` that came beside them. Pure: time comes with
//! the frames and with the question.

use std::collections::VecDeque;

use blockwright_flashblocks::{Dialect, Form, MetadataDetail};
use blockwright_subscribe::{FrameHeader, peek};
use blockwright_types::PayloadId;

use crate::Heard;

/// How much waits for its other half, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairingLimits {
    /// Frames of each dialect.
    pub frames_max: usize,
    /// Their bytes, for each dialect.
    pub bytes_max: usize,
    /// How long a JSON frame waits, in microseconds from its arrival.
    pub wait_us: u64,
}

impl Default for PairingLimits {
    fn default() -> Self {
        Self {
            frames_max: 1_024,
            bytes_max: 64 * 1024 * 1024,
            wait_us: 5_000_000,
        }
    }
}

/// A JSON frame with what came beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The JSON frame.
    pub heard: Heard,
    /// The frame of dialect `spec` with the same payload id and index; `None` where it never came.
    pub beside: Option<Heard>,
}

type Key = (PayloadId, u64);

#[derive(Debug, Default)]
struct Waiting {
    /// In order of arrival. Without a key: it has no position that could be read.
    frames: VecDeque<(Option<Key>, Heard)>,
    size_bytes: usize,
}

/// Brings two subscriptions of one stream together, in the order of the JSON frames.
///
/// A JSON frame is held until the other one is there, and those behind it with it. It goes alone where
/// the other one does not come in time, or where the frames that wait are too many or too large.
/// Frames of `spec` are kept after they were used, so that a repeated JSON frame finds its own; the oldest is
/// forgotten when they are too many or too large.
#[derive(Debug, Default)]
pub struct Pairing {
    limits: PairingLimits,
    json: Waiting,
    spec: Waiting,
}

impl Pairing {
    /// A pairing with these limits.
    pub fn new(limits: PairingLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Takes a frame of either side. Of two frames of `spec` for one position the first one stays.
    pub fn take(&mut self, heard: Heard) {
        let form = Form::new(heard.dialect, MetadataDetail::Full);
        let header = peek(form, &heard.frame).ok();
        let key = header.map(
            |FrameHeader {
                 payload_id, index, ..
             }| (payload_id, index),
        );
        if heard.dialect != Dialect::Spec {
            self.json.push(key, heard);
            return;
        }
        if key.is_some() && self.spec.find(key).is_none() {
            self.spec.push(key, heard);
            while self.spec.exceeds(&self.limits) {
                self.spec.pop();
            }
        }
    }

    /// The next JSON frame that waits no longer.
    pub fn next(&mut self, now_us: u64) -> Option<Pair> {
        let (key, heard) = self.json.frames.front()?;
        let beside = self.spec.find(*key).cloned();
        let is_late = now_us.saturating_sub(heard.at_us) >= self.limits.wait_us;
        // What cannot be read has no other half.
        let may_come = key.is_some() && beside.is_none();
        if may_come && !is_late && !self.json.exceeds(&self.limits) {
            return None;
        }
        let heard = self.json.pop()?;
        Some(Pair { heard, beside })
    }

    /// When the first JSON frame that waits has waited long enough, in microseconds since the epoch.
    pub fn due_us(&self) -> Option<u64> {
        let (_, heard) = self.json.frames.front()?;
        Some(heard.at_us.saturating_add(self.limits.wait_us))
    }
}

impl Waiting {
    fn push(&mut self, key: Option<Key>, heard: Heard) {
        self.size_bytes += heard.frame.len();
        self.frames.push_back((key, heard));
    }

    fn pop(&mut self) -> Option<Heard> {
        let (_, heard) = self.frames.pop_front()?;
        self.size_bytes -= heard.frame.len();
        Some(heard)
    }

    /// The newest are looked at first: what is asked for came just now.
    fn find(&self, key: Option<Key>) -> Option<&Heard> {
        let key = key?;
        let mut newest = self.frames.iter().rev();
        let found = newest.find(|(other, _)| *other == Some(key))?;
        Some(&found.1)
    }

    /// Whether there is more than may wait; a single frame may, whatever its size is.
    fn exceeds(&self, limits: &PairingLimits) -> bool {
        let many = self.frames.len() > limits.frames_max || self.size_bytes > limits.bytes_max;
        many && self.frames.len() > 1
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn json(payload: u8, index: u64, at_us: u64) -> Heard {
        let id = PayloadId::new([payload; 8]);
        Heard {
            at_us,
            dialect: Dialect::V1,
            frame: format!("{{\"payload_id\":\"{id}\",\"index\":{index}}}").into(),
        }
    }

    /// As much of a container as a position takes.
    fn spec(payload: u8, index: u64) -> Heard {
        let mut frame = vec![0, 0, 0, 1];
        frame.extend([payload; 8]);
        frame.extend([36, 0, 0, 0]);
        frame.extend(index.to_le_bytes());
        for _ in 0..3 {
            frame.extend([36, 0, 0, 0]);
        }
        Heard {
            at_us: 0,
            dialect: Dialect::Spec,
            frame: frame.into(),
        }
    }

    fn pair(heard: Heard, beside: Option<Heard>) -> Option<Pair> {
        Some(Pair { heard, beside })
    }

    #[test]
    fn frames_meet_in_the_order_of_json_whichever_came_first() {
        let mut pairing = Pairing::default();
        pairing.take(spec(1, 1));
        pairing.take(json(1, 0, 10));
        pairing.take(json(1, 1, 20));
        assert_eq!(
            pairing.next(30),
            None,
            "the first one waits, and all behind it"
        );
        assert_eq!(pairing.due_us(), Some(5_000_010));
        pairing.take(spec(1, 0));
        assert_eq!(pairing.next(30), pair(json(1, 0, 10), Some(spec(1, 0))));
        assert_eq!(pairing.next(30), pair(json(1, 1, 20), Some(spec(1, 1))));
        assert_eq!((pairing.next(30), pairing.due_us()), (None, None));
        // One that is sent again finds its other half again.
        pairing.take(json(1, 1, 40));
        assert_eq!(pairing.next(40), pair(json(1, 1, 40), Some(spec(1, 1))));
    }

    #[test]
    fn one_that_waited_long_enough_goes_alone() {
        let mut pairing = Pairing::default();
        pairing.take(json(1, 0, 10));
        pairing.take(spec(2, 0));
        assert_eq!(pairing.next(5_000_009), None);
        assert_eq!(pairing.next(5_000_010), pair(json(1, 0, 10), None));
        // What has no position does not wait, for nothing can be its other half.
        let noise = Heard {
            frame: "{".into(),
            ..json(1, 0, 10)
        };
        pairing.take(noise.clone());
        assert_eq!(pairing.next(10), pair(noise, None));
    }

    #[test]
    fn what_waits_is_bounded() {
        let limits = PairingLimits {
            frames_max: 2,
            ..PairingLimits::default()
        };
        let mut pairing = Pairing::new(limits);
        for index in 0..4 {
            pairing.take(json(1, index, 10));
            pairing.take(spec(2, index));
        }
        assert_eq!(pairing.next(10), pair(json(1, 0, 10), None));
        assert_eq!(pairing.next(10), pair(json(1, 1, 10), None));
        assert_eq!(pairing.next(10), None, "two may wait");
        assert_eq!(pairing.spec.frames.len(), 2);
        let bytes = PairingLimits {
            bytes_max: 1,
            ..PairingLimits::default()
        };
        let mut pairing = Pairing::new(bytes);
        pairing.take(spec(1, 0));
        pairing.take(spec(1, 1));
        assert_eq!(
            pairing.spec.frames.len(),
            1,
            "one is kept whatever its size"
        );
        let size = spec(1, 1).frame.len();
        assert_eq!(pairing.spec.size_bytes, size);
    }

    #[test]
    fn the_first_of_two_contents_stays() {
        let mut pairing = Pairing::default();
        pairing.take(spec(1, 0));
        let mut other = spec(1, 0);
        other.frame = [&other.frame[..], &[1]].concat().into();
        pairing.take(other);
        pairing.take(json(1, 0, 1));
        assert_eq!(pairing.next(1), pair(json(1, 0, 1), Some(spec(1, 0))));
    }
}
