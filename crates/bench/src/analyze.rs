//! From what was recorded to figures.

mod blocks;
mod crowd;
mod fate;
mod parse;
mod promises;
mod resuming;
mod rhythm;
mod streams;

use crate::percentiles::{ms, ratio};
use crate::{
    BlockRecord, EngineFigures, Machine, Percentiles, ProcessFigures, ProcessUsage, Report,
    RunRecord, UsageFigures, ValidationFigures,
};
use fate::Fates;
use streams::Streams;

/// A fork choice later than this is a slot that slipped.
const SLIP_US: u64 = 10_000;

/// Computes a run's figures. Reads all frames and envelopes on all cores, so it comes after the run.
pub fn analyze(record: &RunRecord) -> Report {
    let parsed = parse::parse(&record.frames, &record.blocks);
    let streams = Streams::new(&parsed.flashblocks);
    let fates = Fates::new(record, &parsed, &streams);
    let blocks = blocks::figures(record, &parsed, &streams, &fates);
    let mut stream = rhythm::rhythm(record, &parsed, &streams);
    let beginnings = |when: fn(&crate::BlockFigures) -> Option<f64>| {
        let blocks = blocks.iter().filter(|block| block.under_load);
        Percentiles::of_us(
            blocks
                .filter_map(when)
                .map(|ms| (ms * 1_000.0).round() as u64)
                .collect(),
        )
    };
    stream.first_flashblock_ms = beginnings(|block| block.first_flashblock_ms);
    stream.first_load_ms = beginnings(|block| block.first_load_ms);
    Report {
        plan: record.plan.clone(),
        client_version: record.client_version.clone(),
        started_unix_ms: record.started_us / 1_000,
        duration_s: ms(record.ended_us.saturating_sub(record.started_us)) / 1_000.0,
        speed: blocks::speed(record, &blocks),
        stream,
        engine: engine(record),
        transactions: fates.figures(record.plan.pace),
        promises: promises::promises(&record.blocks, &parsed, &streams),
        usage: usage(record),
        machine: Machine {
            other_cpu_s: ratio(record.machine.other_cpu_s, 1.0),
            ..record.machine.clone()
        },
        validation: validation(record),
        crowd: crowd::figures(record),
        trouble: record.trouble,
        resuming: resuming::figures(record),
        blocks,
    }
}

/// The blocks that figures of speed look at.
fn under_load(record: &RunRecord) -> &[BlockRecord] {
    let count = record.blocks_under_load.min(record.blocks.len());
    record.blocks.get(..count).unwrap_or_default()
}

fn engine(record: &RunRecord) -> EngineFigures {
    let blocks = under_load(record);
    let of = |duration_us: fn(&BlockRecord) -> u64| {
        Percentiles::of_us(blocks.iter().map(duration_us).collect())
    };
    let slips = || blocks.iter().map(|block| block.slip_us);
    EngineFigures {
        fork_choice_ms: of(|block| block.fork_choice_us),
        get_payload_ms: of(|block| block.get_payload_us),
        new_payload_ms: of(|block| block.new_payload_us),
        fork_choice_head_ms: of(|block| block.fork_choice_head_us),
        slots_slipped: slips().filter(|slip_us| *slip_us > SLIP_US).count() as u64,
        slip_max_ms: ms(slips().max().unwrap_or_default()),
        slots_missed: record.slots_missed,
    }
}

fn usage(record: &RunRecord) -> UsageFigures {
    let first_us = record
        .blocks
        .first()
        .map_or(record.started_us, |block| block.started_us);
    let last_us = record
        .blocks
        .last()
        .map_or(record.ended_us, |block| block.sealed_us);
    let span_s = last_us.saturating_sub(first_us) as f64 / 1e6;
    let process = |usage: &ProcessUsage| ProcessFigures {
        cpu_s: ratio(usage.cpu_s, 1.0),
        core_percent: ratio(usage.cpu_s * 100.0, span_s),
        rss_peak_mb: ratio(usage.rss_peak_bytes as f64, 1e6),
    };
    UsageFigures {
        builder: record.builder.as_ref().map(process),
        meter: process(&record.meter),
        other_core_percent: ratio(record.machine.other_cpu_s * 100.0, span_s),
    }
}

fn validation(record: &RunRecord) -> ValidationFigures {
    let invalid = || {
        record
            .validations
            .iter()
            .filter(|verdict| verdict.status != "VALID")
    };
    ValidationFigures {
        blocks: record.validations.len() as u64,
        invalid: invalid().count() as u64,
        first_invalid: invalid()
            .next()
            .map(|verdict| format!("block {}: {}", verdict.number, verdict.status)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
