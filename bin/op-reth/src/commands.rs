//! What reth's engine asks of a payload builder, answered by the service of all hosts.

use std::sync::Arc;

use blockwright_core::Payload;
use blockwright_requests::Requests;
use blockwright_seams::Clock;
use blockwright_service::{ResolveError, SystemClock};
use blockwright_types::PayloadId;
use futures_util::poll;
use reth_optimism_node::OpEngineTypes;
use reth_optimism_payload_builder::OpBuiltPayload;
use reth_optimism_payload_builder::OpPayloadAttrs;
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
    withholds: bool,
    /// Ends once the last payload that was asked for is begun.
    last_begun: Option<oneshot::Receiver<()>>,
}

impl<P: Chain, Pool: OpTransactions> Commands<P, Pool> {
    /// Where `withholds`, the consensus client is given no payload.
    pub(crate) fn new(
        commands: mpsc::UnboundedReceiver<Command>,
        requests: Requests<RethHost<P, Pool>>,
        withholds: bool,
    ) -> Self {
        Self {
            commands,
            requests,
            events: broadcast::Sender::new(EVENTS_MAX),
            withholds,
            last_begun: None,
        }
    }

    /// Serves until nobody can ask any more.
    pub(crate) async fn run(mut self) {
        while let Some(command) = self.commands.recv().await {
            self.handle(command);
        }
    }

    fn handle(&mut self, command: Command) {
        // Whoever asked may have gone away meanwhile.
        match command {
            PayloadServiceCommand::BuildNewPayload(asked, _, reply) => {
                self.begin(*asked, reply);
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

    /// Answers once there is a first block. What is asked is checked beside: signatures are recovered, and whoever
    /// waits for a payload meanwhile is not to wait for that.
    fn begin(&mut self, asked: BuildNewPayload<OpPayloadAttrs>, reply: Started) {
        let id = asked.payload_id();
        let (parent, attributes) = (asked.parent_hash, asked.attributes);
        let received_at = SystemClock.now();
        // Nobody may be listening.
        let _ = self.events.send(Events::Attributes(attributes.clone()));
        let given = Arc::new(attributes.0);
        let (requests, asked) = (self.requests.clone(), Arc::clone(&given));
        let checking = tokio::task::spawn_blocking(move || {
            requests.request_as(id, parent, &asked, received_at)
        });
        let requests = self.requests.clone();
        let (begun, next) = oneshot::channel::<()>();
        let before = self.last_begun.replace(next);
        tokio::spawn(async move {
            let checked = checking.await;
            // Payloads are begun in the order of the commands; an error, too, says that the one before is.
            if let Some(before) = before {
                let _ = before.await;
            }
            let started = match checked {
                Ok(Ok(request)) => {
                    let mut starting = Box::pin(requests.start_given(request, given));
                    // The first poll hands it to the builder.
                    let first = poll!(&mut starting);
                    drop(begun);
                    let started = match first {
                        core::task::Poll::Ready(started) => started,
                        core::task::Poll::Pending => starting.await,
                    };
                    started.map_err(PayloadBuilderError::other)
                }
                Ok(Err(error)) => {
                    tracing::warn!(%id, %parent, %error, "payload attributes refused");
                    Err(PayloadBuilderError::other(error))
                }
                Err(error) => Err(PayloadBuilderError::other(error)),
            };
            // Whoever asked may have gone away.
            let _ = reply.send(started);
        });
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
