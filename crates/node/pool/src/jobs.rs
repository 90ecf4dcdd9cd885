//! The building jobs that want to hear of arrivals.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256};
use blockwright_seams::Wake;
use blockwright_types::SharedTx;
use parking_lot::{Mutex, MutexGuard, RwLock};

/// What a job knows of one sender.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JobSender {
    /// Nonce that the job could include next; `None` until the job first looked.
    pub(crate) next: Option<u64>,
    /// Transaction last offered at that nonce.
    pub(crate) offered: Option<B256>,
    queued: bool,
}

/// State of one job, shared between its thread and the intake.
#[derive(Default)]
pub(crate) struct JobNews {
    pub(crate) senders: AddressMap<JobSender>,
    queue: VecDeque<Address>,
    awake: bool,
}

impl JobNews {
    /// Notes that `sender` may have something to offer. `false` where the queue is full.
    fn enqueue(&mut self, sender: Address, capacity: usize) -> bool {
        let entry = self.senders.entry(sender).or_default();
        if entry.queued {
            return true;
        }
        if self.queue.len() >= capacity {
            return false;
        }
        entry.queued = true;
        self.queue.push_back(sender);
        true
    }

    /// Takes the sender that has waited longest.
    pub(crate) fn dequeue(&mut self) -> Option<Address> {
        let sender = self.queue.pop_front()?;
        if let Entry::Occupied(mut entry) = self.senders.entry(sender) {
            entry.get_mut().queued = false;
        }
        Some(sender)
    }

    /// Whether nothing waits; the next arrival then wakes the job.
    pub(crate) fn settle(&mut self) -> bool {
        let idle = self.queue.is_empty();
        if idle {
            self.awake = false;
        }
        idle
    }
}

/// One job's subscription.
pub(crate) struct JobFeed {
    pub(crate) news: Mutex<JobNews>,
    wake: Wake,
    capacity: usize,
}

impl JobFeed {
    /// Tells the job of an arrival if it is what the job could take next. `false` where the news
    /// was lost because the queue is full.
    fn notify(&self, tx: &SharedTx) -> bool {
        let news = self.news.lock();
        let known = news.senders.get(&tx.sender).copied().unwrap_or_default();
        if known.next.is_some_and(|next| next != tx.nonce()) || known.offered == Some(tx.hash) {
            return true;
        }
        self.announce(news, tx.sender)
    }

    /// The account's nonce moved to `next` within the job's block: what is pooled there may follow.
    pub(crate) fn skip_to(&self, sender: Address, next: u64) -> bool {
        let mut news = self.news.lock();
        let known = news.senders.entry(sender).or_default();
        if known.next.is_some_and(|known| known >= next) {
            return true;
        }
        known.next = Some(next);
        known.offered = None;
        self.announce(news, sender)
    }

    /// Enqueues `sender` and, if the job sleeps, wakes it once the lock is free.
    fn announce(&self, mut news: MutexGuard<'_, JobNews>, sender: Address) -> bool {
        let kept = news.enqueue(sender, self.capacity);
        let sleeping = !std::mem::replace(&mut news.awake, true);
        drop(news);
        if sleeping {
            (self.wake)();
        }
        kept
    }
}

/// All open jobs.
#[derive(Default)]
pub(crate) struct Jobs {
    feeds: RwLock<Vec<Arc<JobFeed>>>,
}

impl Jobs {
    /// Adds a job that hears of everything inserted from now on. Its queue holds each sender once,
    /// and at most `capacity` of them.
    pub(crate) fn open(&self, wake: Wake, capacity: usize) -> Arc<JobFeed> {
        let feed = Arc::new(JobFeed {
            news: Mutex::default(),
            wake,
            capacity,
        });
        self.feeds.write().push(feed.clone());
        feed
    }

    pub(crate) fn close(&self, feed: &Arc<JobFeed>) {
        self.feeds.write().retain(|open| !Arc::ptr_eq(open, feed));
    }

    /// Tells every job of `arrivals`, which are in the table already. Returns how many notices were
    /// lost to full queues.
    pub(crate) fn notify(&self, arrivals: &[SharedTx]) -> u64 {
        if arrivals.is_empty() {
            return 0;
        }
        let feeds = self.feeds.read().clone();
        let mut lost = 0;
        for feed in &feeds {
            for tx in arrivals {
                lost += u64::from(!feed.notify(tx));
            }
        }
        lost
    }
}
