//! Random scripts for blocks of a development chain.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B64, B256, Bytes, TxKind, U256, keccak256};
use alloy_rpc_types_engine::PayloadAttributes;
use blockwright_chain::dev::{default_l1_attributes, l1_info_deposit};
use blockwright_testkit::{Arrival, BLOCK_START_S, Rng, Scenario, address, random_scenario};
use blockwright_types::{
    BlockContext, L2_TO_L1_MESSAGE_PASSER, OpFork, RecoveredTx, SealedBlock, SharedTx, UnixUs,
};
use op_alloy_consensus::{OpTxEnvelope, TxDeposit};
use op_alloy_rpc_types_engine::OpPayloadAttributes;

use super::chain::{self, Chain};

/// Seconds from block to block.
const BLOCK_TIME_S: u64 = 2;
/// Room for the sequencer's transactions on top of what a script has for the pool.
const SEQUENCER_GAS: u64 = 2_500_000;

/// The block a script builds on.
#[derive(Clone, Debug)]
pub struct Parent {
    pub header: Header,
    pub hash: B256,
    /// Blocks since genesis.
    pub generation: u64,
}

impl Parent {
    pub fn genesis(chain: &Chain) -> Self {
        Self {
            header: chain.spec.genesis_header().clone(),
            hash: chain.spec.genesis_hash(),
            generation: 0,
        }
    }

    pub fn child(&self, block: &SealedBlock) -> Self {
        Self {
            header: block.header.clone(),
            hash: block.hash,
            generation: self.generation + 1,
        }
    }
}

/// The script of `seed`, moved onto `parent` and its chain's rules.
pub fn scenario(chain: &Chain, parent: &Parent, seed: u64) -> Scenario {
    let mut scenario = random_scenario(seed);
    let later_us = (parent.header.timestamp - BLOCK_START_S) * 1_000_000;
    let moved = |at: UnixUs| at.plus_us(later_us);
    scenario.opened_at = moved(scenario.opened_at);
    for Arrival { at, tx } in &mut scenario.arrivals {
        *at = moved(*at);
        *tx = sent_by_generation(tx, parent.generation);
    }
    for (at, _) in &mut scenario.happenings {
        *at = moved(*at);
    }
    let request = &mut scenario.request;
    request.received_at = moved(request.received_at);
    request.parent_timestamp = parent.header.timestamp;
    let gas_limit = request.context.gas_limit + SEQUENCER_GAS;
    request.context = context(chain, parent, gas_limit);
    request.sequencer_transactions = sequencer(chain.fork, parent, seed);
    scenario
}

/// The environment by the chain's rules.
fn context(chain: &Chain, parent: &Parent, gas_limit: u64) -> BlockContext {
    let attributes = OpPayloadAttributes {
        payload_attributes: PayloadAttributes {
            timestamp: parent.header.timestamp + BLOCK_TIME_S,
            prev_randao: keccak256(parent.hash),
            suggested_fee_recipient: address(999_999),
            withdrawals: Some(Vec::new()),
            parent_beacon_block_root: Some(keccak256(parent.header.number.to_be_bytes())),
            ..PayloadAttributes::default()
        },
        gas_limit: Some(gas_limit),
        eip_1559_params: Some(B64::ZERO),
        min_base_fee: (chain.fork >= OpFork::Jovian).then_some(0),
        transactions: None,
        no_tx_pool: None,
    };
    chain
        .spec
        .context_for_attributes(&parent.header, parent.hash, &attributes)
        .unwrap()
}

/// The same transaction by another sender: signatures are placeholders.
fn sent_by_generation(tx: &SharedTx, generation: u64) -> SharedTx {
    let number = (0..chain::SENDERS).find(|n| address(*n) == tx.sender);
    let sender = chain::sender(generation, number.unwrap());
    let (envelope, encoded) = (tx.envelope.clone(), tx.encoded.clone());
    Arc::new(RecoveredTx::new(envelope, encoded, sender))
}

/// L1 attributes and a few user deposits: with and without mint, to code, to the message passer,
/// reverting, unable to pay, and from an account that also has pooled transactions.
fn sequencer(fork: OpFork, parent: &Parent, seed: u64) -> Vec<SharedTx> {
    let mut rng = Rng::new(seed ^ 0xde90);
    let mut l1 = default_l1_attributes();
    l1.base_fee = U256::from(1 + rng.below(5_000_000_000));
    let mut transactions = vec![shared(l1_info_deposit(fork, &l1, parent.generation))];
    for position in 0..rng.below(5) {
        let (from, to, input) = match rng.below(5) {
            0 => (address(2_000_000 + position), L2_TO_L1_MESSAGE_PASSER, 0),
            1 => (
                address(2_000_000),
                address(1_000_000 + rng.below(8)),
                rng.below(4),
            ),
            2 => {
                let n = rng.below(chain::SENDERS);
                (chain::sender(parent.generation, n), address(3), 0)
            }
            _ => (
                address(3_000_000 + rng.below(9)),
                address(3_000_000 + rng.below(9)),
                0,
            ),
        };
        transactions.push(shared(deposit(&mut rng, from, to, input)));
    }
    transactions
}

fn deposit(rng: &mut Rng, from: Address, to: Address, input: u64) -> TxDeposit {
    let input = match input {
        0 => Bytes::new(),
        first => Bytes::from(vec![first as u8, 0xff]),
    };
    TxDeposit {
        source_hash: B256::from(U256::from(rng.next_u64())),
        from,
        to: TxKind::Call(to),
        mint: if rng.chance(70) { 1_000 } else { 0 },
        // Without the mint most cannot pay this, and fail inside of a valid block.
        value: U256::from(rng.below(1_000)),
        gas_limit: 21_000 + rng.below(300_000),
        is_system_transaction: false,
        input,
    }
}

fn shared(deposit: TxDeposit) -> SharedTx {
    let sender = deposit.from;
    let envelope = OpTxEnvelope::from(deposit);
    let encoded = Bytes::from(envelope.encoded_2718());
    Arc::new(RecoveredTx::new(envelope, encoded, sender))
}
