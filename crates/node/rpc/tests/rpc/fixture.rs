//! A Karst development chain in memory, grown block by block, behind real servers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use alloy_consensus::{Sealable, SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address, b256, hex};
use alloy_signer::SignerSync;
use alloy_signer_local::coins_bip39::English;
use alloy_signer_local::{MnemonicBuilder, PrivateKeySigner};
use blockwright_chain::ChainSpec;
use blockwright_chain::dev::{
    DEV_MNEMONIC, DevGenesis, GenesisAccount, default_l1_attributes, l1_info_deposit,
};
use blockwright_exec::{ExecBlock, RollupFees, assemble_header, execute_block};
use blockwright_pending::{Ground, Growth, PendingBlock, PendingFeed, pending};
use blockwright_pool::{
    AccountFacts, AccountView, HeadView, Pool, PoolConfig, RollupFeeView, ViewError,
};
use blockwright_rpc::{
    EthApi, Forwarding, Overlay, Placeholders, RpcDeps, RpcLimits, RpcServer, ServerConfig,
    serve_http, serve_ws,
};
use blockwright_seams::OpenBlock;
use blockwright_state::{CanonUpdate, ForkChoice, Genesis, StateReader, Store, StoreConfig};
use blockwright_testkit::ManualClock;
use blockwright_types::{
    BlockContext, Changes, PayloadId, RecoveredTx, SealedBlock, SharedTx, UnixUs, decode_recovered,
};
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::HttpClient;
use jsonrpsee::types::ErrorObjectOwned;
use op_alloy_consensus::OpTxEnvelope;
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use serde_json::{Value, json};
use tokio::sync::broadcast;

pub(crate) const GENESIS_TIME: u64 = 1_760_000_000;
pub(crate) const INTERVAL_US: u64 = 200_000;

/// Logs one word (42) under topic 7.
pub(crate) const LOGGER: Address = address!("00000000000000000000000000000000000c0001");
/// Reverts with `Error("nope")`.
pub(crate) const REVERTER: Address = address!("00000000000000000000000000000000000c0002");
/// Returns 42; its slot 3 holds 9.
pub(crate) const GETTER: Address = address!("00000000000000000000000000000000000c0003");
pub(crate) const TOPIC: B256 =
    b256!("0000000000000000000000000000000000000000000000000000000000000007");

const LOGGER_CODE: &[u8] = &hex!("602a600052600760206000a100");
const GETTER_CODE: &[u8] = &hex!("602a60005260206000f3");
const REVERTER_CODE: &[u8] = &hex!(
    "6064600c60003960646000fd"
    "08c379a0"
    "0000000000000000000000000000000000000000000000000000000000000020"
    "0000000000000000000000000000000000000000000000000000000000000004"
    "6e6f706500000000000000000000000000000000000000000000000000000000"
);

pub(crate) struct Chain {
    pub(crate) store: Store,
    pub(crate) pool: Pool,
    pub(crate) http: RpcServer,
    pub(crate) ws: RpcServer,
    pub(crate) client: HttpClient,
    pub(crate) da_limits: Arc<Mutex<Option<(u64, u64)>>>,
    pub(crate) api: EthApi,
    spec: Arc<ChainSpec>,
    heads: broadcast::Sender<Arc<CanonUpdate>>,
    pub(crate) feed: PendingFeed,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) async fn start() -> Chain {
    start_with(RpcLimits::default(), ServerConfig::default()).await
}

/// A chain whose `pending` is what is put into its feed.
pub(crate) async fn start_overlaid(placeholders: Placeholders) -> Chain {
    let (limits, config) = (RpcLimits::default(), ServerConfig::default());
    start_chain(limits, config, Some(placeholders), Forwarding::default()).await
}

pub(crate) async fn start_with(limits: RpcLimits, config: ServerConfig) -> Chain {
    start_chain(limits, config, None, Forwarding::default()).await
}

pub(crate) async fn start_forwarding(
    limits: RpcLimits,
    config: ServerConfig,
    forwarding: Forwarding,
) -> Chain {
    start_chain(limits, config, None, forwarding).await
}

