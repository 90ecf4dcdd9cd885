//! The transactions of one connection, sent in their order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::answer::{self, Answer};
use super::connection::{Connection, Reply};
use super::schedule::Schedule;
use super::window::Window;
use crate::workload::Place;
use crate::{BenchError, SentTransaction, TxOutcome, Workload};

/// How long an answer is awaited, and how long after the run was stopped.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
const STOPPED_WAIT: Duration = Duration::from_secs(2);

/// How often a transaction is sent that the builder has no room for: in a flood, about fifteen
/// seconds long.
const ATTEMPTS_MAX: u32 = 100;

/// An open loop's transactions that are sent later than this after they were due are worth a word:
/// answers took so long that more connections are needed.
const LATE: Duration = Duration::from_millis(20);

/// Pauses before sending again: doubled from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(10);
const PAUSE_DOUBLINGS: u32 = 4;

/// What is to be done with a transaction that the builder has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overload {
    /// Sent again after a while.
    Wait,
    /// Sent again if the builder was busy; a pool that is full before the first block stays so.
    WaitIfBusy,
    /// Recorded as refused.
    Refuse,
}

/// A transaction to be sent again.
#[derive(Clone, Copy, Debug)]
struct Again {
    position: u64,
    attempts: u32,
}

/// One connection and its share of the load.
#[derive(Debug)]
pub(super) struct Lane {
    workload: Arc<Workload>,
    lane: u64,
    len: u64,
    batch: u64,
    connection: Connection,
    /// The first transaction not sent yet.
    next: u64,
    /// Sent and to be sent again, before anything new; at most a batch.
    again: VecDeque<Again>,
    /// Of all transactions before `next`.
    sent: Vec<Sent>,
}

#[derive(Clone, Debug)]
struct Sent {
    at_us: u64,
    outcome: TxOutcome,
}

impl Lane {
    pub(super) fn new(workload: Arc<Workload>, lane: u64, connection: Connection) -> Self {
        let len = workload.order().lane_len(lane);
        Self {
            batch: workload.plan().batch as u64,
            workload,
            lane,
            len,
            connection,
            next: 0,
            again: VecDeque::new(),
            sent: Vec::with_capacity(len as usize),
        }
    }

    /// Its place among the connections.
    pub(super) const fn number(&self) -> u64 {
        self.lane
    }

    /// What became of the transaction at `position`.
    pub(super) fn outcome(&self, position: u64) -> Option<SentTransaction> {
        let hash = self.workload.lane(self.lane)?.hash(position)?;
        let (sent_us, outcome) = match self.sent.get(position as usize) {
            Some(sent) => (sent.at_us, sent.outcome.clone()),
            None => (0, TxOutcome::Unsent),
        };
        Some(SentTransaction {
            hash,
            sent_us,
            outcome,
        })
    }

