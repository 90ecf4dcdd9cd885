//! The phases of a run: warm-up, load, and the blocks after it.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::now_us;
use crate::player::{BuiltBlock, Player};
use crate::recorder::Recorder;
use crate::usage::{Usage, UsageMeter};
use crate::{
    BenchError, BlockRecord, Feed, Pace, Progress, RunPlan, SentTransaction, TroubleRecord,
    TxOutcome,
};

/// Blocks before the load; they show what a block holds of the builder's own, and are not counted.
const WARM_UP_BLOCKS: u64 = 2;

/// Time for which blocks are built after the load so that what was accepted can be sealed, in seconds.
const DRAIN_MAX_S: u64 = 30;

/// Blocks in a row without any of the load after which what is missing counts as lost.
const EMPTY_BLOCKS_MAX: u32 = 3;

/// How long the last answers are waited for before the next block is due.
const ANSWERS_WITHIN: Duration = Duration::from_millis(20);

/// Most bytes of payload envelopes that are kept.
const ENVELOPE_BYTES_MAX: u64 = 4 << 30;

/// A run in progress.
pub(crate) struct Session<'a> {
    plan: &'a RunPlan,
    player: Player,
    recorder: &'a Recorder,
    progress: &'a dyn Progress,
    envelope_bytes: u64,
    seen: Seen,
}

/// What the consensus client saw of a run.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// First fork choice under load, in microseconds since the epoch.
    pub(crate) started_us: u64,
    /// Blocks under load and after it.
    pub(crate) blocks: Vec<BlockRecord>,
    /// How many of `blocks` were built under load.
    pub(crate) blocks_under_load: usize,
    /// Slots under load in which no block came about.
    pub(crate) slots_missed: u64,
    /// All transactions of the load.
    pub(crate) transactions: Vec<SentTransaction>,
    /// From the first block under load to the last block.
    pub(crate) usage: Usage,
    /// What went wrong on purpose.
    pub(crate) trouble: TroubleRecord,
    warm_up: Vec<Bytes>,
}

impl Seen {
    /// The envelopes of all blocks, those before the load included.
    pub(crate) fn envelopes(&self) -> Vec<Bytes> {
        let blocks = self.blocks.iter().map(|block| &block.envelope);
        self.warm_up.iter().chain(blocks).cloned().collect()
    }
}

impl<'a> Session<'a> {
    /// A run of `plan` whose blocks are built by `player` and whose stream `recorder` listens to.
    pub(crate) fn new(
        plan: &'a RunPlan,
        player: Player,
        recorder: &'a Recorder,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            plan,
            player,
            recorder,
            progress,
            envelope_bytes: 0,
            seen: Seen::default(),
        }
    }

    /// Plays all phases; use is measured of the process `builder_pid`, too, where there is one.
    pub(crate) async fn play(
        mut self,
        mut feed: Feed,
        builder_pid: Option<u32>,
    ) -> Result<Seen, BenchError> {
        self.warm_up().await?;
        if matches!(self.plan.pace, Pace::Prefilled { .. }) {
            self.progress.step("filling the pool", 0, 1);
            feed.prefill().await;
        }
        let usage = UsageMeter::start(builder_pid);
        let (stop, stopped) = watch::channel(false);
        self.player.align().await;
        self.seen.started_us = now_us();
        let feeding = tokio::spawn(feed.run(stopped));
        self.player
            .make_trouble(self.plan.trouble, self.plan.chain.seed);
        self.load().await?;
        self.seen.trouble = self.player.end_trouble();
        let _ = stop.send(true);
        self.seen.transactions = self.drain(feeding).await?;
        self.seen.usage = usage.usage();
        Ok(self.seen)
    }

    async fn warm_up(&mut self) -> Result<(), BenchError> {
        self.player.align().await;
        for done in 0..WARM_UP_BLOCKS {
            self.progress.step("warm-up", done, WARM_UP_BLOCKS);
            let block = self.player.next_block().await?;
            if done + 1 == WARM_UP_BLOCKS {
                self.player.expect_own_transactions(block.load_transactions);
            }
            self.seen.warm_up.push(block.record.envelope);
        }
        self.progress
            .step("warm-up", WARM_UP_BLOCKS, WARM_UP_BLOCKS);
        Ok(())
    }

    async fn load(&mut self) -> Result<(), BenchError> {
        for done in 0..self.plan.blocks {
            self.progress.step("blocks", done, self.plan.blocks);
            let block = self.player.next_block().await?;
            self.seen.slots_missed += block.slots_missed;
            self.keep(block)?;
        }
        self.seen.blocks_under_load = self.seen.blocks.len();
        self.progress
            .step("blocks", self.plan.blocks, self.plan.blocks);
        Ok(())
    }

    /// Builds on until all that was accepted is sealed, or nothing more comes.
    async fn drain(
        &mut self,
        mut feeding: JoinHandle<Vec<SentTransaction>>,
    ) -> Result<Vec<SentTransaction>, BenchError> {
        let blocks_max = (DRAIN_MAX_S / self.plan.timing.block_time_s).max(3);
        let mut sent = None;
        let mut empty_blocks = 0;
        for done in 0..blocks_max {
            if sent.is_none()
                && let Ok(ended) = tokio::time::timeout(ANSWERS_WITHIN, &mut feeding).await
            {
                sent = Some(ended.map_err(|error| BenchError::Feed(error.to_string()))?);
            }
            if let Some(sent) = &sent
                && self.is_drained(accepted(sent), empty_blocks)
            {
                break;
            }
            self.progress
                .step("blocks after the load", done, blocks_max);
            let block = self.player.next_block().await?;
            empty_blocks = match block.load_transactions {
                0 => empty_blocks + 1,
                _ => 0,
            };
            self.keep(block)?;
        }
        match sent {
            Some(sent) => Ok(sent),
            None => feeding
                .await
                .map_err(|error| BenchError::Feed(error.to_string())),
        }
    }

    /// A count that may contain transactions of the builder's own proves nothing by itself: an empty
    /// block has to follow.
    fn is_drained(&self, accepted: u64, empty_blocks: u32) -> bool {
        let all = self.player.sealed() >= accepted;
        let exact = !self.player.has_own_transactions();
        empty_blocks >= EMPTY_BLOCKS_MAX || (all && (exact || empty_blocks > 0))
    }

    fn keep(&mut self, block: BuiltBlock) -> Result<(), BenchError> {
        self.recorder.check()?;
        self.envelope_bytes += block.record.envelope.len() as u64;
        if self.envelope_bytes > ENVELOPE_BYTES_MAX {
            return Err(BenchError::RecordTooLarge {
                what: "payload envelopes",
                bytes_max: ENVELOPE_BYTES_MAX,
            });
        }
        self.seen.blocks.push(block.record);
        Ok(())
    }
}

fn accepted(sent: &[SentTransaction]) -> u64 {
    let accepted = |sent: &&SentTransaction| sent.outcome == TxOutcome::Accepted;
    sent.iter().filter(accepted).count() as u64
}
