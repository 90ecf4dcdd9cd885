//! The `engine_` JSON-RPC methods.

use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_engine::ForkchoiceState;
use blockwright_types::PayloadId;
use jsonrpsee::RpcModule;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{
    Engine, EngineError, ExecutionPayload, ForkchoiceVersion, GetPayloadVersion, NewPayloadVersion,
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
    module.register_async_method("engine_getPayloadV1", |params, engine, _| async move {
        let id = payload_id(&params)?;
        let envelope = engine.get_payload(GetPayloadVersion::V1, id).await?;
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
    module.register_async_method(method, move |params, engine, _| async move {
        let id = payload_id(&params)?;
        Answer::Ok(engine.get_payload(version, id).await?)
    })?;
    Ok(())
}

fn payload_id(params: &Params<'_>) -> Answer<PayloadId> {
    required(params.sequence().next(), "payloadId")
}

fn new_payload(
    module: &mut RpcModule<Engine>,
    method: &'static str,
    version: NewPayloadVersion,
) -> Registered {
    module.register_async_method(method, move |params, engine, _| async move {
        let mut sequence = params.sequence();
        let payload: ExecutionPayload = required(sequence.next(), "executionPayload")?;
        let root = if version >= NewPayloadVersion::V3 {
            let hashes: Vec<B256> = required(sequence.next(), "expectedBlobVersionedHashes")?;
            if !hashes.is_empty() {
                return Err(invalid("expectedBlobVersionedHashes must be empty"));
            }
            Some(required::<B256>(sequence.next(), "parentBeaconBlockRoot")?)
        } else {
            None
        };
        if version >= NewPayloadVersion::V4 {
            let requests: Vec<Bytes> = required(sequence.next(), "executionRequests")?;
            if !requests.is_empty() {
                return Err(invalid("executionRequests must be empty"));
            }
        }
        Answer::Ok(engine.new_payload(version, payload, root).await?)
    })?;
    Ok(())
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
        .map_or_else(|| error.message().to_owned(), ToString::to_string);
    invalid(&format!("{name}: {cause}"))
}

fn invalid(message: &str) -> ErrorObjectOwned {
    EngineError::InvalidParams(message.to_owned()).into()
}
