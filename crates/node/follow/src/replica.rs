//! One block of a followed stream, executed as it grows.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_chain::ChainSpec;
use blockwright_exec::ExecBlock;
use blockwright_flashblocks::{OpFlashblockPayload, OpFlashblockPayloadDelta};
use blockwright_seams::{HostError, OpenBlock, SimError};
use blockwright_state::{StateReader, Store};
use blockwright_types::{BlockContext, BlockPart, PayloadId, SealedBlock, SharedTx, UnrootedBlock};

use crate::base::context;
use crate::roots::Roots;
use crate::statement::{check_roots, check_totals, has_roots};
use crate::{Handover, Refutation};

/// After so many transactions their changes go to the roots, which are computed beside the rest.
const CHANGES_EVERY: usize = 128;

/// What executing needs.
#[derive(Clone, Debug)]
pub struct ReplicaDeps {
    /// Chain rules.
    pub chain: Arc<ChainSpec>,
    /// Blocks and states.
    pub store: Store,
    /// Where complete blocks go.
    pub handover: Handover,
}

/// What came of one flashblock that is what it says.
#[derive(Clone, Debug)]
pub struct Executed {
    /// Its index.
    pub index: u64,
    /// The block so far. Where the flashblock carries no roots, `hash` and the header's roots are
    /// zero.
    pub block: Arc<SealedBlock>,
    /// What the flashblock added.
    pub part: Arc<BlockPart>,
}

/// A block in execution, on the state of a held parent. After an error it is of no use.
pub struct Replica {
    payload_id: PayloadId,
    block: ExecBlock<StateReader>,
    roots: Roots,
    /// Index of the last flashblock executed.
    index: u64,
}

impl Replica {
    /// Opens a block with its flashblock 0, whose decoded `transactions` are given.
    ///
    /// # Errors
    /// [`Refutation`]; where the parent's state is not held, [`Refutation::Fault`].
    pub fn open(
        deps: &ReplicaDeps,
        flashblock: &OpFlashblockPayload,
        transactions: &[SharedTx],
    ) -> Result<(Self, Executed), Refutation> {
        let absent = || Refutation::Fault("flashblock 0 has no base".to_owned());
        let base = flashblock.base.as_ref().ok_or_else(absent)?;
        let (parent, payload_id) = (base.parent_hash, flashblock.payload_id);
        let header = deps.store.header(parent).ok_or_else(|| not_held(parent))?;
        let reader = deps.store.reader(parent).ok_or_else(|| not_held(parent))?;
        let context = context(&deps.chain, &header, base)?;
        let roots = Roots::open(&deps.store, parent, payload_id, &deps.handover)
            .ok_or_else(|| not_held(parent))?;
        let block =
            ExecBlock::open(context, reader, transactions, payload_id).map_err(not_opened)?;
        let mut replica = Self {
            payload_id,
            block,
            roots,
            index: 0,
        };
        let executed = replica.complete(0, &flashblock.diff)?;
        Ok((replica, executed))
    }

    /// The payload it is of.
    pub const fn payload_id(&self) -> PayloadId {
        self.payload_id
    }

    /// The block's environment.
    pub fn context(&self) -> &BlockContext {
        self.block.context()
    }

    /// Runs the transactions of the next flashblock, exactly these in this order.
    ///
    /// # Errors
    /// [`Refutation`]: the replica is of no use any more.
    pub fn append(
        &mut self,
        flashblock: &OpFlashblockPayload,
        transactions: &[SharedTx],
    ) -> Result<Executed, Refutation> {
        let OpFlashblockPayload {
            payload_id, index, ..
        } = *flashblock;
        if payload_id != self.payload_id || index != self.index + 1 {
            let (own, next) = (self.payload_id, self.index + 1);
            let text = format!("flashblock {payload_id}/{index} where {own}/{next} comes next");
            return Err(Refutation::Fault(text));
        }
        for (position, tx) in transactions.iter().enumerate() {
            let simulation = self.block.simulate(tx).map_err(|error| match error {
                SimError::Rejected(reason) => Refutation::rejected(position, &reason),
                SimError::Fault(fault) => Refutation::Fault(fault.to_string()),
            })?;
            let committed = self.block.commit(simulation);
            committed.map_err(|_| Refutation::Fault("a fresh simulation is stale".to_owned()))?;
            if position % CHANGES_EVERY == CHANGES_EVERY - 1 {
                self.push_changes();
            }
        }
        self.index = index;
        self.complete(index, &flashblock.diff)
    }

    /// The complete block of the last flashblock, also where that carries no roots. Waits for the
    /// roots.
    ///
    /// # Errors
    /// [`Refutation::Fault`] where the roots cannot be computed.
    pub fn block(&self) -> Result<Arc<SealedBlock>, Refutation> {
        self.roots.wait(self.index)
    }

    fn push_changes(&mut self) {
        if let Some(changes) = self.block.take_changes() {
            self.roots.push(changes);
        }
    }

    /// Ends flashblock `index` and compares it with what it states.
    fn complete(
        &mut self,
        index: u64,
        stated: &OpFlashblockPayloadDelta,
    ) -> Result<Executed, Refutation> {
        self.push_changes();
        self.block.cut(index);
        let preview = self.block.preview(index);
        let unrooted = preview.block;
        // Roots are computed in any case: the payload may be handed in after any flashblock.
        self.roots.close(index, Arc::clone(&unrooted));
        check_totals(stated, &unrooted.header)?;
        let block = if has_roots(stated) {
            let block = self.roots.wait(index)?;
            check_roots(stated, &block)?;
            block
        } else {
            Arc::new(without_roots(&unrooted))
        };
        Ok(Executed {
            index,
            block,
            part: Arc::clone(&preview.flashblock.part),
        })
    }
}

fn without_roots(block: &UnrootedBlock) -> SealedBlock {
    SealedBlock {
        header: block.header.clone(),
        hash: B256::ZERO,
        parts: block.parts.clone(),
        value: block.value,
    }
}

fn not_held(parent: B256) -> Refutation {
    Refutation::Fault(format!("the state of block {parent} is not held"))
}

fn not_opened(error: HostError) -> Refutation {
    match error {
        HostError::InvalidTransaction { index, reason } => Refutation::Transaction {
            position: index,
            reason,
        },
        other => Refutation::Fault(other.to_string()),
    }
}
