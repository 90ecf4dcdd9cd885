//! The building jobs that want to hear of arrivals.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::Address;
use alloy_primitives::map::AddressMap;
use blockwright_seams::Wake;
use parking_lot::{Mutex, RwLock};

/// A transaction that has just been pooled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
    /// The sender's version with it.
    pub(crate) version: u64,
}

/// Which arrivals of one sender a job wants to hear of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Wants {
    /// All: the job never looked, or is looking right now.
    #[default]
    Any,
    /// The one with the nonce that the job could include next.
    Nonce(u64),
    /// Those that come after one of the sender's left. The job took what it needs for now at this
    /// version; what only follows it will find by itself.
    AfterVersion(u64),
}

impl Wants {
    const fn covers(self, arrival: Arrival) -> bool {
        match self {
            Self::Any => true,
            Self::Nonce(nonce) => nonce == arrival.nonce,
            Self::AfterVersion(version) => version != arrival.version,
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    wants: Wants,
    queued: bool,
}

/// What a job's thread and the intake share.
#[derive(Default)]
pub(crate) struct JobNews {
    standings: AddressMap<Standing>,
    queue: VecDeque<Address>,
    awake: bool,
}

impl JobNews {
    pub(crate) fn set_wants(&mut self, sender: Address, wants: Wants) {
        self.standings.entry(sender).or_default().wants = wants;
    }

    /// Notes that `sender` may have something to offer. `false` where the queue is full.
    fn enqueue(&mut self, sender: Address, capacity: usize) -> bool {
        let standing = self.standings.entry(sender).or_default();
        if standing.queued {
            return true;
        }
        if self.queue.len() >= capacity {
            return false;
        }
        standing.queued = true;
        self.queue.push_back(sender);
        true
    }

    /// Takes the sender that has waited longest. Until its wants are set anew the job hears of all
    /// its arrivals, so that none falls between the look into the table and the setting.
    pub(crate) fn dequeue(&mut self) -> Option<Address> {
        let sender = self.queue.pop_front()?;
        self.standings.insert(sender, Standing::default());
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
    /// Tells the job of those arrivals that it wants to hear of, waking it at most once. Returns how
    /// many were lost because the queue is full.
    fn notify(&self, arrivals: &[Arrival]) -> u64 {
        let mut lost = 0;
        let mut wake = false;
        {
            let mut news = self.news.lock();
            for arrival in arrivals {
                let standing = news.standings.get(&arrival.sender);
                if standing.is_none_or(|at| !at.queued && at.wants.covers(*arrival)) {
                    lost += u64::from(!news.enqueue(arrival.sender, self.capacity));
                    wake |= !std::mem::replace(&mut news.awake, true);
                }
            }
        }
        if wake {
            (self.wake)();
        }
        lost
    }

    /// Has the job look at `sender` again. `false` where the queue is full.
    pub(crate) fn announce(&self, sender: Address) -> bool {
        let mut news = self.news.lock();
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
    pub(crate) fn notify(&self, arrivals: &[Arrival]) -> u64 {
        if arrivals.is_empty() {
            return 0;
        }
        let feeds = self.feeds.read().clone();
        feeds.iter().map(|feed| feed.notify(arrivals)).sum()
    }
}
