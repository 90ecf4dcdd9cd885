//! What a run sends, signed and serialised before it starts.

pub(crate) mod draw;
mod lane;
mod order;

pub(crate) use lane::Lane;
pub(crate) use order::{Order, Place};

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, TxKind};
use blockwright_chain::FeeParams;
use rayon::prelude::*;

use crate::sign::Signer;
use crate::{BenchError, Load, Pace, Progress, RunPlan, genesis};
use draw::Draw;
use lane::{CHUNK, Chunk};

/// Transactions a second that a flood can send at most; no builder is known to take as many.
pub const FLOOD_TX_PER_S: u64 = 40_000;

/// Memory that a load may take, in bytes.
const LOAD_BYTES_MAX: u64 = 4 << 30;

/// What a transaction takes at most, in bytes: its request (440 with 68 bytes of call data), its
/// hash and what is recorded of it.
const TRANSACTION_BYTES: u64 = 600;

/// What is due within this time is one request, where a batch has room for it; in seconds.
const GROUP_S: f64 = 0.010;

/// Fee cap and tip in wei. The cap is far above what the base fee can reach; the tip is the same for
/// all, so that nothing waits because others pay more.
const MAX_FEE: u128 = 1_000_000_000_000;
const PRIORITY_FEE: u128 = 1_000_000_000;

/// All that follows from a plan's seed: senders, contracts, genesis and the signed transactions as
/// JSON-RPC text.
///
/// A flood's load is bounded by [`FLOOD_TX_PER_S`] and by what fits the gas limit. A transaction
/// takes 350 (transfer) to 490 bytes (call) of memory, and 4 GiB are the most that a load may take.
#[derive(Debug)]
pub struct Workload {
    plan: RunPlan,
    senders: Vec<Address>,
    order: Order,
    lanes: Vec<Lane>,
}

impl Workload {
    /// Derives the keys and signs all transactions on all cores.
    pub fn prepare(plan: &RunPlan, progress: &dyn Progress) -> Result<Self, BenchError> {
        plan.validate()?;
        let order = order(plan)?;
        let signers: Vec<_> = (0..order.senders)
            .into_par_iter()
            .map(|index| Signer::derive(plan.chain.seed, index))
            .collect();
        let senders: Vec<_> = signers.iter().map(|signer| signer.address).collect();
        let signing = Signing {
            chain_id: plan.chain.chain_id,
            draw: Draw::new(&plan.chain, plan.load, senders.clone()),
            signers,
            order,
            done: AtomicU64::new(0),
            progress,
        };
        let lanes = (0..order.lanes).map(|lane| signing.lane(lane)).collect();
        Ok(Self {
            plan: plan.clone(),
            senders,
            order,
            lanes,
        })
    }

    /// The plan it was made for.
    pub const fn plan(&self) -> &RunPlan {
        &self.plan
    }

    /// Transactions of the load.
    pub const fn len(&self) -> u64 {
        self.order.total
    }

    /// Whether the load has no transaction.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hash of the transaction at `index` in the order of sending; `None` from [`Self::len`] on.
    pub fn hash(&self, index: u64) -> Option<B256> {
        let place = self.order.place(index);
        self.lane(place.lane)?.hash(place.position)
    }

    /// JSON-RPC request that sends the transaction at `index`; `None` from [`Self::len`] on.
    pub fn request(&self, index: u64) -> Option<&[u8]> {
        let place = self.order.place(index);
        self.lane(place.lane)?.request(place.position)
    }

    /// Accounts that send.
    pub fn senders(&self) -> &[Address] {
        &self.senders
    }

