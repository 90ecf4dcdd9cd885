//! The methods for a JSON-RPC server: a thin layer over the desks.

use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::{Address, B256};
use blockwright_builder_api::PayloadDesk;
use bytes::Bytes;
use jsonrpsee::core::SubscriptionError;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use jsonrpsee::{PendingSubscriptionSink, RpcModule};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::Semaphore;

use crate::params::Args;
use crate::status::Status;
use crate::{Bid, BlindDesk, BlindError, Method, metrics, openrpc_document};

/// Calls that compute at the same time; others wait, one a connection.
const WORKERS_MAX: usize = 8;

/// What the methods stand on. Clones share everything.
#[derive(Clone)]
pub struct BuilderRpc {
    blind: Arc<BlindDesk>,
    payloads: Option<Arc<PayloadDesk>>,
    workers: Arc<Semaphore>,
}

impl BuilderRpc {
    /// The namespace over `blind`, with `builder_getPayloadV1` over `payloads` where there is a key for bids.
    pub fn new(blind: Arc<BlindDesk>, payloads: Option<Arc<PayloadDesk>>) -> Self {
        Self {
            blind,
            payloads,
            workers: Arc::new(Semaphore::new(WORKERS_MAX)),
        }
    }

    fn bidder(&self) -> Option<Address> {
        self.payloads.as_ref().map(|desk| desk.builder())
    }

    /// Runs `answer` where it keeps nobody waiting.
    async fn on_worker(&self, answer: Answering) -> Outcome {
        let fault = |_| BlindError::Fault("the builder is ending");
        let workers = Arc::clone(&self.workers);
        let _permit = workers.acquire_owned().await.map_err(fault)?;
        let rpc = self.clone();
        let work = tokio::task::spawn_blocking(move || answer(&rpc));
        work.await
            .map_err(|_| BlindError::Fault("answering a call of the builder panicked"))?
    }
}

/// What is left to do once the parameters are read.
type Answering = Box<dyn FnOnce(&BuilderRpc) -> Outcome + Send>;

/// JSON, or why not.
type Outcome = Result<Arc<RawValue>, BlindError>;

/// The methods of the namespace without subscriptions, and `rpc.discover`.
pub fn builder_module(rpc: &BuilderRpc) -> RpcModule<BuilderRpc> {
    let mut module = RpcModule::new(rpc.clone());
    for method in Method::ALL {
        register(&mut module, method).expect("the table's names are distinct");
    }
    module
        .register_method("rpc.discover", |_, _, _| openrpc_document())
        .expect("no method of the table has this name");
    module
}

/// `builder_subscribe` and `builder_unsubscribe`, for WebSocket servers.
pub fn builder_subscription_module(rpc: &BuilderRpc) -> RpcModule<BuilderRpc> {
    let mut module = RpcModule::new(rpc.clone());
    module
        .register_subscription(
            Method::Subscribe.name(),
            "builder_subscription",
            Method::Unsubscribe.name(),
            |params, pending, rpc, _| async move { follow(&params, pending, &rpc).await },
        )
        .expect("it is the module's only subscription");
    module
}

fn register(
    module: &mut RpcModule<BuilderRpc>,
    method: Method,
) -> Result<(), jsonrpsee::core::RegisterMethodError> {
    let read: fn(&Params<'_>) -> Result<Answering, BlindError> = match method {
        Method::SetFeeRecipient => set_fee_recipient,
        Method::GetBlindPayload => get_blind_payload,
        Method::GetExecutionPayload => get_execution_payload,
        Method::GetPayload => get_payload,
        Method::Status => status,
        // In a module of their own.
        Method::Subscribe | Method::Unsubscribe => return Ok(()),
    };
    module.register_async_method(method.name(), move |params, rpc, _| async move {
        let started = Instant::now();
        let outcome = match read(&params) {
            Ok(answering) => rpc.on_worker(answering).await,
            Err(error) => Err(error),
        };
        let label = outcome
            .as_ref()
            .map_or_else(|error| error.code().label(), |_| "answered");
        metrics::answered(method.name(), label, started.elapsed());
        outcome.map_err(|error| refusal(method, &error))
    })?;
    Ok(())
}

