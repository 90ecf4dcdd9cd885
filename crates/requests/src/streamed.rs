//! Building without the consensus client: attributes that come by a stream.

use std::time::Duration;

use alloy_primitives::B256;
use blockwright_payload::ForkchoiceVersion;
use blockwright_seams::Host;
use blockwright_service::{StartError, Starting};
use blockwright_types::{BuildRequest, PayloadId, StopReason};
use op_alloy_rpc_types_engine::OpPayloadAttributes;

use crate::given::{Asked, overrules};
use crate::{GivenAttributes, RequestError, Requests};

/// Pause before a builder that was busy is asked again, and how often it is.
const BUSY_PAUSE: Duration = Duration::from_millis(5);
const ATTEMPTS_MAX: usize = 200;

/// What came of attributes that came by a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streamed {
    /// Its payload can be had.
    Started(PayloadId),
    /// The consensus client asked for something else on that parent, or for a later block; or something was asked
    /// for while this was begun.
    Overruled,
    /// The parent is not held.
    UnknownParent,
}

impl<H: Host> Requests<H> {
    /// Builds on any block that is held, whether it was chosen or not, under the same rules and with the
    /// same payload id as if the attributes had come by `engine_forkchoiceUpdated`. Where the parent is
    /// not there, it is waited for, for `patience` at most. What the consensus client asks for comes first.
    ///
    /// Dropping the future ends the waiting, not a job that was begun.
    ///
    /// # Errors
    /// As [`Self::request`] and [`Self::start_given`] have; also where the block's number is not the
    /// parent's plus one.
    pub async fn build_streamed(
        &self,
        asked: GivenAttributes,
        patience: Duration,
    ) -> Result<Streamed, RequestError> {
        if !self.is_held_within(asked.parent_hash, patience).await {
            return Ok(Streamed::UnknownParent);
        }
        let received_at = self.inner.deps.clock.now();
        let GivenAttributes {
            parent_hash,
            number,
            attributes,
        } = asked;
        let checking = self.clone();
        let request = tokio::task::spawn_blocking(move || {
            let version = checking.streamed_version(&attributes);
            checking.request(version, parent_hash, &attributes, received_at)
        });
        let request = request
            .await
            .map_err(|error| RequestError::Internal(format!("worker: {error}")))??;
        if request.context.number != number {
            let expected = request.context.number;
            return Err(RequestError::Refused(format!(
                "slot {number} is not the parent's number plus one, {expected}"
            )));
        }
        self.start_streamed(request).await
    }

    async fn is_held_within(&self, hash: B256, patience: Duration) -> bool {
        let node = self.node();
        let mut imports = node.imports();
        let coming = async {
            while !node.has_state(hash) {
                // An error says that the node is gone.
                if imports.changed().await.is_err() {
                    return;
                }
            }
        };
        // Either way the node is asked.
        let _ = tokio::time::timeout(patience, coming).await;
        node.has_state(hash)
    }

    /// The method that the consensus client's own call would have used, and so the same id.
    fn streamed_version(&self, attributes: &OpPayloadAttributes) -> ForkchoiceVersion {
        let timestamp = attributes.payload_attributes.timestamp;
        ForkchoiceVersion::first_of(self.chain().fork_at(timestamp))
    }

    /// Jobs that were ended by the last events of a burst may still have their threads, and nobody would ask
    /// for the newest one again: it is tried until there is room.
    async fn start_streamed(&self, request: BuildRequest) -> Result<Streamed, RequestError> {
        let mut attempts_left = ATTEMPTS_MAX;
        loop {
            attempts_left -= 1;
            match self.begin_streamed(request.clone()) {
                Begun::Overruled => return Ok(Streamed::Overruled),
                Begun::Starting(starting) => match starting.ready().await {
                    Ok(id) => return Ok(Streamed::Started(id)),
                    Err(StartError::Stopped(StopReason::Superseded)) => {
                        return Ok(Streamed::Overruled);
                    }
                    Err(StartError::Busy(_)) if attempts_left > 0 => {}
                    Err(error) => return Err(error.into()),
                },
                Begun::Refused(StartError::Busy(_)) if attempts_left > 0 => {}
                Begun::Refused(error) => return Err(error.into()),
            }
            tokio::time::sleep(BUSY_PAUSE).await;
        }
    }

    fn begin_streamed(&self, request: BuildRequest) -> Begun<H::Artifact> {
        let recent = self.inner.given.asked.lock();
        if overrules(&recent, &Asked::of(&request)) {
            return Begun::Overruled;
        }
        match self.builder().begin(request) {
            Ok(starting) => Begun::Starting(starting),
            Err(error) => Begun::Refused(error),
        }
    }
}

/// The beginning of a start.
enum Begun<A> {
    Starting(Starting<A>),
    Overruled,
    Refused(StartError),
}
