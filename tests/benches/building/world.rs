//! The state and the transactions of the comparison.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B64, B256, Bytes, Signature, TxKind, U256, keccak256};
use alloy_rpc_types_engine::PayloadAttributes;
use blockwright_chain::ChainSpec;
use blockwright_chain::dev::{DevGenesis, GenesisAccount, default_l1_attributes, l1_info_deposit};
use blockwright_state::{Genesis, Store, StoreConfig};
use blockwright_testkit::{BLOCK_START_S, Rng};
use blockwright_types::{BuildRequest, OpFork, PayloadId, RecoveredTx, SharedTx, UnixUs};
use op_alloy_consensus::OpTxEnvelope;
use op_alloy_rpc_types_engine::OpPayloadAttributes;

use crate::token::{self, TOKEN};

/// Transactions of a block.
pub const TRANSACTIONS: u64 = 10_000;
/// Accounts that send them, in turns.
const SENDERS: u64 = 5_000;
/// Accounts with ether and tokens, senders included; the others receive.
const ACCOUNTS: u64 = 100_000;
const GAS_LIMIT: u64 = 1_000_000_000;

/// Account number `n`; spread over the trie as real ones are.
fn account(n: u64) -> Address {
    Address::from_slice(&keccak256(n.to_be_bytes())[12..])
}

/// A Karst chain whose genesis has many accounts and a token, and the block to build on it.
pub struct World {
    pub spec: ChainSpec,
    pub store: Store,
    pub request: BuildRequest,
}

impl World {
    pub fn new() -> Self {
        let genesis = DevGenesis {
            timestamp: BLOCK_START_S,
            gas_limit: GAS_LIMIT,
            alloc: alloc(),
            ..DevGenesis::default()
        };
        let json = serde_json::to_vec(&genesis.build().unwrap()).unwrap();
        let spec = ChainSpec::from_genesis_json(&json).unwrap();
        let genesis = Genesis {
            header: spec.genesis_header().clone(),
            hash: spec.genesis_hash(),
            changes: spec.genesis_changes().clone(),
        };
        let store = Store::open(StoreConfig::in_memory(), genesis).unwrap();
        let request = request(&spec);
        Self {
            spec,
            store,
            request,
        }
    }

    /// Ether transfers, each to another account.
    pub fn transfers(&self) -> Vec<SharedTx> {
        transactions(21_000, |to| (to, U256::from(1), Bytes::new()))
    }

    /// Token transfers, each to another holder.
    pub fn token_transfers(&self) -> Vec<SharedTx> {
        let call = |to| (TOKEN, U256::ZERO, token::transfer(to, U256::from(1)));
        transactions(60_000, call)
    }
}

fn alloc() -> BTreeMap<Address, GenesisAccount> {
    let holder = GenesisAccount::default().with_balance(U256::from(10).pow(U256::from(24)));
    let holdings = B256::from(U256::from(10).pow(U256::from(18)));
    let storage = (0..ACCOUNTS).map(|n| (token::slot(account(n)), holdings));
    let token = GenesisAccount::default()
        .with_nonce(Some(1))
        .with_code(Some(token::code()))
        .with_storage(Some(storage.collect()));
    let mut alloc: BTreeMap<_, _> = (0..ACCOUNTS)
        .map(|n| (account(n), holder.clone()))
        .collect();
    alloc.insert(TOKEN, token);
    alloc
}

/// A two-second block asked for 10 ms after its parent's time is up, so that ten flashblocks are
/// left; it opens with its L1 attributes.
fn request(spec: &ChainSpec) -> BuildRequest {
    let parent = spec.genesis_header();
    let attributes = OpPayloadAttributes {
        payload_attributes: PayloadAttributes {
            timestamp: parent.timestamp + 2,
            prev_randao: B256::repeat_byte(7),
            suggested_fee_recipient: account(u64::MAX),
            withdrawals: Some(Vec::new()),
            parent_beacon_block_root: Some(B256::repeat_byte(8)),
            ..PayloadAttributes::default()
        },
        gas_limit: Some(GAS_LIMIT),
        eip_1559_params: Some(B64::ZERO),
        min_base_fee: Some(0),
        transactions: None,
        no_tx_pool: None,
    };
    let context = spec
        .context_for_attributes(parent, spec.genesis_hash(), &attributes)
        .unwrap();
    let deposit = l1_info_deposit(OpFork::Karst, &default_l1_attributes(), 1);
    let sender = deposit.from;
    let envelope = OpTxEnvelope::from(deposit);
    let encoded = envelope.encoded_2718().into();
    BuildRequest {
        id: PayloadId::new([9; 8]),
        context,
        sequencer_transactions: vec![Arc::new(RecoveredTx::new(envelope, encoded, sender))],
        no_tx_pool: false,
        received_at: UnixUs::from_secs(parent.timestamp).minus_us(90_000),
        parent_timestamp: parent.timestamp,
    }
}

/// Senders recovered, signatures of the usual size, tips with ties.
fn transactions(gas_limit: u64, call: impl Fn(Address) -> (Address, U256, Bytes)) -> Vec<SharedTx> {
    let mut rng = Rng::new(1);
    let one = |n: u64| {
        let receiver = SENDERS + (n * 7_919) % (ACCOUNTS - SENDERS);
        let (to, value, input) = call(account(receiver));
        let tx = TxEip1559 {
            chain_id: blockwright_chain::dev::DEFAULT_CHAIN_ID,
            nonce: n / SENDERS,
            gas_limit,
            max_fee_per_gas: 10_000_000_000,
            max_priority_fee_per_gas: u128::from(1_000_000 + rng.below(500) * 1_000),
            to: TxKind::Call(to),
            value,
            access_list: Default::default(),
            input,
        };
        let mut word = || keccak256(rng.next_u64().to_be_bytes());
        let (r, s) = (U256::from_be_bytes(word().0), U256::from_be_bytes(word().0));
        let signature = Signature::new(r, s >> 1, n.is_multiple_of(2));
        let envelope = OpTxEnvelope::from(tx.into_signed(signature));
        let encoded = envelope.encoded_2718().into();
        let sender = account(n % SENDERS);
        Arc::new(RecoveredTx::new(envelope, encoded, sender))
    };
    (0..TRANSACTIONS).map(one).collect()
}
