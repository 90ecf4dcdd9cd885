//! One payload, from the fork choice to its last flashblock.

use std::sync::Arc;

use blockwright_seams::{
    Candidate, Closing, Frontier as _, Host, HostError, OpenBlock, Policy, Previewed, RootSession,
    RootsAnswer, RootsReply, Sealed, Wake,
};
use blockwright_types::{Budget, BuildRequest, Gas, StopReason, UnixUs, Usage};

use crate::part::{Part, Work};
use crate::pipeline::{Answer, Pipeline};
use crate::ready::Ready;
use crate::{
    Best, DaLimits, End, Event, JobConfig, JobFault, Pace, PartReport, Payload, Plan, PlanInput,
    Publication, RootsRule, Shares, Step,
};

/// Flashblock 0 and the answer to the fork choice are not delayed by pool transactions before this
/// long after the opening, in microseconds.
const FIRST_GRACE_US: u64 = 20_000;

/// Simulation type of a host.
pub(crate) type SimOf<H> = <<H as Host>::Open as OpenBlock>::Sim;
type StepOf<H> = Step<<H as Host>::Artifact>;

/// What a job is made of.
pub struct JobInputs<'a, H: Host> {
    /// The node it runs in.
    pub host: &'a H,
    /// What to build.
    pub request: &'a BuildRequest,
    /// Settings; validated.
    pub config: JobConfig,
    /// DA limits in force.
    pub limits: DaLimits,
    /// Order and admission.
    pub policy: Box<dyn Policy>,
    /// Measurements of earlier jobs.
    pub pace: Pace,
    /// Where roots are to be sent; they come back as [`Event::Roots`].
    pub reply: RootsReply<H::Artifact>,
    /// Called when the pool has news; it comes back as [`Event::Wake`].
    pub wake: Wake,
}

/// One payload under construction: a state machine driven by [`Job::step`].
///
/// Each step does one bounded piece of work: at most one transaction is run, or one flashblock
/// sealed, or a small batch of candidates taken in, so that due times are met by calling again.
/// Nothing is published before it is due and all indices are contiguous, empty flashblocks
/// included. Late roots delay their flashblock and those behind it, never the execution. Which
/// flashblocks wait for roots is said by [`RootsRule`].
pub struct Job<H: Host> {
    pub(crate) open: H::Open,
    pub(crate) roots: H::Roots,
    pub(crate) pool: Option<H::Candidates>,
    pub(crate) closing: Option<Box<dyn Closing>>,
    pub(crate) policy: Box<dyn Policy>,
    pub(crate) config: JobConfig,
    pub(crate) plan: Plan,
    pub(crate) ready: Ready<SimOf<H>>,
    pub(crate) part: Option<Part>,
    pub(crate) pace: Pace,
    pub(crate) block: Budget,
    pub(crate) news: bool,
    pub(crate) offered: Vec<Candidate>,
    pub(crate) commits_since_push: u32,
    /// The last flashblock was cut for want of time: the next one commits from its beginning.
    pub(crate) backlog: bool,
    pub(crate) work: Work,
    opened_at: UnixUs,
    work_started: UnixUs,
    sequencer: Usage,
    limits: DaLimits,
    pipeline: Pipeline<H::Artifact>,
    ended: Option<End>,
}

impl<H: Host> Job<H> {
    /// Opens the block, runs the sequencer transactions and asks for the roots of index 0.
    pub fn open(inputs: JobInputs<'_, H>, now: UnixUs) -> Result<(Self, StepOf<H>), HostError> {
        let request = inputs.request;
        let plan = Plan::new(
            &inputs.config,
            &PlanInput {
                timestamp: request.context.timestamp,
                parent_timestamp: request.parent_timestamp,
                no_tx_pool: request.no_tx_pool,
                now,
            },
        );
        let mut open = inputs.host.open(request)?;
        let mut roots = inputs
            .host
            .roots(request.context.parent_hash, inputs.reply)?;
        if let Some(changes) = open.take_changes() {
            roots.push(changes);
        }
        open.cut(0);
        roots.close(0);
        let sequencer = open.usage();
        let mut pipeline = Pipeline::default();
        pipeline.cut(PartReport {
            last: plan.is_empty(),
            has_roots: true,
            transactions: request.sequencer_transactions.len() as u64,
            gas: sequencer.gas,
            ..PartReport::default()
        });
        let is_filled = !plan.is_empty();
        let pool = is_filled.then(|| inputs.host.candidates(request, inputs.wake));
        let closing = is_filled.then(|| inputs.host.closing(request)).flatten();
        let mut job = Self {
            open,
            roots,
            pool,
            closing,
            policy: inputs.policy,
            config: inputs.config,
            plan,
            ready: Ready::default(),
            part: None,
            pace: inputs.pace,
            block: Budget::UNLIMITED,
            news: true,
            offered: Vec::new(),
            commits_since_push: 0,
            backlog: false,
            work: Work::None,
            opened_at: now,
            work_started: now,
            sequencer,
            limits: inputs.limits,
            pipeline,
            ended: None,
        };
        job.start_part(1, now);
        Ok((job, Step::Run))
    }

