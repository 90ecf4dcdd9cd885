//! The `engine_` JSON-RPC methods.

use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_engine::ForkchoiceState;
use blockwright_types::PayloadId;
use jsonrpsee::Extensions;
use jsonrpsee::RpcModule;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::invalid;
use crate::incoming::Incoming;
use crate::splice::{AnswerSlot, Recognised};
use crate::{
    Engine, EngineError, ExecutionPayload, ForkchoiceVersion, GetPayloadVersion, NewPayloadVersion,
    PayloadEnvelope,
};

/// What `engine_exchangeCapabilities` answers.
const CAPABILITIES: &[&str] = &[
    "engine_forkchoiceUpdatedV1",
    "engine_forkchoiceUpdatedV2",
    "engine_forkchoiceUpdatedV3",
    "engine_getClientVersionV1",
    "engine_getPayloadV1",
    "engine_getPayloadV2",
    "engine_getPayloadV3",
    "engine_getPayloadV4",
    "engine_getPayloadV5",
    "engine_newPayloadV1",
    "engine_newPayloadV2",
    "engine_newPayloadV3",
    "engine_newPayloadV4",
];

impl From<EngineError> for ErrorObjectOwned {
    fn from(error: EngineError) -> Self {
        Self::owned(error.code(), error.to_string(), None::<()>)
    }
}

type Answer<T> = Result<T, ErrorObjectOwned>;

/// All methods over `engine`.
pub fn engine_module(engine: Engine) -> RpcModule<Engine> {
    let mut module = RpcModule::new(engine);
    register(&mut module).expect("every method is registered once");
    module
}

fn register(module: &mut RpcModule<Engine>) -> Result<(), jsonrpsee::core::RegisterMethodError> {
    module.register_method("engine_exchangeCapabilities", |_, _, _| {
        CAPABILITIES.to_vec()
    })?;
    module.register_method(
        "engine_getClientVersionV1",
        |_, _, _| vec![client_version()],
    )?;
    fork_choice(module, "engine_forkchoiceUpdatedV1", ForkchoiceVersion::V1)?;
    fork_choice(module, "engine_forkchoiceUpdatedV2", ForkchoiceVersion::V2)?;
    fork_choice(module, "engine_forkchoiceUpdatedV3", ForkchoiceVersion::V3)?;
    new_payload(module, "engine_newPayloadV1", NewPayloadVersion::V1)?;
    new_payload(module, "engine_newPayloadV2", NewPayloadVersion::V2)?;
    new_payload(module, "engine_newPayloadV3", NewPayloadVersion::V3)?;
    new_payload(module, "engine_newPayloadV4", NewPayloadVersion::V4)?;
    module.register_async_method("engine_getPayloadV1", |params, engine, with| async move {
        let envelope = envelope(&engine, GetPayloadVersion::V1, &params, &with).await?;
        Answer::Ok(envelope.execution_payload)
    })?;
    get_payload(module, "engine_getPayloadV2", GetPayloadVersion::V2)?;
    get_payload(module, "engine_getPayloadV3", GetPayloadVersion::V3)?;
    get_payload(module, "engine_getPayloadV4", GetPayloadVersion::V4)?;
    get_payload(module, "engine_getPayloadV5", GetPayloadVersion::V5)?;
    Ok(())
}

/// `ClientVersionV1` of execution-apis. The field's own list of codes has none for us.
#[derive(Clone, Debug, Serialize)]
struct ClientVersion {
    code: &'static str,
    name: &'static str,
    version: String,
    commit: &'static str,
}

fn client_version() -> ClientVersion {
    ClientVersion {
        code: "BW",
        name: "Blockwright",
        version: format!("v{}", env!("CARGO_PKG_VERSION")),
        commit: option_env!("BLOCKWRIGHT_COMMIT").unwrap_or("00000000"),
    }
}

type Registered = Result<(), jsonrpsee::core::RegisterMethodError>;

fn fork_choice(
    module: &mut RpcModule<Engine>,
    method: &'static str,
    version: ForkchoiceVersion,
) -> Registered {
    module.register_async_method(method, move |params, engine, _| async move {
        let mut sequence = params.sequence();
        let state: ForkchoiceState = required(sequence.next(), "forkchoiceState")?;
        let attributes: Option<OpPayloadAttributes> =
            optional(sequence.optional_next(), "payloadAttributes")?;
        Answer::Ok(
            engine
                .fork_choice_updated(version, state, attributes)
                .await?,
        )
    })?;
    Ok(())
}

