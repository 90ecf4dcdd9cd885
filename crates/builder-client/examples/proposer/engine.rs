//! The execution client behind this program.

use alloy_primitives::B256;
use blockwright_builder_client::Wanted;
use blockwright_payload::ExecutionPayload;
use blockwright_types::OpFork;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Failure;

/// op-node's right to call, which everything is done by that is done in its name.
pub(crate) type Token = Option<HeaderValue>;

/// The execution client's Engine API.
pub(crate) struct Engine {
    uri: Uri,
    http: Client<HttpConnector, Full<Bytes>>,
}

/// What the execution client answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

#[derive(Deserialize)]
struct Reply {
    result: Value,
}

impl Answer {
    /// The call's result; `None` where it failed.
    pub(crate) fn result<T: DeserializeOwned>(&self) -> Option<T> {
        let reply: Reply = serde_json::from_slice(&self.body).ok()?;
        serde_json::from_value(reply.result).ok()
    }
}

impl Engine {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            uri: url.parse().map_err(|error| format!("{url}: {error}"))?,
            http: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// Passes a request on.
    pub(crate) async fn pass(&self, token: &Token, body: Bytes) -> Result<Answer, Failure> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token);
        }
        let response = self.http.request(request.body(Full::from(body))?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answer { status, body })
    }

    async fn call<T: DeserializeOwned>(
        &self,
        token: &Token,
        method: &str,
        params: Value,
    ) -> Result<T, Failure> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answer = self.pass(token, request.to_string().into()).await?;
        let said = || String::from_utf8_lossy(&answer.body).into_owned();
        Ok(answer
            .result()
            .ok_or_else(|| format!("{method}: {}", said()))?)
    }

    /// Number of a block.
    pub(crate) async fn number(&self, token: &Token, hash: B256) -> Result<u64, Failure> {
        let method = "eth_getBlockByHash";
        let block: Value = self.call(token, method, json!([hash, false])).await?;
        let number = block["number"].as_str().unwrap_or_default();
        let digits = number.strip_prefix("0x").unwrap_or(number);
        Ok(u64::from_str_radix(digits, 16)?)
    }

    /// Executes a block. The answer's status: `VALID` or another.
    pub(crate) async fn new_payload(
        &self,
        token: &Token,
        payload: &ExecutionPayload,
        wanted: &Wanted,
    ) -> Result<String, Failure> {
        let root = wanted.parent_beacon_block_root;
        let (method, params) = if wanted.fork >= OpFork::Isthmus {
            ("engine_newPayloadV4", json!([payload, [], root, []]))
        } else if wanted.fork >= OpFork::Ecotone {
            ("engine_newPayloadV3", json!([payload, [], root]))
        } else {
            ("engine_newPayloadV2", json!([payload]))
        };
        let answer: Value = self.call(token, method, params).await?;
        Ok(answer["status"].as_str().unwrap_or_default().to_owned())
    }
}
