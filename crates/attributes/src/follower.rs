//! Follows one upstream: a connection after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::driver::Arrival;
use crate::url::Upstream;
use crate::{AttributesEvent, ClientConfig, Disconnect, EventError, Subscription, metrics};
use blockwright_types::Backoff;

/// How long a silent connection is listened to once there is another.
const LAST_WORDS: Duration = Duration::from_millis(10);

/// What outlives connections.
struct Trouble {
    backoff: Backoff,
    /// Whether the log says that nothing comes.
    was_told: bool,
}

/// An upstream that is followed for ever.
pub(crate) struct Follower {
    pub(crate) index: usize,
    pub(crate) upstream: Upstream,
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) arrivals: mpsc::Sender<Arrival>,
}

impl Follower {
    /// Connects, hands out what comes and connects again, until nobody takes it any more.
    pub(crate) async fn run(self) {
        // Ends where there is nobody.
        self.follow().await;
    }

    async fn follow(&self) -> Option<()> {
        let label = self.upstream.label();
        let mut trouble = Trouble {
            backoff: Backoff::new(self.config.retry_after_max),
            was_told: false,
        };
        // One that was silent, which may yet say something until there is another.
        let mut silent: Option<Subscription> = None;
        loop {
            let opened = Subscription::open_at(&self.upstream, &self.config).await;
            if let Some(silent) = silent.take() {
                self.empty(silent).await?;
            }
            let reason = match opened {
                Ok(mut subscription) => {
                    metrics::connected(&label);
                    if !trouble.was_told {
                        tracing::info!(upstream = %label, "payload attributes are followed");
                    }
                    let since = Instant::now();
                    let reason = self.pass_on(&mut subscription, &mut trouble).await?;
                    // It was no mere flicker.
                    if since.elapsed() >= self.config.retry_after_max {
                        trouble.backoff.reset();
                    }
                    silent = matches!(reason, Disconnect::Stale(_)).then_some(subscription);
                    reason
                }
                Err(reason) => reason,
            };
            metrics::disconnected(&label, reason.label());
            // Once, until something comes: a server that is away is tried twice a second.
            if !std::mem::replace(&mut trouble.was_told, true) {
                tracing::warn!(upstream = %label, %reason, "no payload attributes; trying again");
            }
            let index = self.index;
            self.arrivals.send(Arrival::Left { index }).await.ok()?;
            if silent.is_none() {
                tokio::time::sleep(trouble.backoff.delay()).await;
            }
        }
    }

    /// Hands out what comes until the connection ends; `None` where nobody takes it any more.
    async fn pass_on(
        &self,
        subscription: &mut Subscription,
        trouble: &mut Trouble,
    ) -> Option<Disconnect> {
        loop {
            match subscription.next().await {
                Ok(event) => {
                    trouble.backoff.reset();
                    if std::mem::take(&mut trouble.was_told) {
                        let label = self.upstream.label();
                        tracing::info!(upstream = %label, "payload attributes come again");
                    }
                    self.hand_out(event).await?;
                }
                Err(reason) => return Some(reason),
            }
        }
    }

    /// Hands out what came by a connection that is to be given up; `None` as above.
    async fn empty(&self, mut silent: Subscription) -> Option<()> {
        while let Ok(Ok(event)) = timeout(LAST_WORDS, silent.next()).await {
            self.hand_out(event).await?;
        }
        Some(())
    }

    async fn hand_out(&self, event: Result<AttributesEvent, EventError>) -> Option<()> {
        let at = Instant::now();
        match event {
            Ok(event) => {
                let arrival = Arrival::Event {
                    index: self.index,
                    event: Arc::new(event),
                    at,
                };
                self.arrivals.send(arrival).await.ok()
            }
            Err(error) => {
                let label = self.upstream.label();
                metrics::event(&label, "unreadable");
                tracing::warn!(upstream = %label, %error, "payload attributes cannot be read");
                Some(())
            }
        }
    }
}
