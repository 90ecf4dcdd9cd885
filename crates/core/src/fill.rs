//! Filling a flashblock: collect and run ahead, then commit best first.

use alloy_consensus::Transaction;
use alloy_primitives::Address;
use blockwright_seams::{
    Candidate, Candidates, Frontier, Host, OpenBlock, RootSession, SimError, Simulated,
};
use blockwright_types::{Gas, SkipReason, UnixUs};

use crate::job::{Job, SimOf};
use crate::judge::Judgement;
use crate::part::Work;
use crate::ready::Entry;
use crate::{JobFault, Step};

/// Candidates taken in by one step.
const POLL_MAX: usize = 128;
/// While committing, the pool is asked again after this many commits.
const COMMITS_PER_POLL: u32 = 64;
/// After this many candidates in a row that did not fit, the flashblock counts as full.
const MISSES_MAX: u32 = 512;
/// After this many in a row for which no time was left in the last 1/16 of the slot, it counts as
/// full. Before that a large gas limit must not keep smaller candidates behind it out.
const OVERRUNS_MAX: u32 = 16;
/// See [`OVERRUNS_MAX`].
const LAST_PART: u64 = 16;
/// A transaction that may take more than 1/8 of a slot gets a head start where it found no time
/// left; all head starts of a slot together take about a quarter of it.
const HEAD_START_MIN_PART: u64 = 8;
/// See [`HEAD_START_MIN_PART`].
const HEAD_STARTS_PART: u64 = 4;
/// Committing begins at least 1/10 of the slot before the cut: the estimate knows nothing of the
/// children that each commit reveals, nor of a thread that wakes up late.
const COMMIT_PART: u64 = 10;
/// Why a better arrival has to wait.
const OUTRANKS: SkipReason =
    SkipReason::Policy("arrived after lower-ranked ones of this flashblock were committed");

impl<H: Host> Job<H> {
    /// One bounded piece of work on the current part, or when there will be some.
    pub(crate) fn fill(&mut self, now: UnixUs) -> Step<H::Artifact> {
        let Some(cut_at) = self.cut_at() else {
            return Step::Wait(UnixUs::MAX);
        };
        if self.wants_poll() {
            self.poll();
            return Step::Run;
        }
        let Some(part) = &self.part else {
            return Step::Wait(UnixUs::MAX);
        };
        let committing = part.committing;
        if self.run_head_start(now) {
            return Step::Run;
        }
        if !committing {
            let start = self.commit_start(cut_at);
            if now < start && !self.backlog {
                return self.look_ahead(now, start);
            }
            if let Some(part) = &mut self.part {
                part.committing = true;
            }
        }
        self.commit_next(now, cut_at)
    }

    /// The pool is asked whenever it has news; while committing only now and then, so that an
    /// endless stream of arrivals cannot keep the job from committing.
    fn wants_poll(&self) -> bool {
        let Some(part) = &self.part else { return false };
        self.news
            && (!part.committing
                || part.commits_since_poll >= COMMITS_PER_POLL
                || self.ready.is_empty()
                || part.full)
    }

    fn poll(&mut self) {
        let mut offered = std::mem::take(&mut self.offered);
        if let Some(pool) = &mut self.pool {
            self.news = pool.poll_new(POLL_MAX, &mut offered);
        } else {
            self.news = false;
        }
        let mut keys = Vec::with_capacity(2 * offered.len());
        for candidate in offered.drain(..) {
            keys.push((candidate.tx.sender, Vec::new()));
            keys.extend(candidate.tx.envelope.to().map(|to| (to, Vec::new())));
            self.enter(candidate);
        }
        self.roots.prefetch(keys);
        self.offered = offered;
        if let Some(part) = &mut self.part {
            part.commits_since_poll = 0;
        }
    }

