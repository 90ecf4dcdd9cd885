//! A whole node without ports: chain, store, pool, builder service and engine.
#![allow(dead_code)] // every test binary uses its own part of it

pub mod http;
pub mod payloads;

use std::path::Path;
use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B64, B256, Bytes, TxKind, U256, b256};
use alloy_rpc_types_engine::{
    ForkchoiceState, ForkchoiceUpdated, PayloadAttributes, PayloadStatus,
};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use blockwright_chain::ChainSpec;
use blockwright_chain::dev::{DevGenesis, default_l1_attributes, l1_info_deposit};
use blockwright_engine::{
    EmbeddedHost, Engine, EngineConfig, EngineDeps, EngineError, ForkchoiceVersion,
    GetPayloadVersion, NewPayloadVersion, PayloadEnvelope, Rival,
};
use blockwright_pool::{Pool, PoolConfig};
use blockwright_seams::{Feedback, FlashblockSink};
use blockwright_service::{BuilderHandle, BuilderService, RootsRule, ServiceConfig, SystemClock};
use blockwright_state::{Genesis, StateError, Store, StoreConfig};
use blockwright_types::{Flashblock, OpFork, PayloadId};
use op_alloy_consensus::OpTxEnvelope;
use op_alloy_rpc_types_engine::OpPayloadAttributes;

/// Timestamp of block 0, in seconds.
pub const GENESIS_TIMESTAMP: u64 = 1_795_255_412;
pub const GAS_LIMIT: u64 = 60_000_000;
pub const CHAIN_ID: u64 = 901;
/// Key of the first account of the standard test mnemonic.
const FIRST_KEY: B256 = b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

struct NoSubscribers;

impl FlashblockSink for NoSubscribers {
    fn publish(&self, _: Arc<Flashblock>) -> Feedback {
        Feedback::Accepted
    }
}

/// The chain every rig of `fork` runs.
pub fn chain(fork: OpFork) -> Arc<ChainSpec> {
    let genesis = DevGenesis {
        fork,
        chain_id: CHAIN_ID,
        timestamp: GENESIS_TIMESTAMP,
        gas_limit: GAS_LIMIT,
        ..DevGenesis::default()
    };
    spec(&genesis)
}

pub fn spec(genesis: &DevGenesis) -> Arc<ChainSpec> {
    let json = serde_json::to_vec(&genesis.build().unwrap()).unwrap();
    Arc::new(ChainSpec::from_genesis_json(&json).unwrap())
}

pub struct Rig {
    pub engine: Engine,
    pub chain: Arc<ChainSpec>,
    pub store: Store,
    pub pool: Pool,
    pub builder: BuilderHandle<EmbeddedHost>,
    service: tokio::task::JoinHandle<()>,
}

impl Rig {
    pub fn new(fork: OpFork) -> Self {
        Self::on(chain(fork), &StoreConfig::in_memory())
    }

    pub fn in_directory(fork: OpFork, directory: &Path) -> Self {
        Self::on(chain(fork), &StoreConfig::in_directory(directory))
    }

    pub fn on(chain: Arc<ChainSpec>, store: &StoreConfig) -> Self {
        Self::configured(chain, store, EngineConfig::default())
    }

    /// A rig whose builder leaves roots out as `roots` says.
    pub fn leaving_out(fork: OpFork, roots: RootsRule) -> Self {
        let mut service = ServiceConfig::default();
        service.job.roots = roots;
        let config = EngineConfig::default();
        Self::with(
            chain(fork),
            &StoreConfig::in_memory(),
            config,
            service,
            None,
        )
    }

    /// A rig that asks another builder.
    pub fn asking(fork: OpFork, rival: Arc<dyn Rival>) -> Self {
        let (config, service) = (EngineConfig::default(), ServiceConfig::default());
        let store = StoreConfig::in_memory();
        Self::with(chain(fork), &store, config, service, Some(rival))
    }

    pub fn configured(chain: Arc<ChainSpec>, store: &StoreConfig, config: EngineConfig) -> Self {
        Self::with(chain, store, config, ServiceConfig::default(), None)
    }

    fn with(
        chain: Arc<ChainSpec>,
        store: &StoreConfig,
        config: EngineConfig,
        service: ServiceConfig,
        rival: Option<Arc<dyn Rival>>,
    ) -> Self {
        let genesis = Genesis {
            header: chain.genesis_header().clone(),
            hash: chain.genesis_hash(),
            changes: chain.genesis_changes().clone(),
        };
        let store = open(store, &genesis);
        let pool = Pool::new(PoolConfig {
            intake_threads: 1,
            ..PoolConfig::new(chain.chain_id())
        });
        let host = EmbeddedHost::new(store.clone(), pool.clone());
        let clock = Arc::new(SystemClock);
        let (service, builder) =
            BuilderService::new(service, host, Arc::new(NoSubscribers), clock.clone()).unwrap();
        let service = tokio::spawn(service.run());
        let deps = EngineDeps {
            chain: chain.clone(),
            store: store.clone(),
            pool: pool.clone(),
            builder: builder.clone(),
            preconfirmed: None,
            rival,
            clock,
        };
        let engine = Engine::new(config, deps).unwrap();
        Self {
            engine,
            chain,
            store,
            pool,
            builder,
            service,
        }
    }

    /// Ends the building service and drops everything.
    pub async fn stop(self) {
        self.builder.shutdown().await;
        self.service.await.unwrap();
    }