    /// Takes in `event` and does the most urgent piece of work: publish what is due, cut what has
    /// to be cut, seal what has its roots, then fill the current flashblock.
    ///
    /// `now` must not go back between calls.
    pub fn step(&mut self, event: Event<H::Artifact>, now: UnixUs) -> StepOf<H> {
        self.measure_work(now);
        match event {
            Event::Tick => {}
            Event::Wake => self.news = true,
            Event::Roots(answer) => self.take_roots(answer),
            Event::Limits(limits) => self.set_limits(limits),
            Event::Stop(reason) => self.end(reason, None),
        }
        let step = self.advance(now);
        match &self.ended {
            Some(end) => Step::Done(end.clone()),
            None => step,
        }
    }

    /// The plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What was measured, for the next job.
    pub const fn pace(&self) -> Pace {
        self.pace
    }

    /// What the block uses so far, unpublished transactions included.
    pub fn usage(&self) -> Usage {
        self.open.usage()
    }

    fn advance(&mut self, now: UnixUs) -> StepOf<H> {
        if self.ended.is_some() {
            return Step::Run;
        }
        if let Some(publication) = self.pipeline.take_due(now) {
            return Step::Publish(Box::new(publication));
        }
        if self.cut_at().is_some_and(|cut_at| cut_at <= now) && !self.extend(now) {
            self.cut(now);
            return Step::Run;
        }
        if let Some((report, answer)) = self.pipeline.take_sealable() {
            self.seal(report, answer, now);
            return Step::Run;
        }
        let filled = self.fill(now);
        if !matches!(filled, Step::Wait(_)) {
            return filled;
        }
        if self.part.is_none() && self.pipeline.is_empty() {
            return Step::Complete;
        }
        let next = [self.pipeline.next_due(), self.cut_at()];
        let until = next.into_iter().flatten().min().unwrap_or(UnixUs::MAX);
        match filled {
            Step::Wait(fill_at) => Step::Wait(until.min(fill_at)),
            other => other,
        }
    }

    /// When the current part has to be cut for its roots to be there in time.
    pub(crate) fn cut_at(&self) -> Option<UnixUs> {
        let part = self.part.as_ref()?;
        let regular = part.slot.due.minus_us(self.lead_us());
        Some(part.extended_to.map_or(regular, |until| until.max(regular)))
    }

    /// How long before its due time the current part is cut.
    pub(crate) fn lead_us(&self) -> u64 {
        let part = self.part.as_ref();
        let has_roots = part.is_none_or(|part| part.report.has_roots);
        self.pace.lead_us(self.config.interval_us, has_roots)
    }

    /// Until when a transaction that takes `cost_us` has to wait, because it could delay the
    /// publication of a flashblock that is cut and on time. One that is late already is not waited
    /// for: roots slower than the interval must not stop the execution.
    pub(crate) fn must_wait_until(&self, now: UnixUs, cost_us: u64) -> Option<UnixUs> {
        let (index, due) = self.pipeline.next_promised()?;
        let due = if index == 0 {
            self.opened_at.plus_us(FIRST_GRACE_US)
        } else {
            due
        };
        let done = now.plus_us(cost_us).plus_us(self.pace.seal_us());
        (now < due && done > due).then_some(due)
    }

    /// Notes what the last step's work cost.
    fn measure_work(&mut self, now: UnixUs) {
        let elapsed_us = now.since_us(self.work_started);
        match std::mem::take(&mut self.work) {
            Work::None => return,
            Work::Seal => {
                self.pace.sealed(elapsed_us);
                self.pipeline.seal_took(elapsed_us);
                return;
            }
            Work::Ahead { sender, tx, gas } => {
                self.pace.executed(gas, elapsed_us);
                self.ready.took(sender, tx, elapsed_us);
            }
            Work::Run { gas } => self.pace.executed(gas, elapsed_us),
            Work::Commit => {}
        }
        if let Some(part) = &mut self.part {
            part.report.exec_us += elapsed_us;
        }
    }

