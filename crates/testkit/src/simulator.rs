//! Drives one job through a scenario, in virtual time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use blockwright_core::{Best, End, Event, Job, JobInputs, Pace, Payload, Plan, Publication, Step};
use blockwright_seams::{Clock, Host, HostError, Policy, RootsAnswer};
use blockwright_types::{StopReason, UnixUs, Usage};
use crossbeam_channel::{Receiver, bounded};

use crate::{Arrival, Happening, ManualClock, Rng, Scenario, ScriptHost};

/// Root answers a scenario may have in flight.
const ANSWERS_MAX: usize = 8_192;
/// More steps than this mean that the job does not come to rest.
const STEPS_MAX: u64 = 2_000_000;
/// How long a real root session may take, in real time.
const ROOTS_PATIENCE: Duration = Duration::from_secs(20);

/// A flashblock the job published.
#[derive(Clone, Debug)]
pub struct Published<A> {
    /// When.
    pub at: UnixUs,
    /// What.
    pub publication: Publication<A>,
    /// The block it makes, with its roots: what a resolve would hand out now.
    pub best: Best<A>,
    /// What the block used when it was published, unpublished transactions included.
    pub usage: Usage,
}

/// Everything that came out of a job.
#[derive(Clone, Debug)]
pub struct Transcript<A> {
    /// The job's plan.
    pub plan: Plan,
    /// What the sequencer transactions used.
    pub sequencer: Usage,
    /// Flashblocks in order.
    pub published: Vec<Published<A>>,
    /// What the consensus client got, and when.
    pub resolved: Option<(UnixUs, Option<Best<A>>)>,
    /// How the job ended before its plan was done.
    pub end: Option<End>,
    /// The plan was done.
    pub complete: bool,
    /// It took more steps than any job should.
    pub restless: bool,
}

struct Simulation<'a, A> {
    scenario: &'a Scenario,
    clock: &'a ManualClock,
    rng: Rng,
    woken: Arc<AtomicBool>,
    answers: Receiver<RootsAnswer<A>>,
    received: u64,
    due_answers: VecDeque<(UnixUs, RootsAnswer<A>)>,
    arrivals: VecDeque<Arrival>,
    happenings: VecDeque<(UnixUs, Happening)>,
    stopped: Option<StopReason>,
}

/// Drives one job through `scenario`. Time is `clock`'s: it moves by what the host's transactions
/// cost (where the host moves it), a little with every step, and to the next event when the job
/// waits; the same scenario on an equal host gives the same transcript.
pub fn simulate<H: Host>(
    host: &ScriptHost<H>,
    clock: &ManualClock,
    policy: Box<dyn Policy>,
    scenario: &Scenario,
) -> Result<Transcript<H::Artifact>, HostError> {
    clock.advance_to(scenario.opened_at);
    let (sender, answers) = bounded(ANSWERS_MAX);
    let woken = Arc::new(AtomicBool::new(false));
    let mut simulation = Simulation {
        scenario,
        clock,
        rng: Rng::new(scenario.seed ^ 0x51ed),
        woken: Arc::clone(&woken),
        answers,
        received: host.closes(),
        due_answers: VecDeque::new(),
        arrivals: scenario.arrivals.iter().cloned().collect(),
        happenings: scenario.happenings.iter().copied().collect(),
        stopped: None,
    };
    simulation.deliver_arrivals(host);
    let inputs = JobInputs {
        host,
        request: &scenario.request,
        config: scenario.config,
        limits: scenario.limits,
        policy,
        pace: Pace::default(),
        reply: Box::new(move |answer| {
            let _ = sender.try_send(answer);
        }),
        wake: Arc::new(move || woken.store(true, Ordering::Release)),
    };
    let (job, first) = Job::open(inputs, clock.now())?;
    simulation.run(host, job, first)
}