    pub fn genesis(&self) -> B256 {
        self.chain.genesis_hash()
    }

    /// Attributes for the block after `parent`, two seconds later, with `txs` after the L1
    /// attributes deposit and nothing from the pool.
    pub fn attributes(&self, parent: B256, txs: &[Bytes]) -> OpPayloadAttributes {
        let timestamp = self.store.header(parent).unwrap().timestamp + 2;
        attributes_at(self.chain.fork_at(timestamp), timestamp, txs)
    }

    pub async fn choose(&self, head: B256) -> ForkchoiceUpdated {
        self.choose_all(head, B256::ZERO, B256::ZERO).await.unwrap()
    }

    pub async fn choose_all(
        &self,
        head: B256,
        safe: B256,
        finalized: B256,
    ) -> Result<ForkchoiceUpdated, EngineError> {
        let state = state(head, safe, finalized);
        self.engine
            .fork_choice_updated(ForkchoiceVersion::V3, state, None)
            .await
    }

    pub async fn start(
        &self,
        parent: B256,
        attributes: OpPayloadAttributes,
    ) -> Result<PayloadId, EngineError> {
        let fork = self.chain.fork_at(attributes.payload_attributes.timestamp);
        let state = state(parent, B256::ZERO, B256::ZERO);
        let answer = self
            .engine
            .fork_choice_updated(ForkchoiceVersion::of(fork), state, Some(attributes))
            .await?;
        assert!(answer.is_valid(), "{answer:?}");
        Ok(answer.payload_id.unwrap())
    }

    pub async fn get(&self, id: PayloadId) -> PayloadEnvelope {
        let timestamp = self.builder.peek(id).unwrap().header().timestamp;
        let version = GetPayloadVersion::of(self.chain.fork_at(timestamp));
        self.engine.get_payload(version, id).await.unwrap()
    }

    /// Builds a block on `parent` without importing it.
    pub async fn build(&self, parent: B256, txs: &[Bytes]) -> PayloadEnvelope {
        let id = self
            .start(parent, self.attributes(parent, txs))
            .await
            .unwrap();
        self.get(id).await
    }

    pub async fn import(&self, envelope: &PayloadEnvelope) -> PayloadStatus {
        let payload = envelope.execution_payload.clone();
        let version = NewPayloadVersion::of(self.chain.fork_at(payload.timestamp));
        self.engine
            .new_payload(version, payload, envelope.parent_beacon_block_root)
            .await
            .unwrap()
    }

    /// A full cycle of a sequencer: build on `parent`, import, make it the head.
    pub async fn extend(&self, parent: B256, txs: &[Bytes]) -> PayloadEnvelope {
        let envelope = self.build(parent, txs).await;
        let status = self.import(&envelope).await;
        assert!(status.is_valid(), "{status:?}");
        let chosen = self.choose(envelope.execution_payload.block_hash).await;
        assert!(chosen.is_valid(), "{chosen:?}");
        envelope
    }
}

/// Opens the store as soon as a rig that was stopped has let go of it: its last fork choice may
/// still be on its way to the pool.
fn open(config: &StoreConfig, genesis: &Genesis) -> Store {
    loop {
        match Store::open(config.clone(), genesis.clone()) {
            Ok(store) => return store,
            Err(StateError::Locked(_)) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

pub const fn state(head: B256, safe: B256, finalized: B256) -> ForkchoiceState {
    ForkchoiceState {
        head_block_hash: head,
        safe_block_hash: safe,
        finalized_block_hash: finalized,
    }
}

/// The L1 attributes deposit of a block at `timestamp`.
pub fn deposit(fork: OpFork, timestamp: u64) -> Bytes {
    let deposit = l1_info_deposit(fork, &default_l1_attributes(), timestamp);
    OpTxEnvelope::from(deposit).encoded_2718().into()
}

pub fn attributes_at(fork: OpFork, timestamp: u64, txs: &[Bytes]) -> OpPayloadAttributes {
    let mut transactions = vec![deposit(fork, timestamp)];
    transactions.extend_from_slice(txs);
    OpPayloadAttributes {
        payload_attributes: PayloadAttributes {
            timestamp,
            prev_randao: B256::repeat_byte(0x11),
            suggested_fee_recipient: Address::repeat_byte(0x42),
            withdrawals: (fork >= OpFork::Canyon).then(Vec::new),
            parent_beacon_block_root: (fork >= OpFork::Ecotone).then_some(B256::ZERO),
            ..PayloadAttributes::default()
        },
        transactions: Some(transactions),
        no_tx_pool: Some(true),
        gas_limit: Some(GAS_LIMIT),
        eip_1559_params: (fork >= OpFork::Holocene).then_some(B64::ZERO),
        min_base_fee: (fork >= OpFork::Jovian).then_some(0),
    }
}

pub fn first_account() -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&FIRST_KEY).unwrap()
}

/// A signed transfer of 1 wei from the first account to `to`.
pub fn transfer(nonce: u64, to: Address) -> Bytes {
    let tx = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000,
        to: TxKind::Call(to),
        value: U256::ONE,
        ..TxEip1559::default()
    };
    let signature = first_account()
        .sign_hash_sync(&tx.signature_hash())
        .unwrap();
    OpTxEnvelope::from(tx.into_signed(signature))
        .encoded_2718()
        .into()
}
