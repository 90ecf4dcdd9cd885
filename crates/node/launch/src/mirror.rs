//! A mirror of flashblock streams: its parts, wired.

use std::path::PathBuf;
use std::time::Duration;

use blockwright_flashblocks::Form;
use blockwright_mirror::{Health, Mirror, MirrorConfig, MirrorError};
use blockwright_outlets::{Listen, StreamSettings, ended};
use blockwright_subscribe::{StreamKey, StreamUrl, SubscribeError, SubscriberConfig};
use blockwright_trust::TlsTrust;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::flag;
use crate::{LaunchError, endpoints, metrics_server};

const UPSTREAM: &str = "--upstream";
const UPSTREAM_KEY: &str = "--mirror.upstream-key";
const UPSTREAM_CA: &str = "--mirror.upstream-ca";

/// What a query string may not say, because all upstreams have to send one form.
const FORM_PARAMETERS: [&str; 3] = ["dialect", "metadata", "encoding"];

/// Intervals for which a payload that may be incomplete can stand still, and the time where the
/// interval is not known.
const HOLD_INTERVALS: u32 = 2;
const HOLD_UNKNOWN: Duration = Duration::from_millis(500);

/// What a mirror is told to do.
#[derive(Clone, Debug)]
pub struct MirrorSettings {
    /// Where subscribers connect.
    pub flashblocks: Listen,
    /// Prometheus metrics and health.
    pub metrics: Listen,
    /// Where to write what is really listening.
    pub endpoints: Option<PathBuf>,
    /// What subscribers may do. What frames say is the upstreams' affair.
    pub stream: StreamSettings,
    /// URLs of the upstreams.
    pub upstreams: Vec<String>,
    /// Keys that they ask for: none, one for all, or one for each.
    pub upstream_keys: Vec<StreamKey>,
    /// PEM file of further certificate authorities for `wss://`.
    pub upstream_ca: Option<PathBuf>,
    /// The form that is asked for and sent on.
    pub form: Form,
    /// The compression asked of upstreams, `brotli` or `zstd`.
    pub encoding: Option<&'static str>,
    /// Time between flashblocks; `None` takes what it sees.
    pub interval: Option<Duration>,
    /// Largest frame taken, in bytes.
    pub frame_bytes_max: usize,
}

/// Addresses of a running mirror.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MirrorEndpoints {
    /// Flashblock stream.
    pub flashblocks: String,
    /// Prometheus metrics.
    pub metrics: String,
}

/// A mirror that listens. Ends with [`RunningMirror::stop`], or abruptly when dropped.
#[derive(Debug)]
pub struct RunningMirror {
    endpoints: MirrorEndpoints,
    shutdown: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts a mirror.
///
/// # Errors
/// [`LaunchError`] naming the flag at fault.
pub async fn start_mirror(settings: MirrorSettings) -> Result<RunningMirror, LaunchError> {
    let recorder = metrics_server::recorder()?;
    let upstreams = upstreams(&settings)?;
    let (shutdown, stopped) = watch::channel(false);
    let (server, relay) = settings
        .stream
        .bind_relay(settings.flashblocks.socket(), settings.form)
        .await?;
    let scheme = if settings.stream.is_tls() {
        "wss"
    } else {
        "ws"
    };
    let flashblocks = format!("{scheme}://{}", server.local_addr());
    let hold = settings
        .interval
        .map_or(HOLD_UNKNOWN, |interval| interval * HOLD_INTERVALS);
    let mirror =
        Mirror::new(MirrorConfig { upstreams, hold }, relay).map_err(|error| refused(&error))?;
    let health = mirror.health();
    let health = move || match *health.borrow() {
        Health::Live => Ok("ok\n".to_owned()),
        ailing => Err(ailing.to_string()),
    };
    let (metrics, serve_metrics) =
        metrics_server::bind(settings.metrics, recorder, health, ended(stopped.clone())).await?;
    let tasks = vec![
        tokio::spawn(serve_metrics),
        tokio::spawn(server.run_until(ended(stopped.clone()))),
        tokio::spawn(mirror.run_until(ended(stopped))),
    ];
    let endpoints = MirrorEndpoints {
        flashblocks,
        metrics: format!("http://{metrics}/metrics"),
    };
    if let Some(file) = &settings.endpoints {
        endpoints::write(&endpoints, file)?;
    }
    let MirrorEndpoints {
        flashblocks,
        metrics,
    } = &endpoints;
    tracing::info!(%flashblocks, %metrics, upstreams = settings.upstreams.len(), "ready");
    Ok(RunningMirror {
        endpoints,
        shutdown,
        tasks,
    })
}

impl RunningMirror {
    /// What really listens.
    pub const fn endpoints(&self) -> &MirrorEndpoints {
        &self.endpoints
    }

    /// Closes all connections.
    pub async fn stop(self) {
        self.shutdown.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the mirror did not end cleanly");
            }
        }
        tracing::info!("stopped");
    }
}

fn upstreams(settings: &MirrorSettings) -> Result<Vec<SubscriberConfig>, LaunchError> {
    let urls = settings
        .upstreams
        .iter()
        .map(|url| url.parse::<StreamUrl>());
    let urls = urls.collect::<Result<Vec<_>, _>>();
    let urls = urls.map_err(|error| flag(UPSTREAM, &error))?;
    for url in &urls {
        if let Some(name) = FORM_PARAMETERS.iter().find(|name| url.asks(name)) {
            let reason = format!(
                "{url}: `{name}=` does not belong in the URL: --mirror.{name} asks it of every upstream"
            );
            return Err(flag(UPSTREAM, &reason));
        }
    }
    let keys = &settings.upstream_keys;
    if keys.len() > 1 && keys.len() != urls.len() {
        let reason = format!(
            "{} keys for {} upstreams: give none, one for all, or one for each",
            keys.len(),
            urls.len()
        );
        return Err(flag(UPSTREAM_KEY, &reason));
    }
    let trust = settings.upstream_ca.as_deref();
    let trust = trust.map(|path| TlsTrust::load(Some(path))).transpose();
    let trust = trust.map_err(|error| flag(UPSTREAM_CA, &error))?;
    let upstream = |(place, url)| SubscriberConfig {
        key: keys.get(if keys.len() == 1 { 0 } else { place }).cloned(),
        trust: trust.clone(),
        form: settings.form,
        encoding: settings.encoding,
        interval: settings.interval,
        frame_bytes_max: settings.frame_bytes_max,
        ..SubscriberConfig::new(url)
    };
    Ok(urls.into_iter().enumerate().map(upstream).collect())
}

fn refused(error: &MirrorError) -> LaunchError {
    let at_fault = match error {
        MirrorError::NoUpstream => UPSTREAM,
        MirrorError::Upstream { source, .. } => match source {
            SubscribeError::Key => UPSTREAM_KEY,
            SubscribeError::Certificates(_) => UPSTREAM_CA,
            SubscribeError::Zero("frame_bytes_max") => "--mirror.frame-size",
            SubscribeError::Zero("interval") => "--mirror.interval",
            SubscribeError::NoUrl | SubscribeError::Url { .. } | SubscribeError::Zero(_) => {
                UPSTREAM
            }
        },
    };
    flag(at_fault, error)
}
