//! What is added to the calls that are passed on.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use blockwright_attributes::{AttributesEvent, AttributesFeed};
use blockwright_builder_client::{
    BuilderClient, Choice, ClientConfig, ClientError, Offer, Wanted, choose,
};
use blockwright_chain::ChainSpec;
use blockwright_payload::PayloadEnvelope;
use blockwright_signer::{LocalSigner, Signer};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout, timeout_at};

use crate::Failure;
use crate::config::Config;
use crate::engine::{Answer, Engine, Token};
use crate::job::{Job, Jobs};

/// No request is longer: a block with gas for 60 million bytes of calldata, in hex.
const REQUEST_BYTES_MAX: usize = 128 << 20;

/// The program's parts.
pub(crate) struct Proposer {
    chain: ChainSpec,
    engine: Engine,
    builder: BuilderClient,
    feed: AttributesFeed,
    jobs: Jobs,
    timeout: Duration,
}

/// A request, no more of it read than is needed.
#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    method: &'a str,
    #[serde(borrow, default)]
    params: Vec<&'a RawValue>,
}

impl Call<'_> {
    /// The first parameter of `engine_getPayload`.
    fn payload_id(&self) -> Option<String> {
        serde_json::from_str(self.params.first()?.get()).ok()
    }
}

/// The first parameter of a fork choice.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    head_block_hash: B256,
}

#[derive(Serialize)]
struct Reply<'a> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    result: &'a PayloadEnvelope,
}

/// Of the answer to a fork choice.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Begun {
    payload_id: Option<String>,
}

/// Why the builder's block is not proposed.
struct NotTaken {
    /// Short, and the same for ever.
    name: String,
    cause: String,
}

impl NotTaken {
    fn new(name: &str, cause: impl Into<String>) -> Self {
        let (name, cause) = (name.to_owned(), cause.into());
        Self { name, cause }
    }
}

impl Proposer {
    pub(crate) fn new(config: &Config, feed: AttributesFeed) -> Result<Self, Failure> {
        let chain = ChainSpec::from_genesis_json(&std::fs::read(&config.genesis)?)?;
        let key = config.key.as_deref().map(LocalSigner::from_file);
        let key = key.transpose()?.map(|key| Arc::new(key) as Arc<dyn Signer>);
        let builder = BuilderClient::new(ClientConfig {
            url: config.builder.clone(),
            chain_id: chain.chain_id(),
            key,
            timeout: config.timeout(),
            ..ClientConfig::default()
        })?;
        Ok(Self {
            engine: Engine::new(&config.engine)?,
            chain,
            builder,
            feed,
            jobs: Jobs::default(),
            timeout: config.timeout(),
        })
    }

