//! One job's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use blockwright_core::{End, Event, Job, JobInputs, Publication, Step};
use blockwright_seams::{Feedback, Host, RootFault, RootsAnswer};
use blockwright_types::{BuildRequest, StopReason, UnixUs};

use crate::ledger::{Act, Applied, Ledger};
use crate::mailbox::{Mail, Mailbox};
use crate::shared::Shared;
use crate::table::stop_all;
use crate::{StartError, metrics};

/// A thread never sleeps longer than this, in microseconds, whatever the plan says.
const SLEEP_MAX_US: u64 = 60_000_000;

/// One job's thread and all it owns.
pub(crate) struct Worker<H: Host> {
    pub(crate) host: H,
    pub(crate) request: BuildRequest,
    pub(crate) shared: Arc<Shared<H::Artifact>>,
    pub(crate) ledger: Arc<Ledger<H::Artifact>>,
    pub(crate) mailbox: Mailbox<H::Artifact>,
}

/// The loop's own state.
struct Clockwork {
    now: UnixUs,
    limits_version: u64,
    /// When the held flashblock 0 is to be published.
    release_at: Option<UnixUs>,
    expires_at: UnixUs,
}

impl<H: Host> Worker<H> {
    /// Builds until the plan is done or the job is stopped. A panic ends the job alone.
    pub(crate) fn run(self) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.build()));
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.refuse(error),
            Err(_) => {
                tracing::error!(id = %self.ledger.id, "building panicked");
                self.ledger.apply(Act::Stop(StopReason::Failed));
                self.refuse(StartError::Panicked);
            }
        }
        self.ledger.ended();
        metrics::job_ended(self.ledger.stop_reason());
    }

    /// Without a first block the payload is forgotten, so that it can be asked for again.
    fn refuse(&self, error: StartError) {
        if self.ledger.best().is_none() {
            self.shared.table.lock().remove(self.ledger.sequence);
            self.ledger.refuse(error);
        }
    }

    fn build(&self) -> Result<(), StartError> {
        let mut clockwork = self.clockwork();
        let inputs = JobInputs {
            host: &self.host,
            request: &self.request,
            config: self.shared.config.job,
            limits: self.shared.limits(),
            policy: self.shared.config.policy.make(),
            pace: *self.shared.pace.lock(),
            reply: self.ledger.bell.as_reply(),
            wake: self.ledger.bell.as_wake(),
        };
        let (mut job, mut step) =
            Job::open(inputs, clockwork.now).map_err(|error| StartError::Host(Arc::new(error)))?;
        loop {
            let wait_until = match step {
                Step::Run => UnixUs::default(),
                Step::Wait(until) => until,
                Step::Publish(publication) => {
                    *self.shared.pace.lock() = job.pace();
                    self.publish(*publication, &mut clockwork)?;
                    UnixUs::default()
                }
                Step::Complete if clockwork.release_at.is_none() => break,
                Step::Complete => UnixUs::MAX,
                Step::Done(end) => {
                    self.finish(&end)?;
                    break;
                }
            };
            let event = self.next_event(wait_until, &mut clockwork);
            step = job.step(event, clockwork.now);
        }
        self.ledger.apply(Act::Release);
        // The plan is done: what is left until somebody asks for the payload is time for its roots.
        self.ledger.complete("ahead");
        Ok(())
    }

    fn clockwork(&self) -> Clockwork {
        let now = self.shared.clock.now();
        let end = UnixUs::from_secs(self.request.context.timestamp);
        Clockwork {
            now,
            limits_version: self.shared.limits_version(),
            release_at: None,
            expires_at: end
                .max(self.request.received_at)
                .plus_us(self.shared.config.expire_after_us),
        }
    }

    /// Waits until `wait_until` or for the next thing to happen, whatever is first.
    fn next_event(&self, wait_until: UnixUs, clockwork: &mut Clockwork) -> Event<H::Artifact> {
        let until = wait_until
            .min(clockwork.expires_at)
            .min(clockwork.release_at.unwrap_or(UnixUs::MAX));
        let wait_us = if self.ledger.is_stopped() {
            0
        } else {
            until.since_us(self.shared.clock.now()).min(SLEEP_MAX_US)
        };
        let mail = self.mailbox.take(wait_us);
        // A wall clock may be set back; the job's time never is.
        clockwork.now = clockwork.now.max(self.shared.clock.now());
        let now = clockwork.now;
        if clockwork.release_at.is_some_and(|at| at <= now) {
            self.release(clockwork);
        }
        if now >= clockwork.expires_at {
            self.ledger.apply(Act::Stop(StopReason::Expired));
        }
        match mail {
            Some(Mail::Roots(answer)) => return Event::Roots(answer),
            Some(Mail::Lost) => return Event::Roots(lost_answer()),
            Some(Mail::Ring) | None => {}
        }
        if let Some(reason) = self.stop_reason() {
            return Event::Stop(reason);
        }
        let version = self.shared.limits_version();
        if std::mem::replace(&mut clockwork.limits_version, version) != version {
            self.ledger.bell.ring();
            return Event::Limits(self.shared.limits());
        }
        match mail {
            Some(_) => Event::Wake,
            None => Event::Tick,
        }
    }

    fn stop_reason(&self) -> Option<StopReason> {
        if self.ledger.is_stopped() {
            self.ledger.stop_reason()
        } else {
            None
        }
    }

    fn publish(
        &self,
        publication: Publication<H::Artifact>,
        clockwork: &mut Clockwork,
    ) -> Result<(), StartError> {
        let report = publication.report;
        let number = publication.payload.header().number;
        let first = publication.flashblock.index == 0;
        if !first && self.is_too_late(self.shared.clock.now()) {
            // The ledger takes the indices in order: the later ones are not published either.
            metrics::too_late();
            return Ok(());
        }
        let act = if first {
            let older = self.shared.table.lock().older(self.ledger.sequence);
            stop_all(&older, StopReason::Superseded);
            Act::First(publication)
        } else {
            clockwork.release_at = None;
            Act::Publish(publication)
        };
        let published_at = self.shared.clock.now();
        match self.ledger.apply(act) {
            Applied::Done(feedback) => {
                metrics::published(&report, number, published_at);
                self.note(feedback);
                self.ledger.prepare();
            }
            Applied::Suppressed(reason) if first => return Err(StartError::Stopped(reason)),
            Applied::Suppressed(_) => metrics::suppressed(),
            Applied::Resolved { .. } | Applied::Unrooted | Applied::NotReady => {}
        }
        if first {
            metrics::started(published_at.since_us(self.request.received_at));
            clockwork.release_at = Some(published_at.plus_us(self.shared.config.first_hold_us));
        }
        Ok(())
    }

    /// Whether somebody may have sealed the block by what is published so far.
    fn is_too_late(&self, now: UnixUs) -> bool {
        let publish_by_us = self.shared.config.publish_by_us;
        let end = UnixUs::from_secs(self.request.context.timestamp);
        publish_by_us > 0 && now > end.minus_us(publish_by_us)
    }

    fn release(&self, clockwork: &mut Clockwork) {
        clockwork.release_at = None;
        if let Applied::Done(feedback) = self.ledger.apply(Act::Release) {
            self.note(feedback);
        }
    }

    fn note(&self, feedback: Feedback) {
        match feedback {
            Feedback::Accepted => {}
            Feedback::Dropped => metrics::sink_dropped(),
        }
    }

    /// The job ended before its plan was done.
    fn finish(&self, end: &End) -> Result<(), StartError> {
        self.ledger.apply(Act::Stop(end.reason));
        if let Some(fault) = &end.fault {
            let cause = std::error::Error::source(fault.as_ref()).map(ToString::to_string);
            tracing::error!(id = %self.ledger.id, %fault, cause, "building failed");
            return Err(StartError::Failed(Arc::clone(fault)));
        }
        Err(StartError::Stopped(end.reason))
    }
}

/// Stands for an answer that did not fit the mailbox.
fn lost_answer<A>() -> RootsAnswer<A> {
    RootsAnswer {
        index: 0,
        result: Err(RootFault("an answer was lost: too many waited".to_owned())),
        elapsed_us: 0,
    }
}