    /// Sends each group when it is due, from `start` on, whatever was answered before. Groups that
    /// fell due while an answer was awaited are sent together after it.
    pub(super) async fn by_rate(
        &mut self,
        schedule: Schedule,
        start: Instant,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut late_max = Duration::ZERO;
        while self.next < self.len {
            let due = self.due(schedule, self.next);
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                () = sleep_until(start + due) => {}
            }
            let now = start.elapsed();
            late_max = late_max.max(now.saturating_sub(due));
            let limit = self.len.min(self.next + self.batch);
            let mut end = self.next;
            while end < limit && self.due(schedule, end) <= now {
                end = self.group_end(end).min(limit);
            }
            // The timer may wake a little early.
            let end = end.max(self.group_end(self.next).min(limit));
            self.send_new(end, Overload::Refuse, &mut stop).await;
        }
        if late_max > LATE {
            let (connection, late_ms) = (self.lane, late_max.as_millis() as u64);
            tracing::warn!(
                connection,
                late_ms,
                "the loop was not open: transactions were sent late"
            );
        }
    }

    fn due(&self, schedule: Schedule, position: u64) -> Duration {
        schedule.due(self.workload.order().group_of(Place {
            lane: self.lane,
            position,
        }))
    }

    fn group_end(&self, position: u64) -> u64 {
        let group = self.workload.order().group;
        (position / group + 1) * group
    }

    /// Sends as fast as answers come and the window allows.
    pub(super) async fn flood(&mut self, mut window: Window, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() && (self.next < self.len || !self.again.is_empty()) {
            if let Some(pause) = self.pause() {
                tokio::select! {
                    biased;
                    () = stopped(&mut stop) => return,
                    () = window.changed_or(pause) => {}
                }
                let refused = self.send_again(Overload::Wait, &mut stop).await;
                window.give_back(refused);
                continue;
            }
            let places = window.take(self.batch.min(self.len - self.next));
            if places == 0 {
                tokio::select! {
                    biased;
                    () = stopped(&mut stop) => return,
                    () = window.changed() => {}
                }
                continue;
            }
            let end = self.next + places;
            let refused = self.send_new(end, Overload::Wait, &mut stop).await;
            window.give_back(refused);
        }
    }

    /// Sends everything and waits for the answers.
    pub(super) async fn prefill(&mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() && (self.next < self.len || !self.again.is_empty()) {
            if let Some(pause) = self.pause() {
                sleep(pause).await;
                self.send_again(Overload::WaitIfBusy, &mut stop).await;
            } else {
                let end = self.len.min(self.next + self.batch);
                self.send_new(end, Overload::WaitIfBusy, &mut stop).await;
            }
        }
    }

    /// How long to wait before sending again, if there is something to send again.
    fn pause(&self) -> Option<Duration> {
        let attempts = self.again.front()?.attempts;
        let doublings = attempts.saturating_sub(1).min(PAUSE_DOUBLINGS);
        Some(PAUSE_FIRST * 2_u32.pow(doublings))
    }

    /// Sends the transactions from `next` to before `end`; returns how many were refused for good.
    async fn send_new(
        &mut self,
        end: u64,
        overload: Overload,
        stop: &mut watch::Receiver<bool>,
    ) -> u64 {
        let batch: Vec<_> = (self.next..end)
            .map(|position| Again {
                position,
                attempts: 0,
            })
            .collect();
        self.next = end;
        let unsent = Sent {
            at_us: 0,
            outcome: TxOutcome::Unsent,
        };
        self.sent.resize(end as usize, unsent);
        self.send(batch, overload, stop).await
    }

    async fn send_again(&mut self, overload: Overload, stop: &mut watch::Receiver<bool>) -> u64 {
        let count = self.again.len().min(self.batch as usize);
        let batch = self.again.drain(..count).collect();
        self.send(batch, overload, stop).await
    }

    async fn send(
        &mut self,
        batch: Vec<Again>,
        overload: Overload,
        stop: &mut watch::Receiver<bool>,
    ) -> u64 {
        let body = self.body(&batch);
        let reply = tokio::select! {
            reply = self.connection.post(body) => Some(reply),
            () = sleep(ANSWER_WAIT) => None,
            () = long_stopped(stop) => None,
        };
        let sent_us = self.connection.sent_us();
        for again in &batch {
            let sent = &mut self.sent[again.position as usize];
            if sent.at_us == 0 {
                sent.at_us = sent_us;
            }
        }
        let answers = self.answers(&batch, reply, sent_us);
        let mut refused = 0;
        let mut behind = VecDeque::new();
        for (mut again, answer) in batch.into_iter().zip(answers) {
            again.attempts += 1;
            let wait = match &answer {
                Answer::Busy(_) => overload != Overload::Refuse,
                Answer::Full(_) => overload == Overload::Wait,
                // What it follows is sent again too.
                Answer::Gap(_) => overload != Overload::Refuse,
                Answer::Accepted | Answer::Refused(_) | Answer::Missing => false,
            };
            let outcome = outcome(answer, sent_us);
            if wait && again.attempts < ATTEMPTS_MAX {
                behind.push_back(again);
            } else if matches!(outcome, TxOutcome::Refused { .. }) {
                refused += 1;
            }
            self.sent[again.position as usize].outcome = outcome;
        }
        behind.append(&mut self.again);
        self.again = behind;
        refused
    }

    fn body(&self, batch: &[Again]) -> Bytes {
        let mut body = Vec::with_capacity(batch.len() * 512);
        let requests = self.workload.lane(self.lane);
        for (index, again) in batch.iter().enumerate() {
            body.push(if index == 0 { b'[' } else { b',' });
            if let Some(request) = requests.and_then(|lane| lane.request(again.position)) {
                body.extend_from_slice(request);
            }
        }
        body.push(b']');
        body.into()
    }

    fn answers(
        &self,
        batch: &[Again],
        reply: Option<Result<Reply, BenchError>>,
        sent_us: u64,
    ) -> Vec<Answer> {
        match reply {
            Some(Ok(reply)) => {
                let place = |again: &Again| Place {
                    lane: self.lane,
                    position: again.position,
                };
                let order = self.workload.order();
                let ids: Vec<_> = batch
                    .iter()
                    .map(|again| order.index(place(again)))
                    .collect();
                answer::read(&reply, &ids)
            }
            // Nothing was sent, so sending again can do no harm.
            Some(Err(cause)) if sent_us == 0 => {
                vec![Answer::Busy(cause.to_string()); batch.len()]
            }
            Some(Err(_)) | None => vec![Answer::Missing; batch.len()],
        }
    }
}

fn outcome(answer: Answer, sent_us: u64) -> TxOutcome {
    match answer {
        Answer::Accepted => TxOutcome::Accepted,
        Answer::Busy(message)
        | Answer::Full(message)
        | Answer::Gap(message)
        | Answer::Refused(message) => TxOutcome::Refused { message },
        Answer::Missing if sent_us == 0 => TxOutcome::Unsent,
        Answer::Missing => TxOutcome::Unanswered,
    }
}

/// Until sending is to end.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody is left to say so.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Until answers are not awaited any more.
async fn long_stopped(stop: &mut watch::Receiver<bool>) {
    stopped(stop).await;
    sleep(STOPPED_WAIT).await;
}
