//! A block under construction with simple rules instead of an EVM.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_consensus::{Eip658Value, Header, Receipt, Transaction};
use alloy_primitives::{Address, B256, Bloom, KECCAK256_EMPTY, U256, keccak256};
use blockwright_seams::{OpenBlock, Previewed, Sealed, SimError, Simulated, Stale};
use blockwright_types::{
    AccountPost, BlockContext, BlockPart, BuildRequest, Changes, Flashblock, FlashblockBase, Gas,
    PayloadId, Roots, SharedTx, SkipReason, UnrootedBlock, Usage,
};
use op_alloy_consensus::{OpDepositReceipt, OpReceipt};

use crate::{Accounts, ManualClock, Program};

/// What one gas takes on the fakes, in picoseconds: 1 Ggas/s.
const PS_PER_GAS: u64 = 1_000;

/// What a transaction did.
#[derive(Debug)]
pub struct FakeSim {
    stamp: u64,
    tx: SharedTx,
    gas: u64,
    success: bool,
    usage: Usage,
    tip: u128,
    writes: BTreeMap<Address, (U256, u64)>,
}

impl Simulated for FakeSim {
    fn gas_used(&self) -> Gas {
        Gas(self.gas)
    }
    fn success(&self) -> bool {
        self.success
    }
    fn usage(&self) -> Usage {
        self.usage
    }
}

/// What a cut froze.
#[derive(Debug)]
struct Frozen {
    part: Arc<BlockPart>,
    usage: Usage,
    value: U256,
}

/// A block under construction with simple rules instead of an EVM: nonces, balances, fees, and the
/// [`Program`] in the call data. It checks the order of calls that the seam prescribes.
pub struct FakeBlock {
    context: BlockContext,
    id: PayloadId,
    accounts: Accounts,
    da_scalar: u64,
    clock: Option<Arc<ManualClock>>,
    stamp: u64,
    usage: Usage,
    value: U256,
    touched: BTreeSet<Address>,
    part: BlockPart,
    frozen: Vec<Frozen>,
    sealed: u64,
}

impl FakeBlock {
    /// Opens the block and runs the sequencer transactions.
    pub fn open(
        request: &BuildRequest,
        accounts: Accounts,
        da_scalar: u64,
        clock: Option<Arc<ManualClock>>,
    ) -> Self {
        let mut block = Self {
            context: request.context.clone(),
            id: request.id,
            accounts,
            da_scalar,
            clock,
            stamp: 0,
            usage: Usage::default(),
            value: U256::ZERO,
            touched: BTreeSet::new(),
            part: BlockPart::default(),
            frozen: Vec::new(),
            sealed: 0,
        };
        for tx in &request.sequencer_transactions {
            let sim = block.execute(tx);
            block.include(sim);
        }
        block
    }

    fn execute(&self, tx: &SharedTx) -> FakeSim {
        let program = Program::of(tx.envelope.input());
        let wanted = 21_000
            + 16 * tx.envelope.input().len() as u64
            + match program {
                Program::Burn(gas) | Program::Slow { gas, .. } => gas,
                _ => 0,
            };
        let gas = wanted.min(tx.gas_limit().0);
        let success = wanted <= tx.gas_limit().0 && program != Program::Revert;
        let tip = tx.effective_tip(self.context.base_fee).unwrap_or_default();
        let price = if tx.is_deposit() {
            0
        } else {
            tip + u128::from(self.context.base_fee)
        };
        let mut writes = BTreeMap::new();
        let (balance, nonce) = self.accounts.get(tx.sender);
        let fee = U256::from(gas) * U256::from(price);
        writes.insert(tx.sender, (balance.saturating_sub(fee), nonce + 1));
        if success && let Some(to) = tx.envelope.to() {
            let value = tx.envelope.value();
            if let Some((balance, _)) = writes.get_mut(&tx.sender) {
                *balance = balance.saturating_sub(value);
            }
            let (balance, nonce) = writes
                .get(&to)
                .copied()
                .unwrap_or_else(|| self.accounts.get(to));
            writes.insert(to, (balance + value, nonce));
        }
        FakeSim {
            stamp: self.stamp,
            tx: Arc::clone(tx),
            gas,
            success,
            usage: Usage {
                gas: Gas(gas),
                da: tx.da,
                da_footprint: Gas(tx.da.0 * self.da_scalar),
                size_bytes: tx.size_bytes(),
            },
            tip: if tx.is_deposit() { 0 } else { tip },
            writes,
        }
    }

    fn include(&mut self, sim: FakeSim) {
        self.stamp += 1;
        self.usage = self.usage.plus(sim.usage);
        self.value += U256::from(sim.gas) * U256::from(sim.tip);
        for (address, (balance, nonce)) in sim.writes {
            self.accounts.set(address, balance, nonce);
            self.touched.insert(address);
        }
        let receipt = Receipt {
            status: Eip658Value::Eip658(sim.success),
            cumulative_gas_used: self.usage.gas.0,
            logs: Vec::new(),
        };
        self.part.receipts.push(if sim.tx.is_deposit() {
            OpReceipt::Deposit(OpDepositReceipt {
                inner: receipt,
                deposit_nonce: Some(0),
                deposit_receipt_version: Some(1),
            })
        } else {
            OpReceipt::Eip1559(receipt)
        });
        self.part.transactions.push(sim.tx);
    }

    fn check(&self, tx: &SharedTx) -> Result<(), SkipReason> {
        let (balance, state) = self.accounts.get(tx.sender);
        let tx_nonce = tx.nonce();
        if tx_nonce < state {
            return Err(SkipReason::NonceTooLow {
                tx: tx_nonce,
                state,
            });
        }
        if tx_nonce > state {
            return Err(SkipReason::NonceTooHigh {
                tx: tx_nonce,
                state,
            });
        }
        let fee = U256::from(tx.gas_limit().0) * U256::from(tx.envelope.max_fee_per_gas());
        if balance < fee + tx.envelope.value() {
            return Err(SkipReason::InsufficientFunds);
        }
        Ok(())
    }

