//! Follows upstreams and has the newest event built.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use blockwright_trust::TlsTrust;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::driver::Driver;
use crate::follower::Follower;
use crate::selection::Selection;
use crate::url::Upstream;
use crate::{AttributesError, AttributesUrl, BuildTarget, metrics};

/// Events that may wait for the driver, which takes them at once; an upstream waits where it is full.
const ARRIVALS_MAX: usize = 16;

/// Settings of a client.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The streams.
    pub urls: Vec<AttributesUrl>,
    /// Whom `https://` servers are checked against; without it the system's certificate authorities.
    pub trust: Option<TlsTrust>,
    /// How long a connection and its answer may take.
    pub connect_timeout: Duration,
    /// A connection by which nothing comes for so long is given up for a new one.
    pub stale_after: Duration,
    /// Longest pause before another attempt; the first one is 50 ms.
    pub retry_after_max: Duration,
    /// Longest event.
    pub event_bytes_max: usize,
}

impl ClientConfig {
    /// The default settings, for these streams.
    pub const fn new(urls: Vec<AttributesUrl>) -> Self {
        Self {
            urls,
            trust: None,
            connect_timeout: Duration::from_secs(2),
            stale_after: Duration::from_secs(10),
            retry_after_max: Duration::from_millis(500),
            event_bytes_max: 32 << 20,
        }
    }
}

/// Follows streams of attributes for a [`BuildTarget`].
pub struct AttributesClient {
    config: ClientConfig,
    upstreams: Vec<Upstream>,
    target: Arc<dyn BuildTarget>,
}

impl AttributesClient {
    /// A client; it connects once [`Self::run_until`] is polled.
    ///
    /// # Errors
    /// [`AttributesError::Url`], [`AttributesError::Twice`] and [`AttributesError::Trust`].
    pub fn new(
        mut config: ClientConfig,
        target: Arc<dyn BuildTarget>,
    ) -> Result<Self, AttributesError> {
        metrics::describe();
        let mut upstreams: Vec<Upstream> = Vec::new();
        for url in &config.urls {
            let upstream = url.parse()?;
            if upstreams.contains(&upstream) {
                return Err(AttributesError::Twice(upstream.label()));
            }
            upstreams.push(upstream);
        }
        if config.trust.is_none() && upstreams.iter().any(|upstream| upstream.is_tls) {
            config.trust = Some(TlsTrust::load(None)?);
        }
        Ok(Self {
            config,
            upstreams,
            target,
        })
    }

    /// Follows all streams until `shutdown` is ready.
    pub async fn run_until(self, shutdown: impl Future<Output = ()> + Send) {
        let (sender, arrivals) = mpsc::channel(ARRIVALS_MAX);
        let config = Arc::new(self.config);
        let labels: Vec<String> = self.upstreams.iter().map(Upstream::label).collect();
        metrics::begin(labels.iter().map(String::as_str));
        let driver = Driver {
            arrivals,
            target: self.target,
            labels,
            selection: Selection::default(),
        };
        // Dropped at the end, and with it all connections.
        let mut following = JoinSet::new();
        for (index, upstream) in self.upstreams.into_iter().enumerate() {
            let follower = Follower {
                index,
                upstream,
                config: Arc::clone(&config),
                arrivals: sender.clone(),
            };
            following.spawn(follower.run());
        }
        drop(sender);
        tokio::select! {
            () = shutdown => {}
            () = driver.run() => {}
        }
    }
}