    /// Answers op-node.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let token = request.headers().get(AUTHORIZATION).cloned();
        let body = Limited::new(request.into_body(), REQUEST_BYTES_MAX);
        let answer = match body.collect().await {
            Ok(body) => self.answer_call(&token, body.to_bytes()).await,
            Err(error) => Err(error),
        };
        let (status, body) = match answer {
            Ok(answer) => (answer.status, answer.body),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string().into()),
        };
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }

    async fn answer_call(&self, token: &Token, body: Bytes) -> Result<Answer, Failure> {
        let Ok(call) = serde_json::from_slice::<Call<'_>>(&body) else {
            return self.engine.pass(token, body).await;
        };
        match call.method {
            "engine_forkchoiceUpdatedV2" | "engine_forkchoiceUpdatedV3" => {
                let answer = self.engine.pass(token, body.clone()).await?;
                if let Err(error) = self.begin(token, &call, &answer).await {
                    println!("the builder is not asked for the next block: {error}");
                }
                Ok(answer)
            }
            "engine_getPayloadV2"
            | "engine_getPayloadV3"
            | "engine_getPayloadV4"
            | "engine_getPayloadV5" => {
                let own = self.engine.pass(token, body.clone());
                match call.payload_id().and_then(|id| self.jobs.get(&id)) {
                    Some(job) => self.propose(token, &job, call.id, own).await,
                    None => own.await,
                }
            }
            _ => self.engine.pass(token, body).await,
        }
    }

    /// Publishes what is built from now on, and notes what to ask the builder for.
    async fn begin(&self, token: &Token, call: &Call<'_>, answer: &Answer) -> Result<(), Failure> {
        let [state, attributes] = call.params.as_slice() else {
            return Ok(());
        };
        let begun = answer.result::<Begun>().and_then(|begun| begun.payload_id);
        let Some(id) = begun else {
            return Ok(());
        };
        let parent_hash = serde_json::from_str::<State>(state.get())?.head_block_hash;
        let attributes: OpPayloadAttributes = serde_json::from_str(attributes.get())?;
        let number = self.engine.number(token, parent_hash);
        let slot = timeout(self.timeout, number).await?? + 1;
        let event = AttributesEvent {
            slot,
            parent_hash,
            attributes,
        };
        self.feed.publish(&event);
        // Without the pool the block is settled by the chain: nobody can have a better one.
        if event.attributes.no_tx_pool != Some(true) {
            let attributes = &event.attributes.payload_attributes;
            let wanted = Wanted {
                slot,
                parent_hash,
                fork: self.chain.fork_at(attributes.timestamp),
                parent_beacon_block_root: attributes.parent_beacon_block_root,
            };
            self.jobs.begin(id, wanted);
        }
        Ok(())
    }

    /// Asks both for the block, and answers the better one.
    async fn propose(
        &self,
        token: &Token,
        job: &Job,
        id: &RawValue,
        own: impl Future<Output = Result<Answer, Failure>>,
    ) -> Result<Answer, Failure> {
        let deadline = Instant::now() + self.timeout;
        let asked = async {
            // Once it is decided nobody need be asked again.
            if job.better.initialized() {
                return None;
            }
            Some(self.builder.offer(&job.wanted).await)
        };
        let (own, offer) = tokio::join!(own, asked);
        let own = own?;
        let Some(local) = own.result::<PayloadEnvelope>() else {
            return Ok(own);
        };
        let better = job.better.get_or_init(|| async {
            let better = self.better(token, job, local.clone(), offer?);
            let better = timeout_at(deadline, better).await;
            let late = || NotTaken::new("engine", "the execution client had no time for it");
            told(&local, better.unwrap_or_else(|_| Err(late())))
        });
        let Some(better) = better.await else {
            return Ok(own);
        };
        let reply = Reply {
            jsonrpc: "2.0",
            id,
            result: better,
        };
        Ok(Answer {
            status: StatusCode::OK,
            body: serde_json::to_vec(&reply)?.into(),
        })
    }

    /// The builder's block, once the execution client has found it valid.
    async fn better(
        &self,
        token: &Token,
        job: &Job,
        local: PayloadEnvelope,
        offer: Result<Offer, ClientError>,
    ) -> Result<PayloadEnvelope, NotTaken> {
        let offer = match choose(local.execution_payload, offer) {
            Choice::Builder(offer) => offer,
            Choice::Local { reason, .. } => {
                return Err(NotTaken::new(&reason.name(), reason.to_string()));
            }
        };
        let status = self.engine.new_payload(token, &offer.payload, &job.wanted);
        match status.await {
            Ok(status) if status == "VALID" => Ok(PayloadEnvelope {
                execution_payload: offer.payload,
                block_value: offer.bid.value,
                ..local
            }),
            Ok(status) => Err(NotTaken::new("invalid", status)),
            Err(error) => Err(NotTaken::new("engine", error.to_string())),
        }
    }
}

/// A line a block.
fn told(
    local: &PayloadEnvelope,
    better: Result<PayloadEnvelope, NotTaken>,
) -> Option<PayloadEnvelope> {
    let local = &local.execution_payload;
    let (number, own_gas) = (local.block_number, local.gas_used);
    match better {
        Ok(better) => {
            let payload = &better.execution_payload;
            let (hash, gas) = (payload.block_hash, payload.gas_used);
            println!("block {number}: builder {hash}, gas {gas}, ours {own_gas}");
            Some(better)
        }
        Err(NotTaken { name, cause }) => {
            let hash = local.block_hash;
            println!("block {number}: local {hash}, {name}: {cause}");
            None
        }
    }
}
