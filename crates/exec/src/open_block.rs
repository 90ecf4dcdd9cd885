//! The block under construction behind [`OpenBlock`].

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256};
use blockwright_seams::{HostError, OpenBlock, Previewed, Sealed, SimError, Stale};
use blockwright_types::{
    AccountPost, BlockContext, BlockPart, Changes, Flashblock, FlashblockBase, PayloadId, Roots,
    SealedBlock, SharedTx, UnrootedBlock, Usage,
};
use revm::database_interface::DatabaseRef;

use crate::executor::{Executor, Simulation};
use crate::header::{BlockTotals, assemble_header};

/// What stands in a header whose roots are not known.
const NO_ROOTS: Roots = Roots {
    state: B256::ZERO,
    message_passer: B256::ZERO,
};

/// All that the header of one flashblock needs except the roots.
#[derive(Clone, Debug)]
struct Cut {
    totals: BlockTotals,
    value: U256,
    part: Arc<BlockPart>,
}

/// A block under construction on the state of its parent.
pub struct ExecBlock<R: DatabaseRef> {
    executor: Executor<R>,
    payload_id: PayloadId,
    /// By flashblock index.
    cuts: Vec<Cut>,
}

impl<R: DatabaseRef> ExecBlock<R> {
    /// Runs the pre-block system calls and then all `sequencer` transactions, which must be valid at
    /// their places.
    ///
    /// # Errors
    /// [`HostError::InvalidTransaction`] where a sequencer transaction cannot be in a valid block,
    /// [`HostError::Internal`] where a system call or a read of the state failed.
    pub fn open(
        context: BlockContext,
        reader: R,
        sequencer: &[SharedTx],
        payload_id: PayloadId,
    ) -> Result<Self, HostError> {
        let mut executor = Executor::open(context, reader)?;
        executor.run_all(sequencer)?;
        Ok(Self {
            executor,
            payload_id,
            cuts: Vec::new(),
        })
    }

    fn cut_now(&mut self) {
        debug_assert!(
            !self.executor.has_changes(),
            "changes must be taken before a cut"
        );
        self.executor.take_changes();
        let ledger = self.executor.ledger_mut();
        let cut = Cut {
            totals: ledger.totals(),
            value: ledger.value(),
            part: Arc::new(ledger.take_part()),
        };
        self.cuts.push(cut);
    }

    /// The parts up to `index`, and the cut of `index` itself. A seal or preview follows its cut;
    /// where it does not, the part ends here and nothing is lost.
    fn parts_to(&mut self, index: u64) -> (Vec<Arc<BlockPart>>, Cut) {
        while self.cuts.len() as u64 <= index {
            self.cut_now();
        }
        let cuts = &self.cuts[..=index as usize];
        let parts = cuts.iter().map(|cut| Arc::clone(&cut.part)).collect();
        (parts, cuts[index as usize].clone())
    }

    /// A flashblock with everything that needs no roots.
    fn flashblock(&self, index: u64, cut: &Cut, header: &Header) -> Flashblock {
        Flashblock {
            payload_id: self.payload_id,
            index,
            base: (index == 0).then(|| base(self.executor.context())),
            block_number: header.number,
            state_root: B256::ZERO,
            receipts_root: header.receipts_root,
            logs_bloom: header.logs_bloom,
            gas_used: header.gas_used,
            block_hash: B256::ZERO,
            withdrawals_root: B256::ZERO,
            blob_gas_used: header.blob_gas_used,
            part: Arc::clone(&cut.part),
        }
    }
}

fn base(context: &BlockContext) -> FlashblockBase {
    FlashblockBase {
        parent_beacon_block_root: context.parent_beacon_block_root.unwrap_or_default(),
        parent_hash: context.parent_hash,
        fee_recipient: context.fee_recipient,
        prev_randao: context.prev_randao,
        block_number: context.number,
        gas_limit: context.gas_limit,
        timestamp: context.timestamp,
        extra_data: context.extra_data.clone(),
        base_fee_per_gas: U256::from(context.base_fee),
    }
}

impl<R: DatabaseRef> OpenBlock for ExecBlock<R> {
    type Sim = Simulation;

    fn context(&self) -> &BlockContext {
        self.executor.context()
    }

    fn usage(&self) -> Usage {
        self.executor.ledger().usage()
    }

    fn value(&self) -> U256 {
        self.executor.ledger().value()
    }

    fn account(&mut self, address: Address) -> Result<AccountPost, SimError> {
        Ok(self.executor.account(address)?)
    }

    fn da_footprint_gas_scalar(&self) -> u64 {
        self.executor.da_footprint_gas_scalar()
    }

    fn simulate(&mut self, tx: &SharedTx) -> Result<Simulation, SimError> {
        Ok(self.executor.simulate(tx)?)
    }

    fn commit(&mut self, sim: Simulation) -> Result<(), Stale> {
        if !self.executor.is_current(&sim) {
            return Err(Stale);
        }
        self.executor.apply(sim);
        Ok(())
    }

    fn take_changes(&mut self) -> Option<Arc<Changes>> {
        self.executor.take_changes()
    }

    fn cut(&mut self, index: u64) {
        debug_assert_eq!(index, self.cuts.len() as u64, "cuts come in order");
        self.cut_now();
    }

    fn seal(&mut self, index: u64, roots: &Roots) -> Sealed {
        let (parts, cut) = self.parts_to(index);
        let header = assemble_header(self.executor.context(), &cut.totals, roots);
        let hash = header.hash_slow();
        let flashblock = Flashblock {
            state_root: header.state_root,
            block_hash: hash,
            withdrawals_root: header.withdrawals_root.unwrap_or_default(),
            ..self.flashblock(index, &cut, &header)
        };
        Sealed {
            flashblock: Arc::new(flashblock),
            block: Arc::new(SealedBlock {
                hash,
                header,
                parts,
                value: cut.value,
            }),
        }
    }

    fn preview(&mut self, index: u64) -> Previewed {
        let (parts, cut) = self.parts_to(index);
        let context = self.executor.context();
        let header = assemble_header(context, &cut.totals, &NO_ROOTS);
        Previewed {
            flashblock: Arc::new(self.flashblock(index, &cut, &header)),
            block: Arc::new(UnrootedBlock {
                fork: context.fork,
                header,
                parts,
                value: cut.value,
            }),
        }
    }
}
