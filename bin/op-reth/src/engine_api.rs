//! Engine API methods that this op-reth lacks.

use std::sync::Arc;

use blockwright_chain::ChainSpec;
use blockwright_payload::GetPayloadVersion;
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use op_alloy_rpc_types_engine::OpExecutionPayloadEnvelopeV4;
use reth_optimism_node::OpEngineTypes;
use reth_optimism_rpc::engine::OP_ENGINE_CAPABILITIES;
use reth_payload_builder::PayloadBuilderHandle;
use reth_payload_primitives::PayloadKind;

const UNKNOWN_PAYLOAD: i32 = -38001;
const UNSUPPORTED_FORK: i32 = -38005;

const GET_PAYLOAD_V5: &str = "engine_getPayloadV5";

/// `engine_getPayloadV5`, by which consensus clients ask for payloads from Karst on, and the list of capabilities
/// with it.
///
/// # Errors
/// None that could happen: the names differ.
pub(crate) fn karst_methods(
    chain: Arc<ChainSpec>,
    payloads: PayloadBuilderHandle<OpEngineTypes>,
) -> eyre::Result<RpcModule<()>> {
    let mut module = RpcModule::new(());
    module.register_async_method(GET_PAYLOAD_V5, move |params, _, _| {
        let (chain, payloads) = (Arc::clone(&chain), payloads.clone());
        let id = params.one();
        async move { get_payload_v5(&chain, &payloads, id?).await }
    })?;
    module.register_method("engine_exchangeCapabilities", |_, _, _| {
        let known = OP_ENGINE_CAPABILITIES.iter().copied();
        known.chain([GET_PAYLOAD_V5]).collect::<Vec<_>>()
    })?;
    Ok(module)
}

async fn get_payload_v5(
    chain: &ChainSpec,
    payloads: &PayloadBuilderHandle<OpEngineTypes>,
    id: blockwright_types::PayloadId,
) -> Result<OpExecutionPayloadEnvelopeV4, ErrorObjectOwned> {
    let timestamp = payloads.payload_timestamp(id).await;
    let timestamp = timestamp.and_then(Result::ok).ok_or_else(unknown)?;
    GetPayloadVersion::V5
        .check(chain.fork_at(timestamp))
        .map_err(|error| {
            ErrorObjectOwned::owned(UNSUPPORTED_FORK, error.to_string(), None::<()>)
        })?;
    let payload = payloads.resolve_kind(id, PayloadKind::Earliest).await;
    let payload = payload.and_then(Result::ok).ok_or_else(unknown)?;
    Ok(payload.into())
}

fn unknown() -> ErrorObjectOwned {
    ErrorObjectOwned::owned(UNKNOWN_PAYLOAD, "Unknown payload", None::<()>)
}