async fn start_chain(
    limits: RpcLimits,
    config: ServerConfig,
    placeholders: Option<Placeholders>,
    forwarding: Forwarding,
) -> Chain {
    let clock = Arc::new(ManualClock::at(UnixUs::from_secs(GENESIS_TIME)));
    let (feed, preconfirmed) = pending(INTERVAL_US, clock.clone());
    let overlay = placeholders.map(|placeholders| Overlay {
        pending: preconfirmed,
        placeholders,
    });
    let spec = Arc::new(spec());
    let genesis = Genesis {
        header: spec.genesis_header().clone(),
        hash: spec.genesis_hash(),
        changes: spec.genesis_changes().clone(),
    };
    let store = Store::open(StoreConfig::in_memory(), genesis).unwrap();
    let pool = Pool::new(PoolConfig::new(spec.chain_id()));
    let heads = broadcast::Sender::new(16);
    let da_limits = Arc::new(Mutex::new(None));
    let (source, limits_seen) = (heads.clone(), Arc::clone(&da_limits));
    let api = EthApi::new(RpcDeps {
        store: store.clone(),
        pool: pool.clone(),
        chain: Arc::clone(&spec),
        heads: Arc::new(move || source.subscribe()),
        overlay,
        set_da_limits: Arc::new(move |tx, block| *limits_seen.lock().unwrap() = Some((tx, block))),
        forwarding,
        client_version: "blockwright/test".to_owned(),
        limits,
    });
    let any = "127.0.0.1:0".parse().unwrap();
    let http = serve_http(any, &api, &config).await.unwrap();
    let ws = serve_ws(any, &api, &config).await.unwrap();
    let client = HttpClient::builder()
        .build(format!("http://{}", http.local_addr()))
        .unwrap();
    let chain = Chain {
        store,
        pool,
        http,
        ws,
        client,
        da_limits,
        api,
        spec,
        heads,
        feed,
        clock,
    };
    let head = chain.head();
    chain.pool.on_head_jump(chain.head_view(&head));
    chain
}

fn spec() -> ChainSpec {
    let contract = |code: &[u8]| GenesisAccount {
        code: Some(Bytes::copy_from_slice(code)),
        nonce: Some(1),
        ..GenesisAccount::default()
    };
    let mut getter = contract(GETTER_CODE);
    getter.storage = Some(BTreeMap::from([(
        B256::with_last_byte(3),
        B256::with_last_byte(9),
    )]));
    let genesis = DevGenesis {
        timestamp: GENESIS_TIME,
        alloc: BTreeMap::from([
            (LOGGER, contract(LOGGER_CODE)),
            (REVERTER, contract(REVERTER_CODE)),
            (GETTER, getter),
        ]),
        ..DevGenesis::default()
    };
    let document = serde_json::to_vec(&genesis.build().unwrap()).unwrap();
    ChainSpec::from_genesis_json(&document).unwrap()
}

impl Chain {
    pub(crate) fn head(&self) -> Arc<SealedBlock> {
        self.store.block_by_hash(self.store.head().hash).unwrap()
    }

    /// Makes a block with the L1 attributes deposit and `txs` on the head, and makes it the head.
    pub(crate) fn advance(&self, txs: &[SharedTx]) -> Arc<SealedBlock> {
        let parent = self.head();
        let block = self.build(&parent, 2, txs);
        self.adopt(&block);
        block
    }

    fn context(&self, parent: &SealedBlock, after_s: u64) -> BlockContext {
        let timestamp = parent.header.timestamp + after_s;
        let attributes: OpPayloadAttributes = serde_json::from_value(json!({
            "timestamp": format!("0x{timestamp:x}"),
            "prevRandao": B256::repeat_byte(1),
            "suggestedFeeRecipient": "0x4200000000000000000000000000000000000011",
            "withdrawals": [],
            "parentBeaconBlockRoot": B256::ZERO,
            "gasLimit": "0x3938700",
            "eip1559Params": "0x0000000000000000",
            "minBaseFee": 0,
        }))
        .unwrap();
        self.spec
            .context_for_attributes(&parent.header, parent.hash, &attributes)
            .unwrap()
    }

    /// The states of a block on the head after each of its flashblocks: the deposit, then each part.
    pub(crate) fn preconfirmed(&self, parts: &[Vec<SharedTx>]) -> Vec<Arc<PendingBlock>> {
        self.preconfirmed_on(&self.head(), parts)
    }

    pub(crate) fn preconfirmed_on(
        &self,
        parent: &SealedBlock,
        parts: &[Vec<SharedTx>],
    ) -> Vec<Arc<PendingBlock>> {
        let context = self.context(parent, 2);
        let id = PayloadId::new(context.number.to_be_bytes());
        let reader = self.store.reader(parent.hash).unwrap();
        let sequenced = [opening(&context)];
        let mut open = ExecBlock::open(context.clone(), reader.clone(), &sequenced, id).unwrap();
        let mut all = Changes::default();
        let mut grown: Vec<Arc<PendingBlock>> = Vec::new();
        for index in 0..=parts.len() {
            let txs = index.checked_sub(1).map_or(&[][..], |part| &parts[part]);
            for tx in txs {
                let sim = open.simulate(tx).unwrap();
                open.commit(sim).unwrap();
            }
            if let Some(changes) = open.take_changes() {
                all.extend(&changes);
            }
            let (roots, _) = self.store.roots_after(parent.hash, &all).unwrap();
            open.cut(index as u64);
            let sealed = open.seal(index as u64, &roots);
            let growth = Growth {
                header: sealed.block.header.clone(),
                hash: sealed.block.hash,
                part: Arc::clone(&sealed.flashblock.part),
            };
            grown.push(Arc::new(match grown.last() {
                Some(before) => before.grown(growth),
                None => {
                    let ground = Ground::Stored(reader.clone());
                    PendingBlock::first(id, context.clone(), ground, growth)
                }
            }));
        }
        grown
    }