    fn header(&self, frozen: &Frozen) -> Header {
        let hashes: Vec<u8> = self.frozen[..]
            .iter()
            .take(usize::try_from(self.sealed).unwrap_or(usize::MAX) + 1)
            .flat_map(|frozen| frozen.part.transactions.iter())
            .flat_map(|tx| tx.hash.0)
            .collect();
        Header {
            parent_hash: self.context.parent_hash,
            beneficiary: self.context.fee_recipient,
            state_root: B256::ZERO,
            transactions_root: keccak256(hashes),
            number: self.context.number,
            gas_limit: self.context.gas_limit,
            gas_used: frozen.usage.gas.0,
            timestamp: self.context.timestamp,
            extra_data: self.context.extra_data.clone(),
            mix_hash: self.context.prev_randao,
            base_fee_per_gas: Some(self.context.base_fee),
            withdrawals_root: Some(B256::ZERO),
            blob_gas_used: Some(frozen.usage.da_footprint.0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: self.context.parent_beacon_block_root,
            ..Header::default()
        }
    }

    fn base(&self) -> FlashblockBase {
        FlashblockBase {
            parent_beacon_block_root: self.context.parent_beacon_block_root.unwrap_or(B256::ZERO),
            parent_hash: self.context.parent_hash,
            fee_recipient: self.context.fee_recipient,
            prev_randao: self.context.prev_randao,
            block_number: self.context.number,
            gas_limit: self.context.gas_limit,
            timestamp: self.context.timestamp,
            extra_data: self.context.extra_data.clone(),
            base_fee_per_gas: U256::from(self.context.base_fee),
        }
    }
}

impl OpenBlock for FakeBlock {
    type Sim = FakeSim;

    fn context(&self) -> &BlockContext {
        &self.context
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn value(&self) -> U256 {
        self.value
    }

    fn account(&mut self, address: Address) -> Result<AccountPost, SimError> {
        let (balance, nonce) = self.accounts.get(address);
        Ok(AccountPost {
            balance,
            nonce,
            code_hash: KECCAK256_EMPTY,
        })
    }

    fn da_footprint_gas_scalar(&self) -> u64 {
        self.da_scalar
    }

    fn simulate(&mut self, tx: &SharedTx) -> Result<FakeSim, SimError> {
        self.check(tx)?;
        let mut extra_us = 0;
        match Program::of(tx.envelope.input()) {
            Program::Slow { us, .. } => extra_us = us,
            Program::Fault => return Err(SimError::Fault("scripted fault".into())),
            #[allow(clippy::panic, reason = "the panic is what tests ask for")]
            Program::Panic => std::panic::panic_any("scripted panic"),
            Program::Transfer | Program::Revert | Program::Burn(_) => {}
        }
        let sim = self.execute(tx);
        if let Some(clock) = &self.clock {
            clock.tick((sim.gas * PS_PER_GAS / 1_000_000).max(1) + extra_us);
        }
        Ok(sim)
    }

    fn commit(&mut self, sim: FakeSim) -> Result<(), Stale> {
        if sim.stamp != self.stamp {
            return Err(Stale);
        }
        self.include(sim);
        Ok(())
    }

    fn take_changes(&mut self) -> Option<Arc<Changes>> {
        if self.touched.is_empty() {
            return None;
        }
        let changes = Arc::new(self.accounts.changes(std::mem::take(&mut self.touched)));
        self.part.changes.push(Arc::clone(&changes));
        Some(changes)
    }

    fn cut(&mut self, index: u64) {
        assert_eq!(index, self.frozen.len() as u64, "cuts are in order");
        assert!(self.touched.is_empty(), "changes are taken before the cut");
        self.frozen.push(Frozen {
            part: Arc::new(std::mem::take(&mut self.part)),
            usage: self.usage,
            value: self.value,
        });
    }

    fn seal(&mut self, index: u64, roots: &Roots) -> Sealed {
        let Previewed { flashblock, block } = self.preview(index);
        let block = block.with_roots(roots);
        let flashblock = Flashblock {
            state_root: block.header.state_root,
            block_hash: block.hash,
            withdrawals_root: roots.message_passer,
            ..(*flashblock).clone()
        };
        Sealed {
            flashblock: Arc::new(flashblock),
            block: Arc::new(block),
        }
    }

    fn preview(&mut self, index: u64) -> Previewed {
        assert_eq!(index, self.sealed, "seals are in order");
        let parts: Vec<_> = self.frozen[..=index as usize]
            .iter()
            .map(|frozen| Arc::clone(&frozen.part))
            .collect();
        let frozen = &self.frozen[index as usize];
        let header = self.header(frozen);
        self.sealed += 1;
        let flashblock = Flashblock {
            payload_id: self.id,
            index,
            base: (index == 0).then(|| self.base()),
            block_number: header.number,
            state_root: B256::ZERO,
            receipts_root: header.receipts_root,
            logs_bloom: Bloom::ZERO,
            gas_used: header.gas_used,
            block_hash: B256::ZERO,
            withdrawals_root: B256::ZERO,
            blob_gas_used: header.blob_gas_used,
            part: Arc::clone(&frozen.part),
        };
        let block = UnrootedBlock {
            header,
            fork: self.context.fork,
            parts,
            value: frozen.value,
        };
        Previewed {
            flashblock: Arc::new(flashblock),
            block: Arc::new(block),
        }
    }
}
