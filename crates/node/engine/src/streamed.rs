//! Building without the Engine API: attributes that come by a stream.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use blockwright_service::{StartError, Starting};
use blockwright_state::TrieDelta;
use blockwright_types::{BuildRequest, OpFork, PayloadId, StopReason};
use op_alloy_rpc_types_engine::OpPayloadAttributes;

use crate::engine::{Inner, blocking};
use crate::given::{Asked, overrules};
use crate::{Engine, EngineError, ForkchoiceVersion, GivenAttributes};

/// Pause before a builder that was busy is asked again, and how often it is.
const BUSY_PAUSE: Duration = Duration::from_millis(5);
const ATTEMPTS_MAX: usize = 200;

/// What came of attributes that came by a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streamed {
    /// Its payload can be had.
    Started(PayloadId),
    /// The Engine API asked for something else on that parent, or for a later block; or something was asked
    /// for while this was begun.
    Overruled,
    /// The parent is not held.
    UnknownParent,
}

impl Engine {
    /// Builds on any block that is held, whether it was chosen or not, under the same rules and with the
    /// same payload id as if the attributes had come by `engine_forkchoiceUpdated`. Where the parent is
    /// not there, it is waited for, for `patience` at most. What the Engine API asks for comes first.
    ///
    /// Dropping the future ends the waiting, not a job that was begun.
    ///
    /// # Errors
    /// As [`Self::fork_choice_updated`] has of attributes; also where the block's number is not the
    /// parent's plus one.
    pub async fn build_streamed(
        &self,
        asked: GivenAttributes,
        patience: Duration,
    ) -> Result<Streamed, EngineError> {
        let inner = &self.inner;
        if !inner.is_held_within(asked.parent_hash, patience).await {
            return Ok(Streamed::UnknownParent);
        }
        let received_at = inner.clock.now();
        let GivenAttributes {
            parent_hash,
            number,
            attributes,
        } = asked;
        let checking = Arc::clone(inner);
        let request = blocking(move || {
            let id = checking.streamed_id(parent_hash, &attributes);
            checking.request_on(parent_hash, &attributes, id, received_at)
        })
        .await??;
        if request.context.number != number {
            let expected = request.context.number;
            return Err(EngineError::AttributesRefused(format!(
                "slot {number} is not the parent's number plus one, {expected}"
            )));
        }
        inner.start_streamed(request).await
    }
}

impl Inner {
    /// Tells whoever waits for a block.
    pub(crate) fn tell_imported(&self) {
        self.imports.send_modify(|count| *count += 1);
    }

    async fn is_held_within(&self, hash: B256, patience: Duration) -> bool {
        let mut imports = self.imports.subscribe();
        let coming = async {
            while !self.store.contains(hash) {
                // The sender lives as long as this engine.
                if imports.changed().await.is_err() {
                    return;
                }
            }
        };
        // Either way the store is asked.
        let _ = tokio::time::timeout(patience, coming).await;
        self.store.contains(hash)
    }

    /// The id that the consensus client's own call would have answered: it uses the first method that knows
    /// the fork.
    fn streamed_id(&self, parent_hash: B256, attributes: &OpPayloadAttributes) -> PayloadId {
        let fork = self.chain.fork_at(attributes.payload_attributes.timestamp);
        let version = if fork < OpFork::Canyon {
            ForkchoiceVersion::V1
        } else {
            ForkchoiceVersion::of(fork)
        };
        attributes.payload_id(&parent_hash, self.id_version(version))
    }

    /// Jobs that were ended by the last events of a burst may still have their threads, and nobody would ask
    /// for the newest one again: it is tried until there is room.
    async fn start_streamed(&self, request: BuildRequest) -> Result<Streamed, EngineError> {
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

    fn begin_streamed(&self, request: BuildRequest) -> Begun {
        let recent = self.given.asked.lock();
        if overrules(&recent, &Asked::of(&request)) {
            return Begun::Overruled;
        }
        match self.builder.begin(request) {
            Ok(starting) => Begun::Starting(starting),
            Err(error) => Begun::Refused(error),
        }
    }
}

/// The beginning of a start.
enum Begun {
    Starting(Starting<TrieDelta>),
    Overruled,
    Refused(StartError),
}