    /// Ranks a candidate that became executable; holds it where this flashblock's order is past it.
    fn enter(&mut self, candidate: Candidate) {
        let sender = candidate.tx.sender;
        let Some(rank) = self.policy.order(&candidate, self.open.context().base_fee) else {
            self.ready.remove(sender);
            self.refuse(&candidate, &SkipReason::FeeCapBelowBaseFee);
            return;
        };
        let entry = Entry::new(candidate, rank);
        match &mut self.part {
            Some(part) if part.committing && !part.floor.admits(sender, rank) => {
                part.report.held += 1;
                let until_index = part.slot.index + 1;
                self.put_off(entry, &OUTRANKS, until_index);
            }
            _ => self.ready.insert(entry),
        }
    }

    /// When committing has to begin for everything pending (as far as the slot has room for it) to
    /// be done before the cut. Under flood this lies in the past: begin at once.
    fn commit_start(&self, cut_at: UnixUs) -> UnixUs {
        let pending = self.ready.pending();
        let unknown_us = self
            .pace
            .unknown_us(pending.unknown_count, pending.unknown_gas_limit);
        let pending_us = pending.known_us.saturating_add(unknown_us);
        let room = self.part.as_ref().map_or(Gas::ZERO, |part| {
            part.slot.budget.gas.saturating_sub(self.open.usage().gas)
        });
        let room_us = self
            .pace
            .expected_us(room.0)
            .saturating_add(pending.known_us);
        let work_us = pending_us.min(room_us);
        cut_at
            .minus_us(work_us.saturating_add(work_us / 4))
            .minus_us(self.slot_us() / COMMIT_PART)
    }

    /// Runs one candidate ahead of the commit, if it is sure to be done by `start`.
    fn look_ahead(&mut self, now: UnixUs, start: UnixUs) -> Step<H::Artifact> {
        for _ in 0..POLL_MAX {
            let Some(sender) = self.ready.next_untried() else {
                return Step::Wait(start);
            };
            let gas_limit = self
                .ready
                .get(sender)
                .map_or(0, |entry| entry.candidate.tx.gas_limit().0);
            let worst_us = self.pace.worst_us(gas_limit);
            if now.plus_us(worst_us) > start {
                continue;
            }
            if let Some(until) = self.must_wait_until(now, worst_us) {
                self.ready.try_first(sender);
                return Step::Wait(until.min(start));
            }
            self.run_ahead(sender, now);
            return Step::Run;
        }
        Step::Run
    }

    /// Runs a candidate for which an earlier slot had no time left.
    fn run_head_start(&mut self, now: UnixUs) -> bool {
        let quarter_us = self.slot_us() / HEAD_STARTS_PART;
        let Some(part) = &mut self.part else {
            return false;
        };
        if now.since_us(part.started) > quarter_us {
            part.head_start.clear();
        }
        let Some(&sender) = part.head_start.front() else {
            return false;
        };
        let entry = self.ready.get(sender);
        let gas_limit = entry.map_or(0, |entry| entry.candidate.tx.gas_limit().0);
        let worst_us = self.pace.worst_us(gas_limit);
        if self.must_wait_until(now, worst_us).is_some() {
            return false;
        }
        if let Some(part) = &mut self.part {
            part.head_start.pop_front();
        }
        self.run_ahead(sender, now);
        true
    }

    /// Learns a candidate's gas, time and validity without committing it. A refusal that later
    /// transactions may cure is left for the commit to find.
    fn run_ahead(&mut self, sender: Address, now: UnixUs) {
        let Some(entry) = self.ready.get(sender) else {
            return;
        };
        let candidate = entry.candidate.clone();
        if let Some(part) = &mut self.part {
            part.report.simulations += 1;
        }
        match self.open.simulate(&candidate.tx) {
            Ok(sim) => {
                let gas = sim.gas_used().0;
                self.ready.ran_ahead(sender, gas, sim);
                let tx = candidate.tx.hash;
                self.did(Work::Ahead { sender, tx, gas }, now);
            }
            Err(SimError::Rejected(reason)) if reason.is_final() => {
                self.ready.remove(sender);
                self.refuse(&candidate, &reason);
            }
            Err(SimError::Rejected(_)) => {}
            Err(SimError::Fault(source)) => self.fail(JobFault::Execution {
                tx: candidate.tx.hash,
                source,
            }),
        }
    }