    /// Memory that the signed transactions take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.lanes.iter().map(Lane::bytes).sum()
    }

    /// EIP-1559 parameters of the genesis, which every payload attributes of the run must repeat
    /// (or leave to the chain by zeros): a gas target that equals the limit, so that a flood does
    /// not raise the base fee.
    pub const fn fee_params(&self) -> FeeParams {
        genesis::FEE_PARAMS
    }

    /// The genesis document, readable by op-geth, op-reth and Blockwright.
    pub fn genesis_json(&self) -> Result<Vec<u8>, BenchError> {
        let mut json = Vec::new();
        genesis::write(&self.plan.chain, &self.senders, &mut json)?;
        Ok(json)
    }

    /// Writes the genesis document to a file, without holding it in memory.
    pub fn write_genesis(&self, path: &Path) -> Result<(), BenchError> {
        genesis::write_file(&self.plan.chain, &self.senders, path)
    }

    pub(crate) const fn order(&self) -> &Order {
        &self.order
    }

    pub(crate) fn lane(&self, lane: u64) -> Option<&Lane> {
        self.lanes.get(lane as usize)
    }
}

fn order(plan: &RunPlan) -> Result<Order, BenchError> {
    let total = transactions(plan);
    let bytes = total.saturating_mul(TRANSACTION_BYTES);
    if bytes > LOAD_BYTES_MAX {
        return Err(BenchError::LoadTooLarge {
            transactions: total,
            bytes,
            bytes_max: LOAD_BYTES_MAX,
        });
    }
    let senders = u64::from(plan.chain.senders);
    let batch = plan.batch as u64;
    let group = match plan.pace {
        Pace::Rate { tx_per_s } => ((tx_per_s * GROUP_S) as u64).clamp(1, batch),
        Pace::Flood { .. } | Pace::Prefilled { .. } => batch,
    };
    Ok(Order {
        group,
        lanes: (plan.connections as u64).min(senders),
        senders,
        total,
    })
}

/// How many transactions the load has.
fn transactions(plan: &RunPlan) -> u64 {
    let seconds = plan.load_time().as_secs();
    match plan.pace {
        Pace::Rate { tx_per_s } => (tx_per_s * seconds as f64).ceil() as u64,
        Pace::Flood { pending_max } => {
            let by_rate = seconds.saturating_mul(FLOOD_TX_PER_S);
            let a_block = plan.chain.gas_limit / gas_min(plan.load);
            let by_gas = plan.blocks.saturating_mul(a_block);
            by_rate.min(by_gas).saturating_add(pending_max)
        }
        Pace::Prefilled { count } => count,
    }
}

/// Least gas of a transaction, rounded down.
const fn gas_min(load: Load) -> u64 {
    match load {
        Load::Transfers | Load::FreshReceivers => 21_000,
        Load::Erc20 => 33_000,
        // By its shares, a transaction uses 43,000 on average; chance may take less.
        Load::Mixed => 35_000,
        Load::NewSlots => 242_000,
        Load::Compute => 999_000,
    }
}

/// The signing of a whole load.
struct Signing<'a> {
    chain_id: u64,
    draw: Draw,
    signers: Vec<Signer>,
    order: Order,
    done: AtomicU64,
    progress: &'a dyn Progress,
}

impl Signing<'_> {
    fn lane(&self, lane: u64) -> Lane {
        let len = self.order.lane_len(lane);
        let chunks = (0..len.div_ceil(CHUNK)).into_par_iter().map(|chunk| {
            let positions = chunk * CHUNK..((chunk + 1) * CHUNK).min(len);
            self.chunk(lane, positions)
        });
        Lane::new(chunks.collect())
    }

    fn chunk(&self, lane: u64, positions: std::ops::Range<u64>) -> Chunk {
        let count = positions.end - positions.start;
        let mut chunk = Chunk::default();
        for position in positions {
            let place = Place { lane, position };
            let index = self.order.index(place);
            let (sender, nonce) = self.order.sender(place);
            let sender = sender as usize;
            let call = self.draw.call(index, sender);
            let signed = self.signers[sender].sign(TxEip1559 {
                chain_id: self.chain_id,
                nonce,
                gas_limit: call.gas_limit,
                max_fee_per_gas: MAX_FEE,
                max_priority_fee_per_gas: PRIORITY_FEE,
                to: TxKind::Call(call.to),
                value: call.value,
                access_list: Default::default(),
                input: call.input,
            });
            chunk.push(index, signed.hash, &signed.bytes);
        }
        let done = self.done.fetch_add(count, Ordering::Relaxed) + count;
        self.progress.step("signed", done, self.order.total);
        chunk.shrink()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