/// The error as the protocol has it; what it is about stands in `data`.
fn refusal(method: Method, error: &BlindError) -> ErrorObjectOwned {
    let code = error.code();
    if matches!(error, BlindError::NotRecorded(_) | BlindError::Fault(_)) {
        tracing::error!(method = method.name(), %error, cause = ?error, "a builder call failed");
    } else {
        tracing::debug!(method = method.name(), %error, "a builder call is refused");
    }
    ErrorObjectOwned::owned(code.code(), code.message(), Some(error.to_string()))
}

fn set_fee_recipient(params: &Params<'_>) -> Result<Answering, BlindError> {
    let args = Args::parse(params, 3)?;
    let fee_recipient = Address::from(args.fixed::<20>(0, "feeRecipient")?);
    let signature = args.fixed(1, "signature")?;
    let named = args.optional_fixed(2, "publicKey")?;
    Ok(Box::new(move |rpc| {
        rpc.blind
            .set_fee_recipient(fee_recipient, &signature, named)?;
        json(&())
    }))
}

fn get_blind_payload(params: &Params<'_>) -> Result<Answering, BlindError> {
    let args = Args::parse(params, 1)?;
    let parent_hash: B256 = args.fixed(0, "parentHash")?;
    Ok(Box::new(move |rpc| rpc.blind.blind(parent_hash)))
}

fn get_execution_payload(params: &Params<'_>) -> Result<Answering, BlindError> {
    let args = Args::parse(params, 3)?;
    let block = args.bytes(0, "block")?;
    let signature = args.fixed(1, "signature")?;
    let named = args.optional_fixed(2, "publicKey")?;
    Ok(Box::new(move |rpc| {
        text(&rpc.blind.reveal(&block, &signature, named)?)
    }))
}

fn get_payload(params: &Params<'_>) -> Result<Answering, BlindError> {
    let args = Args::parse(params, 1)?;
    let request = args.raw(0);
    let request = request.ok_or_else(|| BlindError::param("request", "is missing"))?;
    let request = request.to_owned();
    Ok(Box::new(move |rpc| {
        let desk = rpc.payloads.as_ref();
        let desk = desk.ok_or(BlindError::NoKey("--builder-api.secp-key"))?;
        let answer = desk.answer(request.as_bytes())?;
        text(&answer.json)
    }))
}

fn status(params: &Params<'_>) -> Result<Answering, BlindError> {
    Args::parse(params, 0)?;
    Ok(Box::new(|rpc| json(&Status::of(&rpc.blind, rpc.bidder()))))
}

fn json(value: &impl serde::Serialize) -> Outcome {
    let raw = to_raw_value(value);
    let raw = raw.map_err(|_| BlindError::Fault("an answer cannot be written as JSON"))?;
    Ok(Arc::from(raw))
}

/// Pieces of JSON text as one value.
fn text(pieces: &[Bytes]) -> Outcome {
    let text = String::from_utf8(pieces.concat()).ok();
    let raw = text.and_then(|text| RawValue::from_string(text).ok());
    raw.map(Arc::from)
        .ok_or(BlindError::Fault("a payload's text is no JSON"))
}

/// Sends bids as they improve. Who is slow is told of the newest one alone.
async fn follow(
    params: &Params<'_>,
    pending: PendingSubscriptionSink,
    rpc: &BuilderRpc,
) -> Result<(), SubscriptionError> {
    if let Err(error) = subscription(params) {
        pending.reject(refusal(Method::Subscribe, &error)).await;
        return Ok(());
    }
    let mut bids = rpc.blind.source().bids();
    let sink = pending.accept().await?;
    let mut last: Option<Bid> = None;
    loop {
        let bid = bids.borrow_and_update().clone();
        if let Some(bid) = bid.filter(|bid| bid.improves_on(last.as_ref())) {
            let message = to_raw_value(&bid)?;
            if sink.send(message).await.is_err() {
                return Ok(());
            }
            metrics::bid_sent();
            last = Some(bid);
        }
        tokio::select! {
            () = sink.closed() => return Ok(()),
            changed = bids.changed() => if changed.is_err() {
                return Err(SubscriptionError::from("the node is stopping"));
            },
        }
    }
}

/// What may be subscribed to.
fn subscription(params: &Params<'_>) -> Result<(), BlindError> {
    let args = Args::parse(params, 1)?;
    match args.raw(0) {
        None | Some("\"bids\"") => Ok(()),
        Some(_) => Err(BlindError::param("subscription", "only \"bids\" is served")),
    }
}
