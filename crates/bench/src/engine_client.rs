//! The calls a consensus client makes.

use alloy_primitives::B256;
use blockwright_types::OpFork;
use bytes::Bytes;

use crate::BenchError;
use crate::envelope::{Envelope, payload_status};
use crate::json_rpc::{JsonRpc, Timed};
use crate::json_scan::{member, string};

/// An Engine API server, called with the methods of one fork.
#[derive(Debug)]
pub(crate) struct EngineClient {
    rpc: JsonRpc,
    fork: OpFork,
}

/// What a fork choice says of the head, and the payload it started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForkChoice {
    /// `VALID`, or what came instead.
    pub(crate) status: String,
    /// Id of the payload that is being built.
    pub(crate) payload_id: Option<[u8; 8]>,
}

impl EngineClient {
    /// Calls the server behind `rpc` with the methods that serve `fork`.
    pub(crate) const fn new(rpc: JsonRpc, fork: OpFork) -> Self {
        Self { rpc, fork }
    }

    /// `eth_chainId`: what a consensus client asks first, and a test of the secret.
    pub(crate) async fn chain_id(&mut self) -> Result<u64, BenchError> {
        crate::chain_reader::chain_id(&mut self.rpc).await
    }

    /// Makes `head` the head, with `finalized` behind it, and starts a payload where there are
    /// attributes, a JSON object.
    pub(crate) async fn fork_choice(
        &mut self,
        head: B256,
        finalized: B256,
        attributes: Option<Bytes>,
    ) -> Result<Timed<ForkChoice>, BenchError> {
        let method = self.fork_choice_method();
        let state = format!(
            r#"{{"headBlockHash":"{head}","safeBlockHash":"{finalized}","finalizedBlockHash":"{finalized}"}}"#
        );
        let attributes = attributes.unwrap_or_else(|| Bytes::from_static(b"null"));
        let answer = self.rpc.call(method, &[state.into(), attributes]).await?;
        let status = member(&answer.value, "payloadStatus").and_then(payload_status);
        let status = status.ok_or_else(|| self.rpc.malformed(method, "no payloadStatus"))?;
        let id = member(&answer.value, "payloadId").and_then(string);
        let payload_id = id
            .map(|text| parse_id(text).ok_or_else(|| self.rpc.malformed(method, "bad payloadId")))
            .transpose()?;
        Ok(answer.map(|_| ForkChoice { status, payload_id }))
    }

    /// Asks for the payload `id`.
    pub(crate) async fn get_payload(&mut self, id: [u8; 8]) -> Result<Timed<Envelope>, BenchError> {
        let method = self.get_payload_method();
        let id = format!("\"0x{}\"", hex::encode(id));
        let answer = self.rpc.call(method, &[id.into()]).await?;
        let malformed = || self.rpc.malformed(method, "no complete executionPayload");
        let envelope = Envelope::find(answer.value.clone()).ok_or_else(malformed)?;
        Ok(answer.map(|_| envelope))
    }

    /// Hands a payload in; `VALID`, or what came instead.
    pub(crate) async fn new_payload(
        &mut self,
        envelope: &Envelope,
    ) -> Result<Timed<String>, BenchError> {
        let (method, taken) = self.new_payload_method();
        let none = || Bytes::from_static(b"[]");
        let root = envelope.beacon_root.clone();
        let root = root.unwrap_or_else(|| Bytes::from_static(b"null"));
        let requests = envelope.requests.clone().unwrap_or_else(none);
        let params = [envelope.execution_payload.clone(), none(), root, requests];
        let answer = self.rpc.call(method, &params[..taken]).await?;
        let malformed = || self.rpc.malformed(method, "no status");
        let status = payload_status(&answer.value).ok_or_else(malformed)?;
        Ok(answer.map(|_| status))
    }

    fn fork_choice_method(&self) -> &'static str {
        if self.fork >= OpFork::Ecotone {
            "engine_forkchoiceUpdatedV3"
        } else {
            "engine_forkchoiceUpdatedV2"
        }
    }

    fn get_payload_method(&self) -> &'static str {
        match self.fork {
            fork if fork >= OpFork::Karst => "engine_getPayloadV5",
            fork if fork >= OpFork::Isthmus => "engine_getPayloadV4",
            fork if fork >= OpFork::Ecotone => "engine_getPayloadV3",
            _ => "engine_getPayloadV2",
        }
    }

    /// The method and how many of payload, blob hashes, beacon root and requests it takes.
    fn new_payload_method(&self) -> (&'static str, usize) {
        match self.fork {
            fork if fork >= OpFork::Isthmus => ("engine_newPayloadV4", 4),
            fork if fork >= OpFork::Ecotone => ("engine_newPayloadV3", 3),
            _ => ("engine_newPayloadV2", 1),
        }
    }
}

fn parse_id(text: &str) -> Option<[u8; 8]> {
    let mut id = [0; 8];
    hex::decode_to_slice(text.strip_prefix("0x")?, &mut id).ok()?;
    Some(id)
}
