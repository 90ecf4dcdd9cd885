//! Block by block, and their sum.

use super::fate::Fates;
use super::parse::{Flashblock, Parsed, Sealed};
use super::streams::{Stream, Streams};
use crate::percentiles::{ms, ratio};
use crate::{BlockFigures, BlockRecord, RunRecord, Speed};

/// One entry a block, in order.
pub(super) fn figures(
    record: &RunRecord,
    parsed: &Parsed,
    streams: &Streams<'_>,
    fates: &Fates<'_>,
) -> Vec<BlockFigures> {
    let seals = record.blocks.iter().zip(&parsed.sealed).enumerate();
    seals
        .map(|(position, (block, sealed))| {
            let under_load = position < record.blocks_under_load;
            let mut figures = round_trips(block);
            figures.under_load = under_load;
            if let Ok(sealed) = sealed {
                fill_speed(&mut figures, record, (block, sealed), fates);
            }
            fill_stream(&mut figures, block, streams.of(block), fates);
            if under_load {
                let due = record.plan.timing.flashblocks_per_block();
                figures.flashblocks_missing = due.saturating_sub(figures.flashblocks);
            }
            figures
        })
        .collect()
}

fn round_trips(block: &BlockRecord) -> BlockFigures {
    BlockFigures {
        number: block.number,
        hash: block.hash,
        slip_ms: ms(block.slip_us),
        fork_choice_ms: ms(block.fork_choice_us),
        get_payload_ms: ms(block.get_payload_us),
        new_payload_ms: ms(block.new_payload_us),
        fork_choice_head_ms: ms(block.fork_choice_head_us),
        envelope_bytes: block.envelope.len() as u64,
        ..BlockFigures::default()
    }
}

fn fill_speed(
    figures: &mut BlockFigures,
    record: &RunRecord,
    (block, sealed): (&BlockRecord, &Sealed),
    fates: &Fates<'_>,
) {
    let nominal_s = record.plan.timing.block_time_s as f64;
    let clock_s = block.sealed_us.saturating_sub(block.started_us) as f64 / 1e6;
    let mgas = sealed.gas_used as f64 / 1e6;
    figures.transactions = fates.count(&sealed.transactions);
    figures.gas_used = sealed.gas_used;
    figures.gas_limit = sealed.gas_limit;
    figures.sealed_per_s = ratio(figures.transactions as f64, nominal_s);
    figures.mgas_per_s = ratio(mgas, nominal_s);
    figures.mgas_per_s_by_clock = ratio(mgas, clock_s);
    figures.gas_limit_percent = ratio(mgas * 1e8, sealed.gas_limit as f64);
}

fn fill_stream(
    figures: &mut BlockFigures,
    block: &BlockRecord,
    stream: Option<&Stream<'_>>,
    fates: &Fates<'_>,
) {
    let Some(stream) = stream else {
        return;
    };
    let after_start =
        |flashblock: &Flashblock| ms(flashblock.at_us.saturating_sub(block.started_us));
    let with_load = |flashblock: &&&Flashblock| fates.count(&flashblock.transactions) > 0;
    figures.flashblocks = stream.indices_filled();
    figures.first_flashblock_ms = stream.first.get(&0).map(|first| after_start(first));
    figures.first_load_ms = stream
        .arrived
        .iter()
        .find(with_load)
        .map(|first| after_start(first));
}

/// The sum over the blocks under load.
pub(super) fn speed(record: &RunRecord, figures: &[BlockFigures]) -> Speed {
    let blocks = super::under_load(record);
    let sum = |value: fn(&BlockFigures) -> u64| {
        let loaded = figures.iter().filter(|block| block.under_load);
        loaded.map(value).sum::<u64>()
    };
    let (sealed, gas) = (sum(|block| block.transactions), sum(|block| block.gas_used));
    let nominal_s = record.plan.timing.block_time_s as f64 * blocks.len() as f64;
    let started_us = blocks.first().map_or(0, |block| block.started_us);
    let sealed_us = blocks.last().map_or(0, |block| block.sealed_us);
    let clock_s = sealed_us.saturating_sub(started_us) as f64 / 1e6;
    Speed {
        blocks: blocks.len() as u64,
        sealed,
        gas,
        nominal_s,
        clock_s,
        sealed_per_s: ratio(sealed as f64, nominal_s),
        sealed_per_s_by_clock: ratio(sealed as f64, clock_s),
        mgas_per_s: ratio(gas as f64 / 1e6, nominal_s),
        mgas_per_s_by_clock: ratio(gas as f64 / 1e6, clock_s),
        gas_limit_percent: ratio(gas as f64 * 100.0, sum(|block| block.gas_limit) as f64),
    }
}