impl<A: Clone> Simulation<'_, A> {
    fn run<H: Host<Artifact = A>>(
        &mut self,
        host: &ScriptHost<H>,
        mut job: Job<ScriptHost<H>>,
        first: Step<A>,
    ) -> Result<Transcript<A>, HostError> {
        let mut transcript = Transcript {
            plan: job.plan().clone(),
            sequencer: job.usage(),
            published: Vec::new(),
            resolved: None,
            end: None,
            complete: false,
            restless: false,
        };
        let mut step = first;
        for _ in 0..STEPS_MAX {
            self.collect_answers(host);
            match step {
                Step::Run => self.clock.tick(self.rng.below(3)),
                Step::Wait(until) => self.sleep(until),
                Step::Publish(publication) => {
                    transcript.published.push(Published {
                        at: self.clock.now(),
                        best: self.complete(host, &publication.payload)?,
                        publication: *publication,
                        usage: job.usage(),
                    });
                }
                Step::Complete => {
                    transcript.complete = true;
                    if self.happenings.is_empty() {
                        return Ok(transcript);
                    }
                    self.sleep(UnixUs::MAX);
                }
                Step::Done(end) => {
                    transcript.end = Some(end);
                    return Ok(transcript);
                }
            }
            self.deliver_arrivals(host);
            let event = self.next_event(&mut transcript);
            step = job.step(event, self.clock.now());
        }
        transcript.restless = true;
        Ok(transcript)
    }

    /// The payload with its roots; those that were left out come from an honest session.
    fn complete<H: Host<Artifact = A>>(
        &self,
        host: &ScriptHost<H>,
        payload: &Payload<A>,
    ) -> Result<Best<A>, HostError> {
        match payload {
            Payload::Sealed(best) => Ok(best.clone()),
            Payload::Unrooted(block) => {
                let parent = self.scenario.request.context.parent_hash;
                let (roots, artifact) = host.honest_roots(parent, block.changes())?;
                Ok(Best {
                    block: Arc::new(block.with_roots(&roots)),
                    artifact,
                })
            }
        }
    }

    /// Answers arrive in order, each after a random time.
    fn collect_answers<H: Host>(&mut self, host: &ScriptHost<H>) {
        while self.received < host.closes() {
            let Ok(mut answer) = self.answers.recv_timeout(ROOTS_PATIENCE) else {
                return;
            };
            self.received += 1;
            let (least_us, most_us) = self.scenario.roots_us;
            let delay_us = least_us + self.rng.below(most_us - least_us + 1);
            answer.elapsed_us = delay_us;
            let earliest = self.clock.now().plus_us(delay_us);
            let after = self
                .due_answers
                .back()
                .map_or(UnixUs::default(), |(at, _)| *at);
            self.due_answers.push_back((earliest.max(after), answer));
        }
    }

    fn deliver_arrivals<H: Host>(&mut self, host: &ScriptHost<H>) {
        let now = self.clock.now();
        while let Some(arrival) = self.arrivals.pop_front_if(|next| next.at <= now) {
            host.pool().arrive(arrival.tx);
        }
    }

    /// Moves to `until` or to the next thing that happens.
    fn sleep(&mut self, until: UnixUs) {
        let next = [
            self.due_answers.front().map(|(at, _)| *at),
            self.arrivals.front().map(|arrival| arrival.at),
            self.happenings.front().map(|(at, _)| *at),
            Some(until),
        ];
        let Some(next) = next.into_iter().flatten().min() else {
            return;
        };
        if next == UnixUs::MAX {
            return;
        }
        self.clock.advance_to(next);
        self.clock
            .tick(self.rng.below(self.scenario.timer_late_us_max + 1));
    }

    /// One of the events that are due, drawn at random.
    fn next_event(&mut self, transcript: &mut Transcript<A>) -> Event<A> {
        if let Some(reason) = self.stopped {
            return Event::Stop(reason);
        }
        let now = self.clock.now();
        let answer_due = self.due_answers.front().is_some_and(|(at, _)| *at <= now);
        let happening_due = self.happenings.front().is_some_and(|(at, _)| *at <= now);
        if answer_due
            && (!happening_due || self.rng.chance(50))
            && let Some((_, answer)) = self.due_answers.pop_front()
        {
            return Event::Roots(answer);
        }
        if happening_due && let Some((_, happening)) = self.happenings.pop_front() {
            return self.happen(happening, transcript);
        }
        if self.woken.swap(false, Ordering::AcqRel) {
            return Event::Wake;
        }
        Event::Tick
    }

    fn happen(&mut self, happening: Happening, transcript: &mut Transcript<A>) -> Event<A> {
        let reason = match happening {
            Happening::Limits(limits) => return Event::Limits(limits),
            Happening::Resolve => {
                let last = transcript.published.last();
                let best = last.map(|published| published.best.clone());
                transcript.resolved = Some((self.clock.now(), best));
                StopReason::Resolved
            }
            Happening::Stop(reason) => reason,
        };
        self.stopped = Some(reason);
        Event::Stop(reason)
    }
}
