//! Whether the subscriber that was cut off had what the others had.

use std::collections::BTreeMap;

use blockwright_flashblocks::Form;
use blockwright_subscribe::peek;

use crate::resuming::digest;
use crate::{ResumingFigures, ResumingRecord, RunRecord, SeenFrame};

/// Figures of the resuming subscriber; `None` where there was none.
pub(super) fn figures(record: &RunRecord) -> Option<ResumingFigures> {
    let resuming = record.resuming.as_ref()?;
    let all: Vec<SeenFrame> = record
        .frames
        .iter()
        .filter_map(|frame| seen(&frame.bytes))
        .collect();
    Some(compare(resuming, &all))
}

fn seen(frame: &[u8]) -> Option<SeenFrame> {
    let header = peek(Form::default(), frame).ok()?;
    Some(SeenFrame {
        payload_id: u64::from_be_bytes(header.payload_id.0.0),
        index: header.index,
        digest: digest(frame),
    })
}

/// Compares what it had with `all` there was, from the first one of `all` that it had on: before that it
/// was not there yet.
fn compare(resuming: &ResumingRecord, all: &[SeenFrame]) -> ResumingFigures {
    let key = |frame: &SeenFrame| (frame.payload_id, frame.index);
    let mut had: BTreeMap<(u64, u64), (u64, u64)> = BTreeMap::new();
    for frame in &resuming.frames {
        let (times, _) = had.entry(key(frame)).or_insert((0, frame.digest));
        *times += 1;
    }
    let first = all.iter().position(|frame| had.contains_key(&key(frame)));
    let expected = &all[first.unwrap_or_default()..];
    let in_order: Vec<_> = expected.iter().map(key).collect();
    let places: BTreeMap<_, _> = in_order.iter().zip(0_usize..).collect();
    let known = resuming.frames.iter().map(key);
    let known: Vec<_> = known.filter_map(|key| places.get(&key)).collect();
    ResumingFigures {
        connections: resuming.connections,
        flashblocks: resuming.frames.len() as u64,
        gaps: resuming.gaps,
        missing: in_order.iter().filter(|key| !had.contains_key(key)).count() as u64,
        repeated: had.values().map(|(times, _)| times - 1).sum(),
        differing: expected
            .iter()
            .filter(|frame| {
                had.get(&key(frame))
                    .is_some_and(|(_, digest)| *digest != frame.digest)
            })
            .count() as u64,
        out_of_order: known.windows(2).filter(|two| two[0] > two[1]).count() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(of: &[(u64, u64)]) -> Vec<SeenFrame> {
        let frame = |(payload_id, index): &(u64, u64)| SeenFrame {
            payload_id: *payload_id,
            index: *index,
            digest: payload_id * 100 + index,
        };
        of.iter().map(frame).collect()
    }

    fn compared(had: &[(u64, u64)], all: &[(u64, u64)]) -> ResumingFigures {
        let record = ResumingRecord {
            frames: frames(had),
            connections: 2,
            gaps: 0,
        };
        compare(&record, &frames(all))
    }

    const ALL: [(u64, u64); 6] = [(7, 1), (9, 0), (9, 1), (3, 0), (3, 1), (3, 2)];

    #[test]
    fn one_that_had_everything_since_it_came_misses_nothing() {
        let figures = compared(&ALL[2..], &ALL);
        let ResumingFigures {
            missing,
            repeated,
            differing,
            out_of_order,
            ..
        } = figures;
        assert_eq!((missing, repeated, differing, out_of_order), (0, 0, 0, 0));
        assert_eq!((figures.connections, figures.flashblocks), (2, 4));
    }

    #[test]
    fn what_is_missing_twice_there_or_out_of_order_counts() {
        let figures = compared(&[(7, 1), (9, 1), (9, 0), (9, 0), (3, 2)], &ALL);
        assert_eq!((figures.missing, figures.repeated), (2, 1));
        assert_eq!(figures.out_of_order, 1);
        assert_eq!(compared(&[], &ALL).missing, 6);
    }

    #[test]
    fn another_content_counts() {
        let mut record = ResumingRecord {
            frames: frames(&ALL),
            ..ResumingRecord::default()
        };
        record.frames[3].digest = 1;
        assert_eq!(compare(&record, &frames(&ALL)).differing, 1);
    }
}