    /// Marks `work` as begun at `now`.
    pub(crate) const fn did(&mut self, work: Work, now: UnixUs) {
        self.work = work;
        self.work_started = now;
    }

    fn take_roots(&mut self, answer: RootsAnswer<H::Artifact>) {
        let RootsAnswer {
            index,
            result,
            elapsed_us,
        } = answer;
        match result {
            Ok((roots, artifact)) => {
                // Where few have roots, the little work of index 0 says nothing about the others.
                if index > 0 || self.config.roots == RootsRule::Every {
                    self.pace.rooted(elapsed_us);
                }
                self.pipeline.answered(
                    index,
                    Answer {
                        roots,
                        artifact,
                        elapsed_us,
                    },
                );
            }
            Err(source) => self.fail(JobFault::Roots { index, source }),
        }
    }

    fn set_limits(&mut self, limits: DaLimits) {
        self.limits = limits;
        let shares = self.shares();
        self.block = shares.block();
        if let Some(part) = &mut self.part
            && let Some(slot) = self.plan.slot(part.slot.index, &shares)
        {
            part.slot = slot;
            part.full = false;
        }
    }

    /// The block's capacity under the limits in force.
    pub(crate) fn shares(&self) -> Shares {
        let gas_limit = Gas(self.open.context().gas_limit);
        let block = Budget {
            gas: gas_limit,
            da: self.limits.block,
            da_footprint: gas_limit,
            size_bytes: self.config.size_max_bytes,
            da_tx: self.limits.tx,
        };
        let scalar = self.open.da_footprint_gas_scalar();
        let reserve = self.closing.as_ref().map(|closing| closing.reserve(scalar));
        Shares::new(self.config.share, block, self.sequencer).reserving(reserve.unwrap_or_default())
    }

    fn start_part(&mut self, index: u64, now: UnixUs) {
        let shares = self.shares();
        self.block = shares.block();
        self.part = self.plan.slot(index, &shares).map(|slot| {
            let mut part = Part::new(slot, now, self.plan.len(), self.config.roots);
            part.head_start = self.ready.release(index);
            part
        });
    }

    /// Ends the current part: its roots are asked for, if it is to carry any, and the next one
    /// begins.
    fn cut(&mut self, now: UnixUs) {
        if self.part.as_ref().is_some_and(|part| part.report.last) {
            self.close_block();
        }
        let Some(part) = self.part.take() else {
            return;
        };
        let index = part.slot.index;
        self.backlog |= !part.full && !self.ready.is_empty();
        self.push_changes();
        self.open.cut(index);
        if part.report.has_roots {
            self.roots.close(index);
        }
        self.policy.finish(index, &self.open.usage());
        self.pipeline.cut(part.report);
        self.start_part(index + 1, now);
    }

    /// Hands what was committed to the root session, unless no later flashblock asks for roots.
    pub(crate) fn push_changes(&mut self) {
        self.commits_since_push = 0;
        let changes = self.open.take_changes();
        if let Some(changes) = changes.filter(|_| self.config.roots != RootsRule::None) {
            self.roots.push(changes);
        }
    }

    fn seal(&mut self, report: PartReport, answer: Option<Answer<H::Artifact>>, now: UnixUs) {
        let (flashblock, payload) = match answer {
            Some(Answer {
                roots, artifact, ..
            }) => {
                let Sealed { flashblock, block } = self.open.seal(report.index, &roots);
                (flashblock, Payload::Sealed(Best { block, artifact }))
            }
            None => {
                let Previewed { flashblock, block } = self.open.preview(report.index);
                (flashblock, Payload::Unrooted(block))
            }
        };
        self.pipeline.sealed(Publication {
            flashblock,
            payload,
            report,
        });
        self.did(Work::Seal, now);
    }

    /// Ends the job for a failure.
    pub(crate) fn fail(&mut self, fault: JobFault) {
        self.end(StopReason::Failed, Some(Arc::new(fault)));
    }

    /// The first reason wins.
    fn end(&mut self, reason: StopReason, fault: Option<Arc<JobFault>>) {
        self.ended.get_or_insert(End { reason, fault });
    }
}
