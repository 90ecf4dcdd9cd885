//! What reth's engine asks of a payload builder, answered by the service of all hosts.

use std::sync::Arc;

use blockwright_core::Payload;
use blockwright_requests::Requests;
use blockwright_seams::Clock;
use blockwright_service::{BuilderHandle, ResolveError, SystemClock};
use blockwright_types::PayloadId;
use futures_util::poll;
use reth_optimism_node::OpEngineTypes;
use reth_optimism_payload_builder::OpBuiltPayload;
use reth_optimism_payload_builder::OpPayloadAttrs;
use reth_optimism_payload_builder::config::OpDAConfig;
use reth_payload_builder::{BuildNewPayload, PayloadServiceCommand};
use reth_payload_builder_primitives::{Events, PayloadBuilderError};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::executed::built_payload;
use crate::host::{Chain, OpTransactions, RethHost};

/// Payload events that a slow listener may fall behind.
const EVENTS_MAX: usize = 32;

type Command = PayloadServiceCommand<OpEngineTypes>;
type Built = Result<OpBuiltPayload, PayloadBuilderError>;
type Started = oneshot::Sender<Result<PayloadId, PayloadBuilderError>>;

/// Serves reth's commands. Commands are taken in order, and payloads begun in that order; whatever takes longer is
/// done beside.
pub(crate) struct Commands<P: Chain, Pool: OpTransactions> {
    commands: mpsc::UnboundedReceiver<Command>,
    requests: Requests<RethHost<P, Pool>>,
    events: broadcast::Sender<Events<OpEngineTypes>>,
    limits: Limits,
    withholds: bool,
}

/// What `miner_setMaxDASize` says, as far as the builder was told of it.
pub(crate) struct Limits {
    asked: OpDAConfig,
    told: (Option<u64>, Option<u64>),
}

impl Limits {
    /// Nothing was told yet.
    pub(crate) const fn new(asked: OpDAConfig) -> Self {
        Self {
            asked,
            told: (None, None),
        }
    }

    fn tell<P: Chain, Pool: OpTransactions>(&mut self, builder: &BuilderHandle<RethHost<P, Pool>>) {
        let asked = (self.asked.max_da_tx_size(), self.asked.max_da_block_size());
        if asked != self.told {
            self.told = asked;
            builder.set_da_limits(asked.0.unwrap_or_default(), asked.1.unwrap_or_default());
        }
    }
}

impl<P: Chain, Pool: OpTransactions> Commands<P, Pool> {
    /// Where `withholds`, the consensus client is given no payload.
    pub(crate) fn new(
        commands: mpsc::UnboundedReceiver<Command>,
        requests: Requests<RethHost<P, Pool>>,
        limits: Limits,
        withholds: bool,
    ) -> Self {
        Self {
            commands,
            requests,
            events: broadcast::Sender::new(EVENTS_MAX),
            limits,
            withholds,
        }
    }

    /// Serves until nobody can ask any more.
    pub(crate) async fn run(mut self) {
        while let Some(command) = self.commands.recv().await {
            self.handle(command).await;
        }
    }

    async fn handle(&mut self, command: Command) {
        // Whoever asked may have gone away meanwhile.
        match command {
            PayloadServiceCommand::BuildNewPayload(asked, _, reply) => {
                self.begin(*asked, reply).await;
            }
            PayloadServiceCommand::BestPayload(id, reply) => {
                let best = self.payload(id);
                let best = best.and_then(|payload| payload.sealed().cloned());
                let _ = reply.send(best.map(|best| Ok(built_payload(id, &best))));
            }
            // Each getPayload begins with it.
            PayloadServiceCommand::PayloadTimestamp(id, reply) => {
                let payload = self.given(id);
                let _ = reply.send(payload.map(|payload| Ok(payload.header().timestamp)));
            }
            PayloadServiceCommand::Resolve(id, _, reply) => {
                let known = self.given(id).is_some();
                let resolved = known.then(|| self.resolve(id));
                let _ = reply.send(resolved.map(|task| Box::pin(joined(task)) as _));
            }
            PayloadServiceCommand::Subscribe(reply) => {
                let _ = reply.send(self.events.subscribe());
            }
        }
    }

    /// Begins now; answers once there is a first block.
    async fn begin(&mut self, asked: BuildNewPayload<OpPayloadAttrs>, reply: Started) {
        self.limits.tell(self.requests.builder());
        let id = asked.payload_id();
        let (parent, attributes) = (asked.parent_hash, asked.attributes);
        let received_at = SystemClock.now();
        // Nobody may be listening.
        let _ = self.events.send(Events::Attributes(attributes.clone()));
        let request = match self
            .requests
            .request_as(id, parent, &attributes.0, received_at)
        {
            Ok(request) => request,
            Err(error) => {
                tracing::warn!(%id, %parent, %error, "payload attributes refused");
                let _ = reply.send(Err(PayloadBuilderError::other(error)));
                return;
            }
        };
        let requests = self.requests.clone();
        let given = Arc::new(attributes.0);
        let mut starting = Box::pin(async move { requests.start_given(request, given).await });
        // The first poll hands it to the builder: begun in the order of the commands.
        let first = poll!(&mut starting);
        let rest = async move {
            let started = match first {
                core::task::Poll::Ready(started) => started,
                core::task::Poll::Pending => starting.await,
            };
            let _ = reply.send(started.map_err(PayloadBuilderError::other));
        };
        tokio::spawn(rest);
    }

    /// What the consensus client may have.
    fn given(&self, id: PayloadId) -> Option<Payload<crate::roots::TrieArtifact>> {
        if self.withholds {
            self.requests.withheld(id);
            return None;
        }
        self.payload(id)
    }

    fn payload(&self, id: PayloadId) -> Option<Payload<crate::roots::TrieArtifact>> {
        self.requests.builder().peek(id).ok()
    }

    /// Ends the job; the engine tree is told of the block before anybody is given it.
    fn resolve(&self, id: PayloadId) -> tokio::task::JoinHandle<Built> {
        let (builder, events) = (self.requests.builder().clone(), self.events.clone());
        tokio::task::spawn_blocking(move || {
            let best = builder.resolve(id).map_err(|error| match error {
                ResolveError::Unknown(_) | ResolveError::NotReady(_) => {
                    PayloadBuilderError::MissingPayload
                }
            })?;
            let payload = built_payload(id, &best);
            // Nobody may be listening.
            let _ = events.send(Events::BuiltPayload(payload.clone()));
            Ok(payload)
        })
    }
}

async fn joined(task: tokio::task::JoinHandle<Built>) -> Built {
    task.await.map_err(PayloadBuilderError::other)?
}
