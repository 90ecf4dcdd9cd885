//! When flashblocks came.

use std::collections::BTreeMap;

use super::parse::Parsed;
use super::streams::Streams;
use crate::percentiles::ms;
use crate::{BlockRecord, Percentiles, RunRecord, StreamFigures};

/// The figures of the stream, but those of single blocks' beginnings.
pub(super) fn rhythm(record: &RunRecord, parsed: &Parsed, streams: &Streams<'_>) -> StreamFigures {
    let blocks = super::under_load(record);
    let due = record.plan.timing.flashblocks_per_block();
    let filled = |block| {
        streams
            .of(block)
            .map_or(0, |stream| stream.indices_filled())
    };
    let resolved: u64 = record
        .blocks
        .iter()
        .filter_map(|block| streams.of(block))
        .map(|stream| stream.arrived.len() as u64)
        .sum();
    StreamFigures {
        frames: record.frames.len() as u64,
        frames_bytes: record
            .frames
            .iter()
            .map(|frame| frame.bytes.len() as u64)
            .sum(),
        frames_undecodable: parsed.undecodable.len() as u64,
        first_undecodable: parsed.undecodable.first().cloned(),
        flashblocks_expected: due * blocks.len() as u64,
        flashblocks_missing: blocks
            .iter()
            .map(|block| due.saturating_sub(filled(block)))
            .sum(),
        index_gaps: streams.all().map(|stream| stream.gaps).sum(),
        repeated: streams.all().map(|stream| stream.repeated).sum(),
        unresolved: (parsed.flashblocks.len() as u64).saturating_sub(resolved),
        zero_roots: parsed
            .flashblocks
            .iter()
            .filter(|flashblock| flashblock.zero_root)
            .count() as u64,
        after_seal: after_seal(blocks, streams),
        jitter_ms: jitter(record, streams),
        schedule_jitter_ms: schedule_jitter(record, streams),
        longest_silence_ms: ms(longest_silence_us(blocks, parsed)),
        ended_early: record.stream_error.clone(),
        first_flashblock_ms: None,
        first_load_ms: None,
    }
}

fn after_seal(blocks: &[BlockRecord], streams: &Streams<'_>) -> u64 {
    blocks
        .iter()
        .filter_map(|block| Some((block, streams.of(block)?)))
        .map(|(block, stream)| {
            let late = stream
                .first
                .values()
                .filter(|one| one.at_us > block.sealed_us);
            late.count() as u64
        })
        .sum()
}

/// `|later - earlier - interval|` of each two flashblocks in a row, index 0 left out.
fn jitter(record: &RunRecord, streams: &Streams<'_>) -> Option<Percentiles> {
    let interval_us = record.plan.timing.interval_ms * 1_000;
    let mut arrivals: Vec<_> = super::under_load(record)
        .iter()
        .filter_map(|block| streams.of(block))
        .flat_map(|stream| stream.first.range(1..))
        .map(|(_, flashblock)| flashblock.at_us)
        .collect();
    arrivals.sort_unstable();
    let pairs = arrivals.iter().zip(arrivals.iter().skip(1));
    Percentiles::of_us(
        pairs
            .map(|(earlier, later)| (later - earlier).abs_diff(interval_us))
            .collect(),
    )
}

/// Distance of each flashblock from the median place of its index in the slot.
fn schedule_jitter(record: &RunRecord, streams: &Streams<'_>) -> Option<Percentiles> {
    let mut places_us = BTreeMap::<u64, Vec<i64>>::new();
    for block in super::under_load(record) {
        let parent_s = block
            .timestamp_s
            .saturating_sub(record.plan.timing.block_time_s);
        let slot_start_us = parent_s.saturating_mul(1_000_000);
        for (index, flashblock) in streams
            .of(block)
            .iter()
            .flat_map(|stream| stream.first.range(1..))
        {
            let place = flashblock.at_us as i64 - slot_start_us as i64;
            places_us.entry(*index).or_default().push(place);
        }
    }
    let deviations = places_us.into_values().flat_map(|mut places| {
        places.sort_unstable();
        let median = places
            .get((places.len() - 1) / 2)
            .copied()
            .unwrap_or_default();
        places.into_iter().map(move |place| place.abs_diff(median))
    });
    Percentiles::of_us(deviations.collect())
}

fn longest_silence_us(blocks: &[BlockRecord], parsed: &Parsed) -> u64 {
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
        return 0;
    };
    let window = first.started_us..=last.sealed_us;
    let arrivals = parsed.flashblocks.iter().map(|flashblock| flashblock.at_us);
    let mut moments: Vec<_> = arrivals.filter(|at_us| window.contains(at_us)).collect();
    moments.extend([first.started_us, last.sealed_us]);
    moments.sort_unstable();
    let pairs = moments.iter().zip(moments.iter().skip(1));
    pairs
        .map(|(earlier, later)| later - earlier)
        .max()
        .unwrap_or_default()
}
