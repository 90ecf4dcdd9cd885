//! The second subscription that signatures are checked with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blockwright_launch::Dialect;
use blockwright_watch::{Access, Pairing, PairingLimits, WatchError};
use tokio::time::Instant;

use super::source::{Frames, Item};
use super::subscription::Subscription;

/// Frames of dialect `spec`, and the others that wait for them.
pub(super) struct Beside {
    pairing: Pairing,
    /// `None` for a recording, which has both in one file.
    spec: Option<Subscription>,
    /// The other subscription may begin.
    has_begun: bool,
    /// When it begins whatever became of this one.
    begin_by: Instant,
    /// Arrival of the last recorded frame, in microseconds since the epoch.
    recorded_us: u64,
    is_over: bool,
}

impl Beside {
    /// Beside the stream at `url`.
    pub(super) fn streamed(url: &str, access: &Access) -> Result<Self, WatchError> {
        let spec = Subscription::new(url, Dialect::Spec, access)?;
        Ok(Self {
            spec: Some(spec),
            has_begun: false,
            ..Self::recorded()
        })
    }

    /// Among the frames of a recording.
    pub(super) fn recorded() -> Self {
        Self {
            pairing: Pairing::default(),
            spec: None,
            has_begun: true,
            begin_by: Instant::now() + Duration::from_micros(PairingLimits::default().wait_us),
            recorded_us: 0,
            is_over: false,
        }
    }

    /// The next pair of those that `frames` begin. They are asked for the first time once the second
    /// subscription has a frame or trouble, or has had time for it: a server begins with its current
    /// block, and who comes later begins with no earlier one.
    pub(super) async fn next(&mut self, frames: &mut Frames) -> Option<Item> {
        loop {
            let now_us = self.now_us(frames);
            if let Some(pair) = self.pairing.next(now_us) {
                return Some(Item::Pair(pair));
            }
            if self.is_over {
                return None;
            }
            let wait_us = self.pairing.due_us().map(|due| due.saturating_sub(now_us));
            let item = tokio::select! {
                item = frames.next(), if self.has_begun => {
                    self.is_over = item.is_none();
                    item
                }
                item = next(&mut self.spec) => {
                    self.has_begun = true;
                    if matches!(item, None | Some(Item::Failed(_))) {
                        self.spec = None;
                    }
                    item.map(of_spec)
                }
                () = tokio::time::sleep_until(self.begin_by), if !self.has_begun => {
                    self.has_begun = true;
                    None
                }
                () = late(wait_us), if !frames.is_recording() => None,
            };
            match item {
                Some(Item::Heard(heard)) => {
                    self.recorded_us = heard.at_us;
                    self.pairing.take(heard);
                }
                Some(other) => return Some(other),
                None => {}
            }
        }
    }

    fn now_us(&self, frames: &Frames) -> u64 {
        if self.is_over {
            return u64::MAX;
        }
        if frames.is_recording() {
            return self.recorded_us;
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
        })
    }
}

/// What happens to the second subscription shows in the frames that are not paired.
fn of_spec(item: Item) -> Item {
    match item {
        Item::Missed(cause) => Item::Trouble(format!("dialect spec: {cause}")),
        Item::Failed(error) => Item::Trouble(error.to_string()),
        other => other,
    }
}

async fn next(spec: &mut Option<Subscription>) -> Option<Item> {
    match spec {
        Some(spec) => spec.next().await,
        None => std::future::pending().await,
    }
}

/// When the first frame has waited long enough; never where none waits.
async fn late(wait_us: Option<u64>) {
    match wait_us {
        Some(wait_us) => tokio::time::sleep(Duration::from_micros(wait_us)).await,
        None => std::future::pending().await,
    }
}
