//! Makes snapshots of the node's own flashblocks.

use std::sync::Arc;

use blockwright_chain::ChainSpec;
use blockwright_exec::{BlockTotals, assemble_header};
use blockwright_ordered_trie::OrderedTrie;
use blockwright_state::Store;
use blockwright_types::{
    BlockContext, Flashblock, FlashblockBase, OpFork, PayloadEnd, PayloadId, PayloadOutcome, Roots,
    UnixUs,
};

use crate::{Ground, Growth, PendingBlock, PendingFeed, Withdrawal, metrics};

/// What the builder tells.
#[derive(Debug)]
pub(crate) enum Handed {
    /// A flashblock, and when it was published.
    Flashblock(Arc<Flashblock>, UnixUs),
    End(PayloadEnd),
}

/// Grows a block from flashblocks that come in order. What does not fit withdraws the block until the
/// next one begins: a snapshot with a hole would be a lie.
pub(crate) struct Assembler {
    store: Store,
    chain: Arc<ChainSpec>,
    feed: PendingFeed,
    growing: Option<Growing>,
}

struct Growing {
    newest: Arc<PendingBlock>,
    transactions: OrderedTrie,
}

impl Assembler {
    pub(crate) const fn new(store: Store, chain: Arc<ChainSpec>, feed: PendingFeed) -> Self {
        Self {
            store,
            chain,
            feed,
            growing: None,
        }
    }

    pub(crate) fn take(&mut self, handed: Handed) {
        match handed {
            Handed::Flashblock(flashblock, at) => self.flashblock(&flashblock, at),
            Handed::End(end) => self.ended(&end),
        }
    }

    /// Something was dropped on the way here.
    pub(crate) fn lost(&mut self) {
        if let Some(growing) = self.growing.take() {
            self.withdraw(&growing.newest, Withdrawal::Dropped);
        }
    }

    fn flashblock(&mut self, flashblock: &Flashblock, at: UnixUs) {
        let before = self.growing.take();
        let shown = before.as_ref().map(|growing| Arc::clone(&growing.newest));
        let grown = match (&flashblock.base, before) {
            (Some(base), _) => self.open(flashblock, base),
            (None, Some(growing)) => grow(growing, flashblock),
            // Withdrawn before.
            (None, None) => return,
        };
        match (grown, shown) {
            (Ok(growing), _) => {
                self.feed.publish_as_of(at, Arc::clone(&growing.newest));
                self.growing = Some(growing);
            }
            (Err(reason), Some(shown)) => self.withdraw(&shown, reason),
            (Err(reason), None) => told(flashblock.payload_id, reason),
        }
    }

    fn withdraw(&self, shown: &PendingBlock, reason: Withdrawal) {
        self.feed.clear(shown.payload_id);
        told(shown.payload_id, reason);
    }

    /// An abandoned block will never be; a sealed one stays until the head has passed it.
    fn ended(&mut self, end: &PayloadEnd) {
        // Nothing of it is published any more, either way.
        let ends = |growing: &mut Growing| growing.newest.payload_id == end.payload_id;
        let ended = self.growing.take_if(ends);
        match end.outcome {
            _ if ended.is_none() => {}
            PayloadOutcome::Abandoned(_) => {
                self.feed.clear(end.payload_id);
                metrics::withdrawn(Withdrawal::Abandoned);
            }
            PayloadOutcome::Sealed => self.feed.sealed(end.payload_id),
        }
    }

    fn open(&self, flashblock: &Flashblock, base: &FlashblockBase) -> Result<Growing, Withdrawal> {
        let parent = base.parent_hash;
        let held = self.store.reader(parent).zip(self.store.header(parent));
        let (reader, parent) = held.ok_or(Withdrawal::UnknownParent)?;
        let context = self.context(base, parent.timestamp);
        let mut transactions = OrderedTrie::default();
        let growth = growth(&context, flashblock, &mut transactions)?;
        let ground = Ground::Stored(reader);
        let newest = PendingBlock::first(flashblock.payload_id, context, ground, growth);
        Ok(Growing {
            newest: Arc::new(newest),
            transactions,
        })
    }

    fn context(&self, base: &FlashblockBase, parent_timestamp: u64) -> BlockContext {
        let fork = self.chain.fork_at(base.timestamp);
        BlockContext {
            chain_id: self.chain.chain_id(),
            fork,
            activates: self.chain.activation(parent_timestamp, base.timestamp),
            parent_hash: base.parent_hash,
            number: base.block_number,
            timestamp: base.timestamp,
            fee_recipient: base.fee_recipient,
            prev_randao: base.prev_randao,
            gas_limit: base.gas_limit,
            base_fee: base.base_fee_per_gas.saturating_to(),
            extra_data: base.extra_data.clone(),
            parent_beacon_block_root: (fork >= OpFork::Ecotone)
                .then_some(base.parent_beacon_block_root),
        }
    }
}

fn grow(mut growing: Growing, flashblock: &Flashblock) -> Result<Growing, Withdrawal> {
    let newest = &growing.newest;
    let next = (newest.payload_id, newest.index + 1);
    if (flashblock.payload_id, flashblock.index) != next {
        return Err(Withdrawal::Gap);
    }
    let growth = growth(&newest.context, flashblock, &mut growing.transactions)?;
    growing.newest = Arc::new(newest.grown(growth));
    Ok(growing)
}

/// The header so far, which must have the hash that the flashblock states.
fn growth(
    context: &BlockContext,
    flashblock: &Flashblock,
    transactions: &mut OrderedTrie,
) -> Result<Growth, Withdrawal> {
    for tx in &flashblock.part.transactions {
        transactions.push(tx.encoded.clone());
    }
    let totals = BlockTotals {
        gas_used: flashblock.gas_used,
        da_footprint: flashblock.blob_gas_used.unwrap_or_default(),
        transactions_root: transactions.root(),
        receipts_root: flashblock.receipts_root,
        logs_bloom: flashblock.logs_bloom,
    };
    let roots = Roots {
        state: flashblock.state_root,
        message_passer: flashblock.withdrawals_root,
    };
    let header = assemble_header(context, &totals, &roots);
    let hash = flashblock.block_hash;
    if !hash.is_zero() && header.hash_slow() != hash {
        return Err(Withdrawal::HashMismatch);
    }
    Ok(Growth {
        header,
        hash,
        part: Arc::clone(&flashblock.part),
    })
}

fn told(payload_id: PayloadId, reason: Withdrawal) {
    metrics::withdrawn(reason);
    tracing::warn!(
        %payload_id,
        reason = reason.label(),
        "preconfirmed block withdrawn: `pending` is `latest` until the next one begins"
    );
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
