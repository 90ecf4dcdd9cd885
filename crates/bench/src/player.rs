//! Plays the consensus client: one block after the other, each by the clock.

use std::time::Duration;

use alloy_primitives::B256;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::attributes::AttributesPlan;
use crate::chain_reader::BlockHead;
use crate::clock::now_us;
use crate::engine_client::EngineClient;
use crate::envelope::Envelope;
use crate::json_rpc::Timed;
use crate::slot::{Slot, fresh_slot, next_slot};
use crate::trouble::{Dropped, SlotTrouble};
use crate::{BenchError, BlockRecord, Timing, TroublePlan, TroubleRecord};

/// Slots in a row that may pass without a block before the run is given up.
const FAILED_SLOTS_MAX: u32 = 5;

/// The driving side of one run.
#[derive(Debug)]
pub(crate) struct Player {
    engine: EngineClient,
    attributes: AttributesPlan,
    timing: Timing,
    /// What fork choices name as safe and final. Batches lag minutes behind on a real chain, which is
    /// longer than a run.
    finalized: B256,
    head: BlockHead,
    /// The time from which the next slot is counted, in seconds: the head's, except after a pause.
    slot_base_s: u64,
    /// Transactions a block has beside deposits and the load: the builder's own.
    own_transactions: u64,
    /// Transactions of the load in sealed blocks.
    sealed: watch::Sender<u64>,
    trouble: Trouble,
}

/// What goes wrong on purpose, and what did.
#[derive(Debug, Default)]
struct Trouble {
    plan: TroublePlan,
    seed: u64,
    record: TroubleRecord,
}

/// What became of a slot.
enum Played {
    Block(Box<BuiltBlock>),
    /// The payload came to nothing, as planned.
    Dropped,
}

/// What a [`Player`] goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlayerPlan {
    /// Attributes of every block.
    pub(crate) attributes: AttributesPlan,
    /// The clock.
    pub(crate) timing: Timing,
    /// The block to build on first.
    pub(crate) head: BlockHead,
}

/// A payload that is being built.
struct Started {
    payload_id: [u8; 8],
    /// When its fork choice was sent, in microseconds since the epoch.
    at_us: u64,
    slip_us: u64,
    took_us: u64,
}

/// A block and what was seen on the way.
#[derive(Clone, Debug)]
pub(crate) struct BuiltBlock {
    /// Times and content.
    pub(crate) record: BlockRecord,
    /// Transactions in it that are neither deposits nor the builder's own.
    pub(crate) load_transactions: u64,
    /// Slots before it in which no block came about.
    pub(crate) slots_missed: u64,
}

impl Player {
    /// Builds on the plan's head by `engine`. `sealed` is told of every transaction that is neither a
    /// deposit nor one of the builder's own, as soon as its block is sealed.
    pub(crate) fn new(engine: EngineClient, plan: PlayerPlan, sealed: watch::Sender<u64>) -> Self {
        Self {
            engine,
            attributes: plan.attributes,
            timing: plan.timing,
            finalized: plan.head.hash,
            head: plan.head,
            slot_base_s: plan.head.timestamp_s,
            own_transactions: 0,
            sealed,
            trouble: Trouble::default(),
        }
    }

    /// From now on things go wrong as `plan` says, by dice that follow from `seed`.
    pub(crate) fn make_trouble(&mut self, plan: TroublePlan, seed: u64) {
        self.trouble.plan = plan;
        self.trouble.seed = seed;
    }

    /// From now on nothing goes wrong on purpose; what did.
    pub(crate) fn end_trouble(&mut self) -> TroubleRecord {
        std::mem::take(&mut self.trouble).record
    }

    /// Waits for the first slot that has not begun. Slots since the last block do not count as missed.
    pub(crate) async fn align(&mut self) {
        let slot = fresh_slot(self.head.timestamp_s, &self.timing, since_epoch());
        self.slot_base_s = slot.timestamp_s - self.timing.block_time_s;
        wait_until(slot.start).await;
    }

    /// Transactions beside deposits that blocks have without any load, and that count as the
    /// builder's own from now on.
    pub(crate) fn expect_own_transactions(&mut self, count: u64) {
        self.own_transactions = count;
        self.sealed.send_replace(0);
    }

    /// Transactions of the load in sealed blocks.
    pub(crate) fn sealed(&self) -> u64 {
        *self.sealed.borrow()
    }

    /// Whether blocks have transactions of the builder's own, so that counts are not exact.
    pub(crate) const fn has_own_transactions(&self) -> bool {
        self.own_transactions > 0
    }