fn get_payload(
    module: &mut RpcModule<Engine>,
    method: &'static str,
    version: GetPayloadVersion,
) -> Registered {
    module.register_async_method(method, move |params, engine, with| async move {
        envelope(&engine, version, &params, &with).await
    })?;
    Ok(())
}

/// The envelope, without the transactions where they get into the answer by another way.
async fn envelope(
    engine: &Engine,
    version: GetPayloadVersion,
    params: &Params<'_>,
    with: &Extensions,
) -> Answer<PayloadEnvelope> {
    let id: PayloadId = required(params.sequence().next(), "payloadId")?;
    if engine.inner.config.withholds_payloads {
        engine.inner.requests.withheld(id);
        return Err(EngineError::UnknownPayload(id).into());
    }
    let (block, fork) = engine.proposal(version, id).await?;
    let slot = with.get::<AnswerSlot>();
    let mut envelope = PayloadEnvelope::without_transactions(&block, fork);
    envelope.execution_payload.transactions = slot
        .and_then(|slot| slot.take(&block))
        .unwrap_or_else(|| ExecutionPayload::transactions_of(&block));
    Ok(envelope)
}

fn new_payload(
    module: &mut RpcModule<Engine>,
    method: &'static str,
    version: NewPayloadVersion,
) -> Registered {
    module.register_async_method(method, move |params, engine, with| async move {
        let call = NewPayloadCall::parse(version, &params)?;
        // There are neither blobs nor requests on an OP Stack chain: no block goes with any.
        for (name, count) in [
            ("expectedBlobVersionedHashes", call.versioned_hashes.len()),
            ("executionRequests", call.execution_requests.len()),
        ] {
            if count > 0 {
                return Answer::Ok(invalid(format!("{name} must be empty, got {count}"), None));
            }
        }
        let incoming = Incoming::new(call.payload, call.parent_beacon_block_root);
        let incoming = match with.get::<Recognised>() {
            Some(own) if own.is(incoming.transactions()) => incoming.with_those_of(&own.block),
            _ => incoming,
        };
        Ok(engine.handle_payload(version, incoming).await?)
    })?;
    Ok(())
}

/// The parameters of `engine_newPayloadV…`, as many as the version has.
struct NewPayloadCall {
    payload: ExecutionPayload,
    versioned_hashes: Vec<B256>,
    parent_beacon_block_root: Option<B256>,
    execution_requests: Vec<Bytes>,
}

impl NewPayloadCall {
    fn parse(version: NewPayloadVersion, params: &Params<'_>) -> Answer<Self> {
        let mut sequence = params.sequence();
        let mut call = Self {
            payload: required(sequence.next(), "executionPayload")?,
            versioned_hashes: Vec::new(),
            parent_beacon_block_root: None,
            execution_requests: Vec::new(),
        };
        if version >= NewPayloadVersion::V3 {
            call.versioned_hashes = required(sequence.next(), "expectedBlobVersionedHashes")?;
            call.parent_beacon_block_root =
                Some(required(sequence.next(), "parentBeaconBlockRoot")?);
        }
        if version >= NewPayloadVersion::V4 {
            call.execution_requests = required(sequence.next(), "executionRequests")?;
        }
        Ok(call)
    }
}

fn required<T: DeserializeOwned>(value: Result<T, ErrorObjectOwned>, name: &str) -> Answer<T> {
    value.map_err(|error| named(&error, name))
}

fn optional<T: DeserializeOwned>(
    value: Result<Option<T>, ErrorObjectOwned>,
    name: &str,
) -> Answer<Option<T>> {
    value.map_err(|error| named(&error, name))
}

/// jsonrpsee's own message is a plain "Invalid params"; the cause is in its data.
fn named(error: &ErrorObjectOwned, name: &str) -> ErrorObjectOwned {
    let cause = error
        .data()
        .and_then(|data| serde_json::from_str(data.get()).ok())
        .unwrap_or_else(|| error.message().to_owned());
    EngineError::InvalidParams(format!("{name}: {cause}")).into()
}