    /// Tries the policy's next candidate.
    fn commit_next(&mut self, now: UnixUs, cut_at: UnixUs) -> Step<H::Artifact> {
        if self.part.as_ref().is_none_or(|part| part.full) {
            return Step::Wait(cut_at);
        }
        let Some((selected, _)) = self.policy.select(&mut self.ready) else {
            return self.drained(cut_at);
        };
        let Some(entry) = self.ready.claim(&selected) else {
            self.fail(JobFault::PolicyInvented {
                policy: self.policy.name(),
                tx: selected.tx.hash,
            });
            return Step::Run;
        };
        if let Some(until) = self.must_wait_until(now, self.cost_us(&entry)) {
            self.ready.insert(entry);
            return Step::Wait(until);
        }
        match self.judge(&entry, now, cut_at) {
            Judgement::Run { oversized } => self.run(entry, oversized, now),
            Judgement::Later(reason, until_index) => self.miss(entry, &reason, until_index, now),
            Judgement::Never(reason) => self.refuse(&entry.candidate, &reason),
        }
        Step::Run
    }

    /// Nothing is left to commit: there is no backlog, and no reason to put the cut off.
    fn drained(&mut self, cut_at: UnixUs) -> Step<H::Artifact> {
        self.backlog = false;
        let extended = self.part.as_mut().and_then(|part| part.extended_to.take());
        if extended.is_some() {
            Step::Run
        } else {
            Step::Wait(cut_at)
        }
    }

    /// A thread that wakes up after the cut is due has committed nothing yet. The candidates are
    /// there, so the flashblock gets a tenth of a slot more rather than none of them; once only.
    pub(crate) fn extend(&mut self, now: UnixUs) -> bool {
        let until = now.plus_us(self.slot_us() / COMMIT_PART);
        let something = self.news || !self.ready.is_empty();
        let Some(part) = &mut self.part else {
            return false;
        };
        if part.committing || !something {
            return false;
        }
        part.committing = true;
        part.extended_to = Some(until);
        part.report.extended = true;
        true
    }

    /// Commits; runs before that, unless a simulation still holds.
    fn run(&mut self, mut entry: Entry<SimOf<H>>, oversized: bool, now: UnixUs) {
        if let Some(sim) = entry.sim.take() {
            if self.lacks_room(&entry, &sim, oversized, now) {
                return;
            }
            if self.open.commit(*sim).is_ok() {
                self.committed(&entry, now, Work::Commit);
                return;
            }
            if self.runs_past_the_cut(&entry, now) {
                let until_index = self.part.as_ref().map_or(1, |part| part.slot.index + 1);
                entry.overran = true;
                self.miss(entry, &SkipReason::WouldOverrun, until_index, now);
                return;
            }
        }
        if let Some(part) = &mut self.part {
            part.report.simulations += 1;
        }
        let tx = entry.candidate.tx.clone();
        let sim = match self.open.simulate(&tx) {
            Ok(sim) => sim,
            Err(SimError::Rejected(reason)) => {
                self.refuse(&entry.candidate, &reason);
                return;
            }
            Err(SimError::Fault(source)) => {
                self.fail(JobFault::Execution {
                    tx: tx.hash,
                    source,
                });
                return;
            }
        };
        let gas = sim.gas_used().0;
        entry.gas = gas;
        entry.measured = true;
        if self.lacks_room(&entry, &sim, oversized, now) {
            return;
        }
        if self.open.commit(sim).is_err() {
            self.fail(JobFault::StaleTwice { tx: tx.hash });
            return;
        }
        self.committed(&entry, now, Work::Run { gas });
    }

