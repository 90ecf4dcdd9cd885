//! Many subscribers of one stream, and peers that mean it ill.
//!
//! Members only need to know when which flashblock was there, so that what is measured is the server:
//! they look at the first bytes of each frame and have the system throw away the rest. They live on one
//! thread, hostile peers on another.

mod deliveries;
pub use deliveries::{Delivery, FlashblockKey};
mod dial;
mod frame_scanner;
mod hostile;
pub use hostile::HostileRecord;
mod member;

use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use crate::BenchError;
use deliveries::Deliveries;
use dial::Dial;

/// Handshakes under way at once while the crowd gathers.
const GATHERING_AT_ONCE: usize = 64;

/// The crowd has gathered within this time, or the run is not begun.
const GATHERED_WITHIN: Duration = Duration::from_secs(60);

/// Who subscribes beside the meter itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrowdPlan {
    /// Subscribers that read all they get, each from an address it shares with at most 99 others.
    pub subscribers: u32,
    /// Peers of each hostile kind, all from one address: those that never read, open a connection
    /// and say nothing, take for ever over the handshake, and send huge frames.
    pub hostile: u32,
    /// Connections that are opened and dropped over the run, from the hostile peers' address.
    pub connects: u32,
}

/// What became of a crowd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrowdRecord {
    /// Every flashblock at every member.
    pub deliveries: Vec<Delivery>,
    /// Deliveries that were not kept for want of room.
    pub unrecorded: u64,
    /// Times that a member's next flashblock did not follow its last one.
    pub gaps: u64,
    /// Members whose connection ended before the run did.
    pub lost: u64,
    /// Why the first of them ended.
    pub first_loss: Option<String>,
    /// What the hostile peers met with.
    pub hostile: HostileRecord,
}

/// A crowd that listens.
#[derive(Debug)]
pub(crate) struct Crowd {
    stop: watch::Sender<bool>,
    members: Option<JoinHandle<Deliveries>>,
    hostile: Option<JoinHandle<HostileRecord>>,
}

impl Crowd {
    /// Connects all members to `url` (`ws://host:port` on loopback) and lets the hostile peers begin.
    /// `span` is how long the run will take at least; connects are spread over it.
    pub(crate) async fn gather(
        url: &str,
        plan: CrowdPlan,
        span: Duration,
    ) -> Result<Self, BenchError> {
        let (stop, stopped) = watch::channel(false);
        let mut crowd = Self {
            stop,
            members: None,
            hostile: None,
        };
        if plan == CrowdPlan::default() {
            return Ok(crowd);
        }
        let dial = Dial::new(url)?;
        let failed = |cause: String| BenchError::Stream {
            url: url.to_owned(),
            cause,
        };
        if plan.subscribers > 0 {
            let (arrive, arrived) = mpsc::channel(GATHERING_AT_ONCE);
            let (dial, stopped) = (dial.clone(), stopped.clone());
            let members = thread("bench-crowd", move || async move {
                listen(plan.subscribers, dial, &stopped, &arrive).await
            });
            crowd.members = Some(members.map_err(|error| failed(error.to_string()))?);
            arrivals(arrived, plan.subscribers).await.map_err(failed)?;
        }
        if plan.hostile > 0 || plan.connects > 0 {
            let hostile = thread("bench-hostile", move || async move {
                hostile::attack(plan, dial, &stopped, span).await
            });
            crowd.hostile = Some(hostile.map_err(|error| failed(error.to_string()))?);
        }
        Ok(crowd)
    }

    /// Ends all connections; what became of them. Blocks its thread until they are gone.
    pub(crate) fn disperse(self) -> CrowdRecord {
        let _ = self.stop.send(true);
        let hostile = self.hostile.map(|thread| thread.join().unwrap_or_default());
        let members = self.members.map(|thread| thread.join().unwrap_or_default());
        let mut record = members.map(Deliveries::into_record).unwrap_or_default();
        record.hostile = hostile.unwrap_or_default();
        record
    }
}

/// Runs `work` on a new thread within a runtime of its own.
fn thread<T: Send + 'static, F: Future<Output = T>>(
    name: &str,
    work: impl FnOnce() -> F + Send + 'static,
) -> std::io::Result<JoinHandle<T>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || LocalSet::new().block_on(&runtime, work()))
}

/// Waits until `count` members have said that they are there.
async fn arrivals(
    mut arrived: mpsc::Receiver<Result<(), String>>,
    count: u32,
) -> Result<(), String> {
    let all = async {
        for there in 0..count {
            match arrived.recv().await {
                Some(Ok(())) => {}
                Some(Err(cause)) => return Err(format!("subscriber {there} of {count}: {cause}")),
                None => return Err("the crowd's thread ended".to_owned()),
            }
        }
        Ok(())
    };
    let in_time = tokio::time::timeout(GATHERED_WITHIN, all).await;
    in_time.unwrap_or_else(|_| Err("the subscribers are not connected after a minute".to_owned()))
}

/// The members' thread.
async fn listen(
    count: u32,
    dial: Dial,
    stopped: &watch::Receiver<bool>,
    arrive: &mpsc::Sender<Result<(), String>>,
) -> Deliveries {
    let deliveries = Rc::new(deliveries::Shared::default());
    let doors = Rc::new(tokio::sync::Semaphore::new(GATHERING_AT_ONCE));
    let dial = Rc::new(dial);
    let mut members = tokio::task::JoinSet::new();
    for number in 0..count {
        let (deliveries, doors) = (Rc::clone(&deliveries), Rc::clone(&doors));
        let (dial, mut stopped, arrive) = (Rc::clone(&dial), stopped.clone(), arrive.clone());
        members.spawn_local(async move {
            let member = async {
                let door = doors.acquire().await;
                let joined = member::Member::join(&dial, number).await;
                drop(door);
                match joined {
                    Ok(member) => {
                        let _ = arrive.send(Ok(())).await;
                        deliveries.lost(member.listen(&deliveries).await);
                    }
                    Err(cause) => {
                        let _ = arrive.send(Err(cause.to_string())).await;
                    }
                }
            };
            tokio::select! {
                () = member => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        });
    }
    while members.join_next().await.is_some() {}
    deliveries.take()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