    /// Makes a block on any parent, `after_s` seconds later.
    pub(crate) fn build(
        &self,
        parent: &SealedBlock,
        after_s: u64,
        txs: &[SharedTx],
    ) -> Arc<SealedBlock> {
        let context = self.context(parent, after_s);
        let opening = opening(&context);
        let all: Vec<SharedTx> = [opening].into_iter().chain(txs.iter().cloned()).collect();
        let reader = self.store.reader(parent.hash).unwrap();
        let executed = execute_block(context.clone(), reader, &all).unwrap();
        let changes = executed.part.net_changes();
        let (roots, delta) = self.store.roots_after(parent.hash, &changes).unwrap();
        let header = assemble_header(&context, &executed.totals, &roots);
        let block = Arc::new(SealedBlock {
            hash: header.hash_slow(),
            header,
            parts: vec![Arc::new(executed.part)],
            value: executed.value,
        });
        self.store.insert(Arc::clone(&block), delta).unwrap();
        block
    }

    /// Makes a block the head and tells everybody.
    pub(crate) fn adopt(&self, block: &SealedBlock) {
        let choice = ForkChoice {
            head: block.hash,
            safe: B256::ZERO,
            finalized: B256::ZERO,
        };
        let update = self.store.set_fork_choice(choice).unwrap();
        let reverted: Vec<_> = update.reverted.iter().rev().cloned().collect();
        self.pool
            .on_new_head(self.head_view(block), &reverted, &update.new);
        // Nobody may be listening.
        let _ = self.heads.send(Arc::new(update));
    }

    fn head_view(&self, head: &SealedBlock) -> HeadView {
        let reader = self.store.reader(head.hash).unwrap();
        let timestamp = head.header.timestamp + 2;
        let fork = self.spec.fork_at(timestamp);
        HeadView {
            hash: head.hash,
            number: head.header.number,
            fork,
            base_fee: self.spec.next_base_fee(&head.header, timestamp).unwrap(),
            gas_limit: head.header.gas_limit,
            fees: Arc::new(Fees(RollupFees::read(&reader, fork).unwrap())),
            accounts: Arc::new(Accounts(reader)),
        }
    }

    pub(crate) async fn ask(&self, method: &str, params: ArrayParams) -> Value {
        self.client.request(method, params).await.unwrap()
    }

    pub(crate) async fn refused(&self, method: &str, params: ArrayParams) -> ErrorObjectOwned {
        match self.client.request::<Value, _>(method, params).await {
            Err(ClientError::Call(error)) => error,
            other => panic!("expected an error object: {other:?}"),
        }
    }
}

/// The deposit that every block begins with.
fn opening(context: &BlockContext) -> SharedTx {
    let deposit = l1_info_deposit(context.fork, &default_l1_attributes(), 0);
    shared(&OpTxEnvelope::Deposit(deposit.seal_slow()))
}

struct Accounts(StateReader);

impl AccountView for Accounts {
    fn account(&self, address: Address) -> Result<AccountFacts, ViewError> {
        Ok(self
            .0
            .account(&address)
            .map_or_else(AccountFacts::default, |account| AccountFacts {
                nonce: account.nonce,
                balance: account.balance,
                ..AccountFacts::default()
            }))
    }
}

struct Fees(RollupFees);

impl RollupFeeView for Fees {
    fn cost(&self, tx: &RecoveredTx) -> U256 {
        self.0.cost(tx)
    }
}

/// The `index`-th development account.
pub(crate) fn signer(index: u32) -> PrivateKeySigner {
    MnemonicBuilder::<English>::default()
        .phrase(DEV_MNEMONIC)
        .index(index)
        .unwrap()
        .build()
        .unwrap()
}

/// A transaction of a development account with plenty of gas.
pub(crate) fn transaction(nonce: u64, to: TxKind) -> TxEip1559 {
    TxEip1559 {
        chain_id: 901,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to,
        ..TxEip1559::default()
    }
}

pub(crate) fn signed(index: u32, tx: TxEip1559) -> SharedTx {
    let signature = signer(index).sign_hash_sync(&tx.signature_hash()).unwrap();
    shared(&tx.into_signed(signature).into())
}

fn shared(envelope: &OpTxEnvelope) -> SharedTx {
    Arc::new(decode_recovered(envelope.encoded_2718().into()).unwrap())
}
