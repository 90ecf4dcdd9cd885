//! Tells everybody of a new head, in order, on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use blockwright_chain::ChainSpec;
use blockwright_pool::{HeadView, Pool};
use blockwright_state::{BlockRef, CanonUpdate, Store};
use blockwright_threads::Priority;
use blockwright_types::SealedBlock;

use crate::view::head_view;
use crate::{EngineError, Heads, metrics};

/// Fork choices that may take effect while the one before them is still being followed; the next
/// one waits.
const AHEAD_MAX: usize = 1;

/// A fork choice that took effect.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) head: BlockRef,
    pub(crate) update: CanonUpdate,
}

/// The thread, at a lower priority than the next block's building. Ends when dropped, after what it
/// was told.
#[derive(Debug)]
pub(crate) struct Follower {
    news: Option<SyncSender<News>>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// # Errors
    /// [`EngineError::Internal`] where no thread can be started.
    pub(crate) fn start(audience: Audience) -> Result<Self, EngineError> {
        let (news, incoming) = sync_channel(AHEAD_MAX);
        let work = move || follow(&audience, &incoming);
        let thread = blockwright_threads::spawn("head-follower", Priority::Follower, work)
            .map_err(|error| EngineError::Internal(format!("head-follower thread: {error}")))?;
        Ok(Self {
            news: Some(news),
            thread: Some(thread),
        })
    }

    /// To be called in the order in which fork choices take effect.
    pub(crate) fn tell(&self, news: News) {
        let told = self.news.as_ref().map(|sender| sender.send(news));
        if !matches!(told, Some(Ok(()))) {
            tracing::error!("nobody follows the head any more");
        }
    }
}

impl Drop for Follower {
    /// The store, whose directory somebody may want next, must not be held beyond.
    fn drop(&mut self) {
        self.news = None;
        if let Some(thread) = self.thread.take() {
            // Its panics were caught and logged.
            thread.join().ok();
        }
    }
}

fn follow(audience: &Audience, incoming: &Receiver<News>) {
    for news in incoming {
        let number = news.head.number;
        let told = catch_unwind(AssertUnwindSafe(|| audience.hear(news)));
        if told.is_err() {
            tracing::error!(number, "following the head panicked");
        }
    }
}

/// Who is told.
pub(crate) struct Audience {
    pub(crate) chain: Arc<ChainSpec>,
    pub(crate) store: Store,
    pub(crate) pool: Pool,
    pub(crate) heads: Heads,
}

impl Audience {
    fn hear(&self, News { head, update }: News) {
        let Some(block) = self.store.block_by_hash(head.hash) else {
            tracing::error!(hash = %head.hash, "the head cannot be read");
            return;
        };
        metrics::head(head.number);
        if !update.reverted.is_empty() {
            metrics::reorg(update.reverted.len());
            tracing::warn!(
                reverted = update.reverted.len(),
                head = head.number,
                hash = %head.hash,
                "unsafe chain reorganised"
            );
        }
        tracing::info!(
            number = head.number,
            hash = %head.hash,
            transactions = block.transaction_count(),
            gas_used = block.header.gas_used,
            "new head"
        );
        let update = Arc::new(update);
        self.heads.publish(Arc::clone(&block), Arc::clone(&update));
        match self.view_of(&block) {
            // The pool wants both lists oldest first.
            Ok(view) => {
                let reverted: Vec<_> = update.reverted.iter().rev().cloned().collect();
                self.pool.on_new_head(view, &reverted, &update.new);
            }
            Err(error) => tracing::error!(%error, "the pool cannot follow the head"),
        }
        self.store.index_transactions();
        // The consensus client has them now, and asks for no more.
        for part in update.new.iter().flat_map(|block| &block.parts) {
            part.forget_transactions_json();
        }
    }

    /// What the pool needs to know about `block` as the head.
    pub(crate) fn view_of(&self, block: &SealedBlock) -> Result<HeadView, EngineError> {
        let reader = self
            .store
            .reader(block.hash)
            .ok_or(EngineError::StateUnavailable(block.hash))?;
        let parent = self.store.header(block.header.parent_hash);
        let parent_timestamp = parent.map(|header| header.timestamp);
        head_view(&self.chain, block, parent_timestamp, reader)
            .map_err(|error| EngineError::Internal(error.to_string()))
    }
}
