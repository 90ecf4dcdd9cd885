//! Sending the load.

mod answer;
mod connection;
mod lane;
mod schedule;
mod stamped;
mod window;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::{BenchError, Pace, SentTransaction, Workload};
use connection::Connection;
use lane::Lane;
use schedule::Schedule;
use window::Window;

/// Connections over which a load is sent at its pace.
///
/// Each carries its own senders' transactions in their order, one batch at a time; a batch is
/// copied from text that was there before the run. What a builder has no room for is sent again
/// during a flood, in order and up to a hundred times; every other refusal is final.
#[derive(Debug)]
pub struct Feed {
    workload: Arc<Workload>,
    sealed: watch::Receiver<u64>,
    lanes: Vec<Lane>,
}

impl Feed {
    /// Opens the plan's connections to `rpc_url` (`http://host:port`). `sealed` is the number of
    /// transactions of the load in sealed blocks so far; a flood goes by it.
    pub async fn connect(
        workload: Arc<Workload>,
        rpc_url: &str,
        sealed: watch::Receiver<u64>,
    ) -> Result<Self, BenchError> {
        let mut lanes = Vec::new();
        for lane in 0..workload.order().lanes {
            let connection = Connection::open(rpc_url).await?;
            lanes.push(Lane::new(Arc::clone(&workload), lane, connection));
        }
        Ok(Self {
            workload,
            sealed,
            lanes,
        })
    }

    /// Sends the whole load of a prefilled run and waits for all answers; at another pace it does
    /// nothing. To be called before the first block.
    pub async fn prefill(&mut self) {
        if matches!(self.workload.plan().pace, Pace::Prefilled { .. }) {
            // Nobody stops it: it ends by itself.
            let (_running, stop) = watch::channel(false);
            self.drive(&stop).await;
        }
    }

    /// Sends at the plan's pace, the clock starting now, until `stop` is true (or its sender gone)
    /// or the load is used up, and awaits outstanding answers for at most two seconds. After
    /// [`Self::prefill`] it has nothing left to send.
    ///
    /// The result has every transaction of the load, in the order of sending.
    pub async fn run(mut self, stop: watch::Receiver<bool>) -> Vec<SentTransaction> {
        self.drive(&stop).await;
        let order = self.workload.order();
        (0..order.total)
            .filter_map(|index| {
                let place = order.place(index);
                let lane = self.lanes.get(place.lane as usize)?;
                lane.outcome(place.position)
            })
            .collect()
    }

    async fn drive(&mut self, stop: &watch::Receiver<bool>) {
        let plan = self.workload.plan();
        let (pace, seed) = (plan.pace, plan.chain.seed);
        let group = self.workload.order().group;
        let start = Instant::now();
        let window = match pace {
            Pace::Flood { pending_max } => pending_max,
            Pace::Rate { .. } | Pace::Prefilled { .. } => u64::MAX,
        };
        let window = Window::new(window, self.sealed.clone());
        let mut tasks = JoinSet::new();
        for mut lane in self.lanes.drain(..) {
            let (window, stop) = (window.clone(), stop.clone());
            tasks.spawn(async move {
                match pace {
                    Pace::Rate { tx_per_s } => {
                        let schedule = Schedule::new(seed, group, tx_per_s);
                        lane.by_rate(schedule, start, stop).await;
                    }
                    Pace::Flood { .. } => lane.flood(window, stop).await,
                    Pace::Prefilled { .. } => lane.prefill(stop).await,
                }
                lane
            });
        }
        self.lanes = tasks.join_all().await;
        self.lanes.sort_by_key(Lane::number);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
