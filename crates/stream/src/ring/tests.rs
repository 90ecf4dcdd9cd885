use std::time::Duration;

use blockwright_types::{Flashblock, PayloadId};

use super::*;
use blockwright_flashblocks::Form;

use crate::frame::Frame;
use crate::payload::{Payload, Published};

fn ring(frames_max: usize, size_bytes_max: usize) -> Ring {
    Ring::new(RingLimits {
        age: Duration::from_secs(60),
        frames_max,
        size_bytes_max,
    })
}

/// A flashblock of ten bytes.
fn entry(payload: u8, block_number: u64, index: u64) -> Arc<Entry> {
    let position = Position {
        payload_id: PayloadId::new([payload; 8]),
        block_number,
        index,
    };
    let frame = Frame::Binary(vec![0; 10].into());
    Arc::new(Entry::relayed(position, Form::default(), frame))
}

fn seen(block_number: u64, index: u64, payload: Option<u8>) -> LastSeen {
    LastSeen {
        block_number,
        index,
        payload_id: payload.map(|payload| PayloadId::new([payload; 8])),
    }
}

/// Blocks `1..=blocks` of three flashblocks each.
fn fill(ring: &mut Ring, blocks: u8) -> usize {
    let mut evicted = 0;
    for block in 1..=blocks {
        for index in 0..3 {
            evicted += ring.push(entry(block, u64::from(block), index)).len();
        }
    }
    evicted
}

#[test]
fn what_is_held_is_bounded_in_count_and_bytes() {
    let mut by_count = ring(10, usize::MAX);
    assert_eq!(fill(&mut by_count, 9), 17);
    assert_eq!((by_count.len(), by_count.end()), (10, 27));
    let mut by_bytes = ring(usize::MAX, 80);
    assert_eq!(fill(&mut by_bytes, 9), 19);
    assert_eq!(by_bytes.size_bytes(), 80);
    assert!(matches!(by_bytes.get(18), Found::Gone));
    assert!(matches!(by_bytes.get(19), Found::Item(_)));
    assert!(matches!(by_bytes.get(27), Found::NotYet));
}

/// What frames are made of is held until the last one of their payload goes.
#[test]
fn a_payloads_flashblocks_count_as_long_as_one_of_its_frames_is_held() {
    let mut ring = ring(4, usize::MAX);
    let flashblock = Arc::new(Flashblock {
        payload_id: PayloadId::new([1; 8]),
        index: 0,
        base: None,
        block_number: 1,
        state_root: Default::default(),
        receipts_root: Default::default(),
        logs_bloom: Default::default(),
        gas_used: 0,
        block_hash: Default::default(),
        withdrawals_root: Default::default(),
        blob_gas_used: None,
        part: Arc::default(),
    });
    let published = |payload: &Arc<Payload>, index| {
        let flashblock = Flashblock {
            index,
            ..Flashblock::clone(&flashblock)
        };
        let published = Published {
            flashblock: Arc::new(flashblock),
            signature: None,
        };
        payload.push(published.clone());
        let frame = Frame::Binary(vec![0; 10].into());
        Arc::new(Entry::ours(Arc::clone(payload), &published, frame))
    };
    let payloads = [0, 1, 2].map(|_| Arc::new(Payload::behind(None)));
    let sizes = |held: &[usize]| -> usize {
        let sizes = held.iter().map(|payload| payloads[*payload].size_bytes());
        sizes.sum()
    };
    for payload in &payloads[..2] {
        for index in 0..2 {
            ring.push(published(payload, index));
        }
    }
    // The first frame of the first payload goes, its second one still needs both flashblocks.
    ring.push(published(&payloads[2], 0));
    assert!(sizes(&[0]) > 0);
    assert_eq!((ring.len(), ring.size_bytes()), (4, 40 + sizes(&[0, 1, 2])));
    ring.push(published(&payloads[2], 1));
    assert_eq!((ring.len(), ring.size_bytes()), (4, 40 + sizes(&[1, 2])));
    // Frames without flashblocks behind them count for themselves.
    ring.push(entry(9, 9, 0));
    ring.push(entry(9, 9, 1));
    assert_eq!((ring.len(), ring.size_bytes()), (4, 40 + sizes(&[2])));
}

#[test]
fn this_block_and_the_one_before_stay_whatever_their_size() {
    let mut ring = ring(1, 1);
    fill(&mut ring, 5);
    assert_eq!(ring.len(), 6);
    assert_eq!(ring.block_start(), 12);
    let (oldest, newest) = ring.span().unwrap();
    assert_eq!((oldest.block_number, oldest.index), (4, 0));
    assert_eq!((newest.block_number, newest.index), (5, 2));
}

#[test]
fn what_is_too_old_goes() {
    let mut ring = ring(usize::MAX, usize::MAX);
    assert_eq!(fill(&mut ring, 3), 0);
    let mut late = Arc::into_inner(entry(4, 4, 0)).unwrap();
    late.at += Duration::from_secs(61);
    assert_eq!(ring.push(Arc::new(late)).len(), 6);
    assert_eq!(ring.after(&seen(2, 2, None)), None);
    assert_eq!(ring.after(&seen(3, 0, None)), Some(7));
}

#[test]
fn the_next_one_follows_the_last_one_seen() {
    let mut ring = ring(usize::MAX, usize::MAX);
    fill(&mut ring, 3);
    for (number, position) in (0u64..9).map(|number| (number, (number / 3 + 1, number % 3))) {
        let seen = seen(position.0, position.1, None);
        assert_eq!(ring.after(&seen), Some(number + 1));
    }
    for unknown in [(1, 3), (0, 0), (4, 0)] {
        assert_eq!(ring.after(&seen(unknown.0, unknown.1, None)), None);
    }
}

#[test]
fn two_payloads_for_one_block_are_told_apart_or_the_later_one_comes_whole() {
    let mut ring = ring(usize::MAX, usize::MAX);
    for (payload, index) in [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1)] {
        ring.push(entry(payload, 7, index));
    }
    assert_eq!(ring.after(&seen(7, 1, Some(1))), Some(2));
    assert_eq!(ring.after(&seen(7, 1, Some(2))), Some(5));
    assert_eq!(ring.after(&seen(7, 1, None)), Some(3));
    assert_eq!(ring.after(&seen(7, 2, None)), Some(3), "only one has it");
}

#[test]
fn whoever_resumes_at_a_loss_goes_on_behind_it() {
    let mut ring = ring(usize::MAX, usize::MAX);
    fill(&mut ring, 1);
    ring.push_gap();
    assert_eq!(ring.block_start(), 4, "a broken block is not replayed");
    assert_eq!(ring.after(&seen(1, 2, None)), Some(4));
    assert_eq!(ring.after(&seen(1, 1, None)), Some(2));
    ring.push(entry(2, 2, 0));
    assert_eq!(ring.block_start(), 4);
}
