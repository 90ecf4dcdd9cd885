//! What wakes a job's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blockwright_seams::{RootsAnswer, RootsReply, Wake};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::metrics;

/// Roots that may wait for a job's thread. A job has one outstanding root a slot and takes them out
/// between any two transactions; where they pile up beyond this the job is failed.
const MAIL_MAX: usize = 256;

/// A message to a job's thread.
#[derive(Debug)]
pub(crate) enum Mail<A> {
    /// Look around: the pool has news, limits changed, the job was stopped or a clock was moved.
    Ring,
    /// The root session answered.
    Roots(RootsAnswer<A>),
    /// An answer was lost because the mailbox was full.
    Lost,
}

/// The sending side; rings are coalesced, so that at most one waits.
#[derive(Debug)]
pub(crate) struct Bell<A> {
    mail: Sender<Mail<A>>,
    rung: Arc<AtomicBool>,
    lost: Arc<AtomicBool>,
}

impl<A> Clone for Bell<A> {
    fn clone(&self) -> Self {
        Self {
            mail: self.mail.clone(),
            rung: Arc::clone(&self.rung),
            lost: Arc::clone(&self.lost),
        }
    }
}

impl<A: Send + 'static> Bell<A> {
    /// Wakes the thread. Never blocks: a full mailbox wakes it anyway.
    pub(crate) fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) && self.mail.try_send(Mail::Ring).is_err() {
            self.rung.store(false, Ordering::Release);
        }
    }

    /// As a callback for pools and clocks.
    pub(crate) fn as_wake(&self) -> Wake {
        let bell = self.clone();
        Arc::new(move || bell.ring())
    }

    /// As a callback for root sessions.
    pub(crate) fn as_reply(&self) -> RootsReply<A> {
        let bell = self.clone();
        Box::new(move |answer| {
            if let Err(TrySendError::Full(_)) = bell.mail.try_send(Mail::Roots(answer)) {
                metrics::roots_dropped();
                bell.lost.store(true, Ordering::Release);
            }
        })
    }
}

/// The receiving side.
#[derive(Debug)]
pub(crate) struct Mailbox<A> {
    mail: Receiver<Mail<A>>,
    rung: Arc<AtomicBool>,
    lost: Arc<AtomicBool>,
}

impl<A> Mailbox<A> {
    /// A mailbox with its bell.
    pub(crate) fn new() -> (Bell<A>, Self) {
        let (sender, mail) = bounded(MAIL_MAX);
        let rung = Arc::new(AtomicBool::new(false));
        let lost = Arc::new(AtomicBool::new(false));
        let bell = Bell {
            mail: sender,
            rung: Arc::clone(&rung),
            lost: Arc::clone(&lost),
        };
        (bell, Self { mail, rung, lost })
    }

    /// The next message, waiting up to `wait_us` microseconds.
    pub(crate) fn take(&self, wait_us: u64) -> Option<Mail<A>> {
        if self.lost.load(Ordering::Acquire) {
            return Some(Mail::Lost);
        }
        let mail = if wait_us == 0 {
            self.mail.try_recv().ok()?
        } else {
            let wait = std::time::Duration::from_micros(wait_us);
            self.mail.recv_timeout(wait).ok()?
        };
        if matches!(mail, Mail::Ring) {
            self.rung.store(false, Ordering::Release);
        }
        Some(mail)
    }
}