    /// Builds the next block in its slot; a slot without a block is followed by the next one, a few
    /// times.
    pub(crate) async fn next_block(&mut self) -> Result<BuiltBlock, BenchError> {
        let mut failed = 0;
        loop {
            let slot = next_slot(self.slot_base_s, &self.timing, since_epoch());
            match self.play(slot).await {
                Ok(Played::Block(block)) => return Ok(*block),
                Ok(Played::Dropped) => self.slot_base_s = slot.timestamp_s,
                Err(error @ BenchError::OwnBlock { .. }) => return Err(error),
                Err(error) => {
                    failed += 1;
                    if failed == FAILED_SLOTS_MAX {
                        return Err(error);
                    }
                    tracing::warn!(%error, timestamp_s = slot.timestamp_s, "no block in this slot");
                    wait_until(Duration::from_secs(slot.timestamp_s)).await;
                }
            }
        }
    }

    async fn play(&mut self, slot: Slot) -> Result<Played, BenchError> {
        let Trouble { plan, seed, .. } = self.trouble;
        let trouble = plan.slot(seed, &self.timing, slot.timestamp_s);
        let begin = slot.start + trouble.late;
        wait_until(begin).await;
        let mut started = self.begin(slot, 0).await?;
        started.slip_us = started.at_us.saturating_sub(micros(begin));
        match trouble.dropped {
            None | Some(Dropped::NeverImported) => {}
            Some(Dropped::NeverAsked) => {
                wait_until(Duration::from_secs(slot.timestamp_s)).await;
                return Ok(self.dropped(trouble));
            }
            Some(Dropped::Overtaken) => {
                wait_until(begin + slot.seal.saturating_sub(begin) / 2).await;
                started = self.begin(slot, 1).await?;
            }
        }
        wait_until(slot.seal).await;
        let sealed = self.engine.get_payload(started.payload_id).await?;
        if trouble.dropped == Some(Dropped::NeverImported) {
            wait_until(Duration::from_secs(slot.timestamp_s)).await;
            return Ok(self.dropped(trouble));
        }
        let block = self.take(slot, started, sealed).await?;
        self.trouble.record.count(trouble);
        Ok(Played::Block(Box::new(block)))
    }

    fn dropped(&mut self, trouble: SlotTrouble) -> Played {
        self.trouble.record.count(trouble);
        Played::Dropped
    }

    /// Sends the fork choice that starts a payload.
    async fn begin(&mut self, slot: Slot, attempt: u64) -> Result<Started, BenchError> {
        let number = self.head.number;
        let attributes = self.attributes.json(number, slot.timestamp_s, attempt);
        let at_us = now_us();
        let head = self.head.hash;
        let choice = self
            .engine
            .fork_choice(head, self.finalized, Some(attributes))
            .await?;
        let payload_id = choice
            .value
            .payload_id
            .ok_or_else(|| BenchError::NoPayload {
                number: number + 1,
                status: choice.value.status.clone(),
            })?;
        Ok(Started {
            payload_id,
            at_us,
            slip_us: 0,
            took_us: choice.took_us(),
        })
    }

    /// Makes what getPayload gave the head.
    async fn take(
        &mut self,
        slot: Slot,
        started: Started,
        sealed: Timed<Envelope>,
    ) -> Result<BuiltBlock, BenchError> {
        let envelope = &sealed.value;
        let load_transactions = envelope.transactions.saturating_sub(self.own_transactions);
        self.sealed.send_modify(|sum| *sum += load_transactions);
        let (new_payload_us, fork_choice_head_us) = self.import(envelope).await?;
        let record = BlockRecord {
            number: envelope.number,
            hash: envelope.hash,
            timestamp_s: slot.timestamp_s,
            payload_id: started.payload_id,
            started_us: started.at_us,
            sealed_us: sealed.done_us,
            slip_us: started.slip_us,
            fork_choice_us: started.took_us,
            get_payload_us: sealed.took_us(),
            new_payload_us,
            fork_choice_head_us,
            envelope: envelope.raw.clone(),
        };
        self.head = BlockHead {
            hash: record.hash,
            number: record.number,
            timestamp_s: slot.timestamp_s,
        };
        self.slot_base_s = slot.timestamp_s;
        Ok(BuiltBlock {
            record,
            load_transactions,
            slots_missed: slot.missed,
        })
    }

    /// Hands the builder its own block and makes it the head; how long each took, in microseconds.
    async fn import(&mut self, envelope: &Envelope) -> Result<(u64, u64), BenchError> {
        let refused = |status: &str| BenchError::OwnBlock {
            number: envelope.number,
            status: status.to_owned(),
        };
        let verdict = self.engine.new_payload(envelope).await?;
        if verdict.value != "VALID" {
            return Err(refused(&verdict.value));
        }
        let choice = self
            .engine
            .fork_choice(envelope.hash, self.finalized, None)
            .await?;
        if choice.value.status != "VALID" {
            return Err(refused(&choice.value.status));
        }
        Ok((verdict.took_us(), choice.took_us()))
    }
}

fn since_epoch() -> Duration {
    Duration::from_micros(now_us())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

async fn wait_until(at: Duration) {
    let left = at.saturating_sub(since_epoch());
    if !left.is_zero() {
        sleep_until(Instant::now() + left).await;
    }
}
