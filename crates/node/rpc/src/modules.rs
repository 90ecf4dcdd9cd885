//! Which methods there are, and where.

use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_eth::simulate::SimulatePayload;
use jsonrpsee::RpcModule;
use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::eth::{Overrides, SEND_CONDITIONAL, SEND_SYNC};
use crate::submissions::{SEND_RAW, raw_transaction};
use crate::subscriptions::register_subscriptions;
use crate::{EthApi, RpcError};

/// All methods for users: `eth_`, `net_`, `web3_`, `txpool_`, `miner_`, without subscriptions.
pub fn eth_module(api: &EthApi) -> RpcModule<EthApi> {
    let mut methods = MethodTable::new(api);
    chain_methods(&mut methods);
    block_methods(&mut methods);
    transaction_methods(&mut methods);
    account_methods(&mut methods);
    execution_methods(&mut methods);
    fee_methods(&mut methods);
    submit_methods(&mut methods);
    sync_methods(&mut methods);
    node_methods(&mut methods);
    miner_methods(&mut methods);
    methods.module
}

/// `eth_subscribe` and `eth_unsubscribe`, for WebSocket servers.
pub fn subscription_module(api: &EthApi) -> RpcModule<EthApi> {
    let mut module = RpcModule::new(api.clone());
    register_subscriptions(&mut module);
    module
}

/// What consensus clients and sidecars ask on the Engine API's port besides `engine_`. A transaction that
/// is sent there goes to the pool alone: a sidecar hands each to the sequencer itself.
pub fn engine_port_module(api: &EthApi) -> RpcModule<EthApi> {
    let mut methods = MethodTable::new(&api.for_pool_alone());
    chain_methods(&mut methods);
    block_methods(&mut methods);
    transaction_methods(&mut methods);
    account_methods(&mut methods);
    execution_methods(&mut methods);
    submit_methods(&mut methods);
    miner_methods(&mut methods);
    sidecar_methods(&mut methods);
    methods.module
}

/// A module that is being filled.
struct MethodTable {
    module: RpcModule<EthApi>,
}

impl MethodTable {
    fn new(api: &EthApi) -> Self {
        Self {
            module: RpcModule::new(api.clone()),
        }
    }

