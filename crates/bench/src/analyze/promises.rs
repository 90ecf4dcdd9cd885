//! Whether the sealed chain is what the stream had promised.

use alloy_primitives::B256;
use alloy_primitives::map::{B256Set, HashSet};

use super::parse::{Parsed, Sealed};
use super::streams::{Stream, Streams};
use crate::{BlockRecord, PromiseFigures};

/// More cases in words say nothing new.
const EXAMPLES_MAX: usize = 10;

/// Compares each block with the flashblocks of its payload. Flashblocks of a payload that was never
/// resolved are no promise of the sealed chain.
pub(super) fn promises(
    blocks: &[BlockRecord],
    parsed: &Parsed,
    streams: &Streams<'_>,
) -> PromiseFigures {
    let mut figures = PromiseFigures::default();
    for (block, sealed) in blocks.iter().zip(&parsed.sealed) {
        let none = Stream::default();
        let stream = streams.of(block).unwrap_or(&none);
        match sealed {
            Ok(sealed) => compare(&mut figures, block, sealed, stream),
            Err(error) => {
                figures.unreadable += 1;
                note(&mut figures, format!("block {}: {error}", block.number));
            }
        }
    }
    for stream in streams.all() {
        figures.contradictions += stream.contradicting.len() as u64;
        for second in &stream.contradicting {
            let payload = hex::encode(second.payload_id);
            let index = second.index;
            note(
                &mut figures,
                format!("payload 0x{payload}: two contents for flashblock {index}"),
            );
        }
    }
    figures
}

fn compare(
    figures: &mut PromiseFigures,
    block: &BlockRecord,
    sealed: &Sealed,
    stream: &Stream<'_>,
) {
    let number = block.number;
    if sealed.zero_root {
        figures.sealed_zero_roots += 1;
        note(figures, format!("block {number}: the state root is zero"));
    }
    let in_block: B256Set = sealed.transactions.iter().copied().collect();
    let mut promised = B256Set::default();
    for flashblock in stream.promised() {
        for hash in &flashblock.transactions {
            if promised.insert(*hash) && !in_block.contains(hash) {
                figures.broken_preconfirmations += 1;
                let index = flashblock.index;
                note(
                    figures,
                    format!("block {number}: {hash} of flashblock {index} is not sealed"),
                );
            }
        }
    }
    for hash in &sealed.transactions {
        if !promised.contains(hash) {
            figures.unstreamed += 1;
            note(
                figures,
                format!("block {number}: {hash} was in no flashblock"),
            );
        }
    }
    if order_changed(stream, &sealed.transactions) {
        figures.order_changes += 1;
        note(
            figures,
            format!("block {number}: the order is not that of the flashblocks"),
        );
    }
}

/// Whether the transactions that both have stand in another order. What only one of them has is
/// counted as broken or unstreamed and would otherwise count twice.
fn order_changed(stream: &Stream<'_>, sealed: &[B256]) -> bool {
    let streamed: Vec<_> = stream
        .first
        .values()
        .flat_map(|flashblock| &flashblock.transactions)
        .collect();
    let in_block: HashSet<_> = sealed.iter().collect();
    let in_stream: HashSet<_> = streamed.iter().copied().collect();
    let of_stream = streamed
        .iter()
        .copied()
        .filter(|hash| in_block.contains(hash));
    let of_block = sealed.iter().filter(|hash| in_stream.contains(hash));
    !of_stream.eq(of_block)
}

fn note(figures: &mut PromiseFigures, example: String) {
    if figures.examples.len() < EXAMPLES_MAX {
        figures.examples.push(example);
    }
}