    /// Whether running it again may end behind the cut by what it took before: gas and rate let it
    /// pass, its own time does not. Otherwise one slow transaction could be late for two.
    fn runs_past_the_cut(&self, entry: &Entry<SimOf<H>>, now: UnixUs) -> bool {
        let cut_at = self.cut_at().unwrap_or(UnixUs::MAX);
        let took_us = entry.cost_us.unwrap_or_default();
        now.plus_us(took_us) > cut_at
    }

    /// Whether a simulation's true usage does not fit; then the candidate was put off or refused.
    fn lacks_room(
        &mut self,
        entry: &Entry<SimOf<H>>,
        sim: &SimOf<H>,
        oversized: bool,
        now: UnixUs,
    ) -> bool {
        let adds = sim.usage();
        let total = self.open.usage().plus(adds);
        if let Some(over) = self.block.exceeded_by(&total) {
            self.refuse(&entry.candidate, &SkipReason::OverBudget(over));
            return true;
        }
        let Some(part) = &self.part else { return true };
        let Some(over) = part.slot.budget.exceeded_by(&total) else {
            return false;
        };
        if oversized {
            return false;
        }
        let until_index = self.first_index_with_room(adds);
        let mut kept = Entry::new(entry.candidate.clone(), entry.rank);
        kept.gas = adds.gas.0;
        kept.measured = true;
        kept.cost_us = entry.cost_us;
        self.miss(kept, &SkipReason::OverBudget(over), until_index, now);
        self.did(Work::Run { gas: adds.gas.0 }, now);
        true
    }

    fn committed(&mut self, entry: &Entry<SimOf<H>>, now: UnixUs, work: Work) {
        let tx = &entry.candidate.tx;
        if let Some(part) = &mut self.part {
            part.floor.push(tx.sender, entry.rank);
            part.misses = 0;
            part.overruns = 0;
            part.commits_since_poll += 1;
            part.report.transactions += 1;
            part.report.gas += Gas(entry.gas);
        }
        let child = self.pool.as_mut().and_then(|pool| pool.committed(tx));
        if let Some(child) = child {
            self.enter(child);
        }
        self.commits_since_push += 1;
        if self.commits_since_push >= self.config.push_every {
            self.push_changes();
        }
        self.did(work, now);
    }

    /// A candidate does not fit this flashblock.
    fn miss(
        &mut self,
        mut entry: Entry<SimOf<H>>,
        reason: &SkipReason,
        until_index: u64,
        now: UnixUs,
    ) {
        let overran = *reason == SkipReason::WouldOverrun;
        entry.overran |= overran && self.cost_us(&entry) > self.slot_us() / HEAD_START_MIN_PART;
        let left_us = self.cut_at().map_or(0, |cut_at| cut_at.since_us(now));
        let nearly_over = left_us < self.slot_us() / LAST_PART;
        if let Some(part) = &mut self.part {
            part.misses += u32::from(!overran);
            part.overruns += u32::from(overran && nearly_over);
            part.full |= part.misses >= MISSES_MAX || part.overruns >= OVERRUNS_MAX;
            part.report.deferred += 1;
        }
        self.put_off(entry, reason, until_index);
    }

    /// Keeps a candidate, and with it its sender's later nonces, for flashblock `until_index`; lets
    /// it go where the plan has none.
    fn put_off(&mut self, entry: Entry<SimOf<H>>, reason: &SkipReason, until_index: u64) {
        if until_index > self.plan.len() {
            self.ready.remove(entry.candidate.tx.sender);
            self.refuse(&entry.candidate, reason);
            return;
        }
        if let Some(pool) = &mut self.pool {
            pool.defer(&entry.candidate.tx, reason, until_index);
        }
        self.ready.wait(entry, until_index);
    }

    fn refuse(&mut self, candidate: &Candidate, reason: &SkipReason) {
        if let Some(part) = &mut self.part {
            part.report.rejected += 1;
        }
        if let Some(pool) = &mut self.pool {
            pool.reject(&candidate.tx, reason);
        }
    }
}
