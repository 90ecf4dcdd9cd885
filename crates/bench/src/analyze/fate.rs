//! What became of each transaction of the load.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use alloy_primitives::map::B256Map;

use super::parse::Parsed;
use super::streams::Streams;
use crate::{Pace, Percentiles, RunRecord, SentTransaction, TransactionFigures, TxOutcome};

/// Different messages that are kept.
const REFUSALS_MAX: usize = 20;

/// Where a transaction was seen, in microseconds since the epoch.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    streamed_us: Option<u64>,
    sealed_us: Option<u64>,
}

/// The load by hash.
#[derive(Debug)]
pub(super) struct Fates<'a> {
    transactions: &'a [SentTransaction],
    positions: B256Map<usize>,
    seen: Vec<Seen>,
}

impl<'a> Fates<'a> {
    /// Finds every transaction of the load in the stream and in the blocks.
    pub(super) fn new(record: &'a RunRecord, parsed: &Parsed, streams: &Streams<'_>) -> Self {
        let transactions = &record.transactions;
        let positions = transactions.iter().enumerate();
        let mut fates = Self {
            transactions,
            positions: positions
                .map(|(position, tx)| (tx.hash, position))
                .collect(),
            seen: vec![Seen::default(); transactions.len()],
        };
        for (block, sealed) in record.blocks.iter().zip(&parsed.sealed) {
            for flashblock in streams.of(block).iter().flat_map(|stream| &stream.arrived) {
                fates.mark(&flashblock.transactions, |seen| {
                    earliest(&mut seen.streamed_us, flashblock.at_us);
                });
            }
            if let Ok(sealed) = sealed {
                fates.mark(&sealed.transactions, |seen| {
                    earliest(&mut seen.sealed_us, block.sealed_us);
                });
            }
        }
        fates
    }

    fn mark(&mut self, hashes: &[alloy_primitives::B256], mut update: impl FnMut(&mut Seen)) {
        for hash in hashes {
            let position = self.positions.get(hash);
            if let Some(seen) = position.and_then(|position| self.seen.get_mut(*position)) {
                update(seen);
            }
        }
    }

    /// How many of `hashes` are of the load.
    pub(super) fn count(&self, hashes: &[alloy_primitives::B256]) -> u64 {
        hashes
            .iter()
            .filter(|hash| self.positions.contains_key(*hash))
            .count() as u64
    }

    /// The figures.
    pub(super) fn figures(&self, pace: Pace) -> TransactionFigures {
        let count = |want: fn(&TxOutcome) -> bool| {
            self.transactions
                .iter()
                .filter(|tx| want(&tx.outcome))
                .count() as u64
        };
        let accepted = count(|outcome| *outcome == TxOutcome::Accepted);
        let unanswered = count(|outcome| *outcome == TxOutcome::Unanswered);
        let refused = count(|outcome| matches!(outcome, TxOutcome::Refused { .. }));
        let lost = self.transactions.iter().zip(&self.seen);
        let lost =
            lost.filter(|(tx, seen)| tx.outcome == TxOutcome::Accepted && seen.sealed_us.is_none());
        let prefilled = matches!(pace, Pace::Prefilled { .. });
        let delays = |when: fn(&Seen) -> Option<u64>| {
            let delays = (!prefilled).then(|| self.delays_us(when));
            delays.and_then(Percentiles::of_us)
        };
        TransactionFigures {
            sent: accepted + unanswered + refused,
            accepted,
            unanswered,
            refused,
            refusals: self.refusals(),
            sealed: self
                .seen
                .iter()
                .filter(|seen| seen.sealed_us.is_some())
                .count() as u64,
            lost: lost.count() as u64,
            send_to_flashblock_ms: delays(|seen| seen.streamed_us),
            send_to_seal_ms: delays(|seen| seen.sealed_us),
        }
    }

    fn delays_us(&self, when: fn(&Seen) -> Option<u64>) -> Vec<u64> {
        let sent = self.transactions.iter().zip(&self.seen);
        sent.filter(|(tx, _)| tx.sent_us > 0)
            .filter_map(|(tx, seen)| Some(when(seen)?.saturating_sub(tx.sent_us)))
            .collect()
    }

    fn refusals(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::<&str, u64>::new();
        for tx in self.transactions {
            if let TxOutcome::Refused { message } = &tx.outcome {
                *counts.entry(message).or_default() += 1;
            }
        }
        let mut by_count: Vec<_> = counts.into_iter().collect();
        by_count.sort_by_key(|(_, count)| Reverse(*count));
        by_count.truncate(REFUSALS_MAX);
        by_count
            .into_iter()
            .map(|(message, count)| (message.to_owned(), count))
            .collect()
    }
}

fn earliest(moment: &mut Option<u64>, at_us: u64) {
    *moment = Some(moment.map_or(at_us, |before| before.min(at_us)));
}
