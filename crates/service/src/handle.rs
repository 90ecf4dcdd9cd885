//! The callers' side of the service.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_core::{Best, DaLimits, Payload};
use blockwright_seams::Host;
use blockwright_types::{BuildRequest, PayloadId};
use tokio::sync::{mpsc, oneshot, watch};

use crate::ledger::{Applied, Ledger, Phase};
use crate::shared::Shared;
use crate::starting::Reply;
use crate::table::OnParent;
use crate::{ReleaseError, ResolveError, StartError, Starting, metrics};

/// What a handle asks of the service.
pub(crate) enum Message<A> {
    /// Start (or find) a payload.
    Start {
        request: Box<BuildRequest>,
        reply: oneshot::Sender<Reply<A>>,
    },
    /// End all jobs and the service.
    Shutdown,
}

/// Starts and resolves payloads. Cloning is cheap; all clones speak to the same service.
pub struct BuilderHandle<H: Host> {
    messages: mpsc::Sender<Message<H::Artifact>>,
    pub(crate) shared: Arc<Shared<H::Artifact>>,
}

impl<H: Host> Clone for BuilderHandle<H> {
    fn clone(&self) -> Self {
        Self {
            messages: self.messages.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<H: Host> BuilderHandle<H> {
    pub(crate) const fn new(
        messages: mpsc::Sender<Message<H::Artifact>>,
        shared: Arc<Shared<H::Artifact>>,
    ) -> Self {
        Self { messages, shared }
    }

    /// Starts building. `Ok` once the first block (sequencer transactions with real roots) can be
    /// resolved; flashblock 0 is published right after that. Older jobs are superseded at that
    /// moment, not before: a refused request costs nobody a payload.
    ///
    /// Idempotent: a known id is answered without starting anything, also when it is over. Dropping
    /// the future does not stop the job.
    pub async fn start(&self, request: BuildRequest) -> Result<PayloadId, StartError> {
        self.begin(request)?.ready().await
    }

    /// The first half of [`Self::start`], which does not wait: whoever has to keep an order among starts
    /// calls this under a lock.
    ///
    /// # Errors
    /// [`StartError::Busy`] and [`StartError::ShutDown`].
    pub fn begin(&self, request: BuildRequest) -> Result<Starting<H::Artifact>, StartError> {
        let id = request.id;
        let (reply, answer) = oneshot::channel();
        let message = Message::Start {
            request: Box::new(request),
            reply,
        };
        self.messages
            .try_send(message)
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => {
                    metrics::start_refused();
                    StartError::Busy("too many start calls are waiting")
                }
                mpsc::error::TrySendError::Closed(_) => StartError::ShutDown,
            })?;
        Ok(Starting { id, answer })
    }

    /// Ends the job and hands out its payload, from memory: it waits for nobody but a publication
    /// in progress. Where flashblocks were published without roots ([`RootsRule`]) and these were
    /// not completed ahead, it computes them on the calling thread's time; [`Self::peek`] tells. The
    /// same id gives the same block again for as long as it is retained.
    ///
    /// [`RootsRule`]: crate::RootsRule
    pub fn resolve(&self, id: PayloadId) -> Result<Best<H::Artifact>, ResolveError> {
        Self::hand_out(&*self.ledger(id)?)
    }

    fn hand_out(ledger: &Ledger<H::Artifact>) -> Result<Best<H::Artifact>, ResolveError> {
        match ledger.resolve() {
            Applied::Resolved { best, first } => {
                if first {
                    metrics::resolved(&best.block);
                }
                Ok(best)
            }
            Applied::NotReady | Applied::Unrooted | Applied::Done(_) | Applied::Suppressed(_) => {
                Err(ResolveError::NotReady(ledger.id))
            }
        }
    }

    /// As [`Self::resolve`], for whoever knows the parent and number of a block and no payload id: the
    /// payload on that parent that was released first, else the newest one. What was released on one
    /// of the last few parents is kept, so that everybody is given the same block.
    ///
    /// # Errors
    /// [`ReleaseError`]; nothing is released, and no job ended, then.
    pub fn release(
        &self,
        parent_hash: B256,
        number: u64,
    ) -> Result<Release<H::Artifact>, ReleaseError> {
        let (ledger, first) = {
            let mut table = self.shared.table.lock();
            let ledger = match table.on_parent(parent_hash) {
                OnParent::Payload(ledger) => ledger,
                OnParent::Opening => return Err(ReleaseError::NotReady(parent_hash)),
                OnParent::Nothing => return Err(ReleaseError::Nothing(parent_hash)),
            };
            let built = ledger.payload().map(|payload| payload.header().number);
            if let Some(number) = built.filter(|built| *built != number) {
                return Err(ReleaseError::OtherNumber {
                    parent_hash,
                    number,
                });
            }
            let first = table.release(&ledger);
            (ledger, first)
        };
        let not_ready = |_| ReleaseError::NotReady(parent_hash);
        Ok(Release {
            best: Self::hand_out(&ledger).map_err(not_ready)?,
            parent_timestamp: ledger.subject.parent_timestamp,
            first,
        })
    }

    /// Whether [`Self::release`] would have to compute roots first, on the calling thread's time.
    pub fn release_takes_time(&self, parent_hash: B256) -> bool {
        let found = self.shared.table.lock().on_parent(parent_hash);
        match found {
            OnParent::Payload(ledger) => matches!(ledger.payload(), Some(Payload::Unrooted(_))),
            OnParent::Opening | OnParent::Nothing => false,
        }
    }

    /// The payload as it is now; the job goes on.
    pub fn peek(&self, id: PayloadId) -> Result<Payload<H::Artifact>, ResolveError> {
        self.ledger(id)?.payload().ok_or(ResolveError::NotReady(id))
    }

    /// Follows the payload.
    pub fn subscribe(&self, id: PayloadId) -> Result<BestWatch<H::Artifact>, ResolveError> {
        let phase = self.ledger(id)?.watch();
        Ok(BestWatch { phase })
    }

    /// The payload whose block has this hash, if it was built here lately: it can be imported
    /// without running it again.
    pub fn built(&self, block_hash: B256) -> Option<Best<H::Artifact>> {
        self.shared.table.lock().built(block_hash)
    }

    /// Sets the DA limits from the next transaction on; zero means none (`miner_setMaxDASize`).
    pub fn set_da_limits(&self, tx_max_bytes: u64, block_max_bytes: u64) {
        self.shared
            .set_limits(DaLimits::from_rpc(tx_max_bytes, block_max_bytes));
        self.shared.table.lock().ring_all();
    }

    /// The DA limits in force.
    pub fn da_limits(&self) -> DaLimits {
        self.shared.limits()
    }

    /// Jobs that have a thread right now.
    pub fn live_jobs(&self) -> usize {
        self.shared.table.lock().live()
    }

    /// Ends all jobs, then the service. What was built stays resolvable through existing handles.
    pub async fn shutdown(&self) {
        let _ = self.messages.send(Message::Shutdown).await;
    }

    fn ledger(&self, id: PayloadId) -> Result<Arc<Ledger<H::Artifact>>, ResolveError> {
        let table = self.shared.table.lock();
        table.get(id).ok_or(ResolveError::Unknown(id))
    }
}

/// A payload that is handed out by parent.
#[derive(Clone, Debug)]
pub struct Release<A> {
    /// The payload.
    pub best: Best<A>,
    /// Its parent's timestamp, in seconds.
    pub parent_timestamp: u64,
    /// Whether nobody was given it by parent before.
    pub first: bool,
}

/// Follows one payload as flashblocks are added to it.
#[derive(Debug)]
pub struct BestWatch<A> {
    phase: watch::Receiver<Phase<A>>,
}

impl<A: Clone> BestWatch<A> {
    /// The payload as it is now.
    pub fn best(&self) -> Option<Payload<A>> {
        match &*self.phase.borrow() {
            Phase::Ready(payload) => Some(payload.clone()),
            Phase::Opening | Phase::Refused(_) => None,
        }
    }

    /// Waits for the next change; `None` once there will be none.
    pub async fn changed(&mut self) -> Option<Payload<A>> {
        self.phase.changed().await.ok()?;
        match &*self.phase.borrow_and_update() {
            Phase::Ready(payload) => Some(payload.clone()),
            Phase::Opening | Phase::Refused(_) => None,
        }
    }
}
