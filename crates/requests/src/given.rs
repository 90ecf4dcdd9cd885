//! What the consensus client asked to be built: told to whoever listens, and kept in mind, because it comes before
//! what others ask for.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_seams::Host;
use blockwright_types::{BuildRequest, PayloadId};
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::{RequestError, Requests};

/// Attributes a slow listener may fall behind before it loses the oldest (and is told how many).
const NEWS_CAPACITY: usize = 32;
/// Requests that are kept in mind: the last ones.
const ASKED_MAX: usize = 64;

/// Attributes that came from a consensus client and keep the chain's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenAttributes {
    /// The block to build on.
    pub parent_hash: B256,
    /// Number of the block to build.
    pub number: u64,
    /// The attributes, as they came.
    pub attributes: Arc<OpPayloadAttributes>,
}

/// A request for a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The block to build on.
    pub parent_hash: B256,
    id: PayloadId,
    /// Of the block to build.
    pub number: u64,
    /// Of the block to build, in seconds.
    pub timestamp: u64,
    /// Of the attributes.
    pub parent_beacon_block_root: Option<B256>,
    /// Transactions that the attributes bring.
    pub forced: usize,
    /// Whether others may follow them.
    pub takes_pool: bool,
}

impl Asked {
    pub(crate) fn of(request: &BuildRequest) -> Self {
        Self {
            parent_hash: request.context.parent_hash,
            id: request.id,
            number: request.context.number,
            timestamp: request.context.timestamp,
            parent_beacon_block_root: request.context.parent_beacon_block_root,
            forced: request.sequencer_transactions.len(),
            takes_pool: !request.no_tx_pool,
        }
    }
}

/// What the consensus client asked for lately.
pub(crate) struct Given {
    news: broadcast::Sender<Arc<GivenAttributes>>,
    /// Oldest first. Held while a start is handed to the builder, so that starts are in the order in which
    /// they were decided.
    pub(crate) asked: Mutex<VecDeque<Asked>>,
}

impl Given {
    pub(crate) fn new() -> Self {
        Self {
            news: broadcast::Sender::new(NEWS_CAPACITY),
            asked: Mutex::default(),
        }
    }
}

impl<H: Host> Requests<H> {
    /// The attributes that come from the consensus client from now on, each before it is built.
    pub fn given(&self) -> broadcast::Receiver<Arc<GivenAttributes>> {
        self.inner.given.news.subscribe()
    }

    /// The consensus client's request that `id` was answered to, if it is one of the last.
    pub fn asked_for(&self, id: PayloadId) -> Option<Asked> {
        let recent = self.inner.given.asked.lock();
        recent.iter().rev().find(|asked| asked.id == id).copied()
    }

    /// Starts what the consensus client asked for: the request that `attributes` made. Ready once its first
    /// block can be resolved.
    ///
    /// # Errors
    /// [`RequestError`] where nothing is built; another request is not forgotten for it.
    pub async fn start_given(
        &self,
        request: BuildRequest,
        attributes: Arc<OpPayloadAttributes>,
    ) -> Result<PayloadId, RequestError> {
        let given = &self.inner.given;
        let asked = Asked::of(&request);
        let news = GivenAttributes {
            parent_hash: asked.parent_hash,
            number: request.context.number,
            attributes,
        };
        let starting = {
            let mut recent = given.asked.lock();
            let starting = self.builder().begin(request)?;
            if note(&mut recent, asked) {
                // Nobody may be listening.
                let _ = given.news.send(Arc::new(news));
            }
            starting
        };
        let started = starting.ready().await;
        if started.is_err() {
            given.asked.lock().retain(|other| *other != asked);
        }
        Ok(started?)
    }
}

/// Keeps `asked` in mind; `false` where it is what was asked for last.
fn note(recent: &mut VecDeque<Asked>, asked: Asked) -> bool {
    if recent.back() == Some(&asked) {
        return false;
    }
    if recent.len() >= ASKED_MAX {
        recent.pop_front();
    }
    recent.push_back(asked);
    true
}

/// Whether what the consensus client asked for forbids to build `wanted`: something else on the same parent, or
/// anything for a later time, which would be ended by it.
pub(crate) fn overrules(recent: &VecDeque<Asked>, wanted: &Asked) -> bool {
    let on_parent = |asked: &&Asked| asked.parent_hash == wanted.parent_hash;
    match recent.iter().rev().find(on_parent) {
        Some(asked) => asked.id != wanted.id,
        None => recent
            .back()
            .is_some_and(|last| last.timestamp > wanted.timestamp),
    }
}