    /// A method that answers from memory, on the spot.
    fn quick<R>(&mut self, name: &'static str, answer: fn(&EthApi, &Args) -> Result<R, RpcError>)
    where
        R: Serialize + Clone + 'static,
    {
        self.module
            .register_method(name, move |params, api, _| {
                let args = Args::parse(&params)?;
                answer(api, &args)
            })
            .expect("method names in this file are distinct");
    }

    /// A method that takes a worker: it runs transactions or scans blocks.
    fn heavy<R>(&mut self, name: &'static str, answer: fn(&EthApi, &Args) -> Result<R, RpcError>)
    where
        R: Serialize + Clone + Send + 'static,
    {
        self.module
            .register_async_method(name, move |params, api: Arc<EthApi>, _| async move {
                let args = Args::parse(&params)?;
                api.on_worker(move |api| answer(api, &args)).await
            })
            .expect("method names in this file are distinct");
    }
}

fn chain_methods(methods: &mut MethodTable) {
    methods.quick("eth_chainId", |api, args| {
        args.at_most(0)?;
        Ok(U64::from(api.deps.chain.chain_id()))
    });
    methods.quick("eth_blockNumber", |api, args| {
        args.at_most(0)?;
        Ok(U64::from(api.block_number()))
    });
    methods.quick("eth_syncing", |_, args| {
        args.at_most(0)?;
        // The consensus client drives the chain; there is no peer to be behind of.
        Ok(false)
    });
}

fn block_methods(methods: &mut MethodTable) {
    methods.quick("eth_getBlockByNumber", |api, args| {
        api.rpc_block(number(args)?, args.optional(1, "full")?.unwrap_or(false))
    });
    methods.quick("eth_getBlockByHash", |api, args| {
        api.rpc_block(hash(args)?, args.optional(1, "full")?.unwrap_or(false))
    });
    methods.quick("eth_getBlockTransactionCountByNumber", |api, args| {
        Ok(api.transaction_count_of(number(args)?))
    });
    methods.quick("eth_getBlockTransactionCountByHash", |api, args| {
        Ok(api.transaction_count_of(hash(args)?))
    });
    methods.quick("eth_getUncleCountByBlockNumber", |api, args| {
        Ok(api.uncle_count(number(args)?))
    });
    methods.quick("eth_getUncleCountByBlockHash", |api, args| {
        Ok(api.uncle_count(hash(args)?))
    });
    methods.quick("eth_getBlockReceipts", |api, args| {
        Ok(api.block_receipts(args.required(0, "block")?))
    });
    methods.heavy("eth_getLogs", |api, args| {
        api.logs(&args.required(0, "filter")?)
    });
}

fn transaction_methods(methods: &mut MethodTable) {
    methods.quick("eth_getTransactionByHash", |api, args| {
        Ok(api.transaction_by_hash(args.required(0, "hash")?))
    });
    methods.quick("eth_getRawTransactionByHash", |api, args| {
        Ok(api.raw_transaction_by_hash(args.required(0, "hash")?))
    });
    methods.quick("eth_getTransactionReceipt", |api, args| {
        Ok(api.receipt_by_hash(args.required(0, "hash")?))
    });
    methods.quick("eth_getTransactionByBlockNumberAndIndex", |api, args| {
        let index: U64 = args.required(1, "index")?;
        Ok(api.transaction_in_block(number(args)?, index.to()))
    });
    methods.quick("eth_getTransactionByBlockHashAndIndex", |api, args| {
        let index: U64 = args.required(1, "index")?;
        Ok(api.transaction_in_block(hash(args)?, index.to()))
    });
}

fn account_methods(methods: &mut MethodTable) {
    methods.quick("eth_getBalance", |api, args| {
        api.balance(address(args)?, block(args, 1)?)
    });
    methods.quick("eth_getCode", |api, args| {
        api.code(address(args)?, block(args, 1)?)
    });
    methods.quick("eth_getStorageAt", |api, args| {
        let slot: Slot = args.required(1, "slot")?;
        api.storage_at(address(args)?, slot.0, block(args, 2)?)
    });
    methods.quick("eth_getTransactionCount", |api, args| {
        Ok(U64::from(api.nonce(address(args)?, block(args, 1)?)?))
    });
}

fn execution_methods(methods: &mut MethodTable) {
    methods.heavy("eth_call", |api, args| {
        let (request, block, overrides) = message(args)?;
        api.call(request, block, overrides)
    });
    methods.heavy("eth_estimateGas", |api, args| {
        let (request, block, overrides) = message(args)?;
        api.estimate_gas(request, block, overrides)
    });
    methods.heavy("eth_simulateV1", |api, args| {
        args.at_most(2)?;
        let payload: SimulatePayload = args.required(0, "payload")?;
        api.simulate(payload, block(args, 1)?)
    });
}

fn fee_methods(methods: &mut MethodTable) {
    methods.quick("eth_gasPrice", |api, _| api.gas_price());
    methods.quick("eth_maxPriorityFeePerGas", |api, _| api.max_priority_fee());
    methods.heavy("eth_feeHistory", |api, args| {
        let count: Count = args.required(0, "blockCount")?;
        let newest = args.required(1, "newestBlock")?;
        let percentiles: Option<Vec<f64>> = args.optional(2, "rewardPercentiles")?;
        api.fee_history(count.0, newest, percentiles.as_deref())
    });
}

fn submit_methods(methods: &mut MethodTable) {
    methods
        .module
        .register_async_method(SEND_RAW, |params, api: Arc<EthApi>, _| async move {
            api.send_raw_transaction(raw_transaction(&params)?).await
        })
        .expect("method names in this file are distinct");
    methods
        .module
        .register_async_method(SEND_CONDITIONAL, |params, api: Arc<EthApi>, _| async move {
            let args = Args::parse(&params)?;
            args.at_most(2)?;
            let encoded = args.required(0, "transaction")?;
            api.send_conditional(encoded, &args.required(1, "condition")?)
                .await
        })
        .expect("method names in this file are distinct");
}

/// Not for consensus clients: it waits.
fn sync_methods(methods: &mut MethodTable) {
    methods
        .module
        .register_async_method(SEND_SYNC, |params, api: Arc<EthApi>, _| async move {
            let args = Args::parse(&params)?;
            args.at_most(2)?;
            let timeout_ms: Option<Count> = args.optional(1, "timeout")?;
            let encoded = args.required(0, "transaction")?;
            api.send_raw_transaction_sync(encoded, timeout_ms.map(|count| count.0))
                .await
        })
        .expect("method names in this file are distinct");
}

fn node_methods(methods: &mut MethodTable) {
    methods.quick("net_version", |api, _| {
        Ok(api.deps.chain.chain_id().to_string())
    });
    methods.quick("net_listening", |_, _| Ok(true));
    methods.quick("net_peerCount", |_, _| Ok(U64::ZERO));
    methods.quick("web3_clientVersion", |api, _| {
        Ok(api.deps.client_version.clone())
    });
    methods.quick("web3_sha3", |_, args| {
        let data: Bytes = args.required(0, "data")?;
        Ok(keccak256(data))
    });
    methods.quick("op_supportedCapabilities", |api, args| {
        args.at_most(0)?;
        Ok(api.capabilities())
    });
    methods.quick("eth_accounts", |_, _| Ok(Vec::<Address>::new()));
    methods.quick("txpool_status", |api, _| {
        let status = api.deps.pool.status();
        Ok(TxpoolStatus {
            pending: U64::from(status.executable),
            queued: U64::from(status.parked),
        })
    });
}

fn miner_methods(methods: &mut MethodTable) {
    methods.quick("miner_setMaxDASize", |api, args| {
        args.at_most(2)?;
        let tx: U64 = args.required(0, "maxTxSize")?;
        let block: U64 = args.required(1, "maxBlockSize")?;
        (api.deps.set_da_limits)(tx.to(), block.to());
        Ok(true)
    });
}

/// What sidecars pass on, and nobody else may ask.
fn sidecar_methods(methods: &mut MethodTable) {
    methods.quick("miner_setGasPrice", |api, args| {
        args.at_most(1)?;
        let wei: U256 = args.required(0, "gasPrice")?;
        api.deps.pool.set_min_tip(wei.saturating_to());
        Ok(true)
    });
    // What follows is the sequencer's to decide: it comes with the attributes. `false` says that
    // nothing was changed.
    methods.quick("miner_setGasLimit", |_, args| {
        args.at_most(1)?;
        args.required::<U64>(0, "gasLimit").map(|_| false)
    });
    methods.quick("miner_setExtra", |_, args| {
        args.at_most(1)?;
        args.required::<String>(0, "extra").map(|_| false)
    });
}

fn address(args: &Args) -> Result<Address, RpcError> {
    args.required(0, "address")
}

/// The block of a state query; the head where none is named.
fn block(args: &Args, position: usize) -> Result<BlockId, RpcError> {
    Ok(args.optional(position, "block")?.unwrap_or_default())
}

fn number(args: &Args) -> Result<BlockId, RpcError> {
    let number: BlockNumberOrTag = args.required(0, "block number")?;
    Ok(BlockId::Number(number))
}

fn hash(args: &Args) -> Result<BlockId, RpcError> {
    let hash: B256 = args.required(0, "block hash")?;
    Ok(BlockId::from(hash))
}

/// The parameters that `eth_call` and `eth_estimateGas` share.
fn message(args: &Args) -> Result<(TransactionRequest, BlockId, Overrides), RpcError> {
    args.at_most(4)?;
    let overrides = Overrides {
        state: args.optional(2, "stateOverrides")?,
        block: args.optional(3, "blockOverrides")?,
    };
    Ok((args.required(0, "transaction")?, block(args, 1)?, overrides))
}

#[derive(Clone, Serialize)]
struct TxpoolStatus {
    pending: U64,
    queued: U64,
}

/// A storage slot: a quantity or 32 bytes.
struct Slot(U256);

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text
            .strip_prefix("0x")
            .ok_or_else(|| serde::de::Error::custom("must start with 0x"))?;
        if digits.is_empty() || digits.len() > 64 {
            return Err(serde::de::Error::custom("must have 1 to 64 hex digits"));
        }
        U256::from_str_radix(digits, 16)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// A count: a hex quantity, or a number as some wallets send it.
struct Count(u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Quantity(U64),
        }
        match Form::deserialize(deserializer) {
            Ok(Form::Number(count)) => Ok(Self(count)),
            Ok(Form::Quantity(count)) => Ok(Self(count.to())),
            // What the forms are made of is no help to a caller.
            Err(_) => Err(serde::de::Error::custom(
                "must be a number or a hex quantity of at most 64 bits",
            )),
        }
    }
}
