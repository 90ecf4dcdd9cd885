//! Following somebody else's flashblocks, wired.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use blockwright_engine::{Engine, Preconfirmed};
use blockwright_flashblocks::{Form, MetadataDetail};
use blockwright_follow::{FollowDeps, Handover, ReplicaDeps, Sources, start_following};
use blockwright_pending::PendingFeed;
use blockwright_pool::Pool;
use blockwright_subscribe::{
    Event, StreamKey, StreamUrl, SubscribeError, Subscriber, SubscriberConfig,
};
use blockwright_trust::TlsTrust;
use tokio::sync::mpsc;

use crate::LaunchError;
use crate::error::{failed, flag};

const URL: &str = "--flashblocks.url";
const KEY: &str = "--flashblocks.url-key";
const CA: &str = "--flashblocks.url-ca";

/// Largest frame taken: whoever sends larger ones is not followed, and a few of them fit in memory.
const FRAME_BYTES_MAX: usize = 64 << 20;
/// Events that may wait for the thread that executes.
const EVENTS_MAX: usize = 8;

/// Whose flashblocks are followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FollowSettings {
    /// URLs of servers of one and the same stream; none for a node that follows nobody. One is used at
    /// a time, the next one when it fails or stalls.
    pub urls: Vec<String>,
    /// The key that they ask for.
    pub key: Option<StreamKey>,
    /// PEM file of further certificate authorities for `wss://`.
    pub ca: Option<PathBuf>,
}

/// A stream to follow, or none; not yet followed.
pub(crate) struct Following(Option<Stream>);

struct Stream {
    subscriber: Subscriber,
    events: mpsc::Receiver<Event>,
    handover: Handover,
}

impl Following {
    /// Checks the settings.
    pub(crate) fn open(settings: &FollowSettings) -> Result<Self, LaunchError> {
        if settings.urls.is_empty() {
            let unused = [(KEY, settings.key.is_some()), (CA, settings.ca.is_some())];
            return match unused.into_iter().find(|(_, is_given)| *is_given) {
                Some((name, _)) => Err(flag(name, &"there is no --flashblocks.url that it is for")),
                None => Ok(Self(None)),
            };
        }
        let config = config(settings)?;
        let (subscriber, events) = Subscriber::new(config).map_err(|error| refused(&error))?;
        blockwright_follow::describe_metrics();
        Ok(Self(Some(Stream {
            subscriber,
            events,
            handover: Handover::default(),
        })))
    }

    /// Whether there is one.
    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// What newPayload asks for blocks that were followed.
    pub(crate) fn preconfirmed(&self) -> Option<Arc<dyn Preconfirmed>> {
        let stream = self.0.as_ref()?;
        Some(Arc::new(stream.handover.clone()))
    }

    /// Begins to follow; the future does so until `stop` resolves.
    pub(crate) fn start(
        self,
        engine: &Engine,
        pool: &Pool,
        feed: PendingFeed,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<impl Future<Output = ()> + Send + 'static, LaunchError> {
        let started = self.0.map(|stream| stream.start(engine, pool, feed));
        let started = started.transpose()?;
        Ok(async move {
            let Some((subscriber, thread)) = started else {
                return stop.await;
            };
            tokio::select! {
                () = subscriber.run() => {}
                () = stop => {}
            }
            // It ends with the subscription, after the flashblock it is at.
            let joined = tokio::task::spawn_blocking(move || thread.join().is_ok()).await;
            if !matches!(joined, Ok(true)) {
                tracing::error!("the follower did not end cleanly");
            }
        })
    }
}

impl Stream {
    fn start(
        self,
        engine: &Engine,
        pool: &Pool,
        feed: PendingFeed,
    ) -> Result<(Subscriber, JoinHandle<()>), LaunchError> {
        let deps = FollowDeps {
            replica: ReplicaDeps {
                chain: Arc::clone(engine.chain()),
                store: engine.store().clone(),
                handover: self.handover,
            },
            pool: pool.clone(),
            feed,
        };
        let sources = Sources {
            events: self.events,
            heads: engine.heads().head(),
        };
        let thread = start_following(deps, sources);
        let thread = thread.map_err(|error| failed("follower", error))?;
        Ok((self.subscriber, thread))
    }
}

fn config(settings: &FollowSettings) -> Result<SubscriberConfig, LaunchError> {
    let urls = settings.urls.iter().map(|url| url.parse::<StreamUrl>());
    let urls = urls.collect::<Result<Vec<_>, _>>();
    let urls = urls.map_err(|error| flag(URL, &error))?;
    if let Some(url) = urls.iter().find(|url| url.asks("dialect")) {
        let reason =
            format!("{url}: `dialect=` does not belong in the URL: v1 is what is followed");
        return Err(flag(URL, &reason));
    }
    let trust = settings.ca.as_deref();
    let trust = trust.map(|path| TlsTrust::load(Some(path))).transpose();
    let trust = trust.map_err(|error| flag(CA, &error))?;
    // Receipts and balances come out of the execution.
    let is_asked = urls.iter().any(|url| url.asks("metadata"));
    let detail = if is_asked {
        MetadataDetail::Full
    } else {
        MetadataDetail::Minimal
    };
    let first = urls.first().cloned();
    let first = first.ok_or_else(|| flag(URL, &SubscribeError::NoUrl))?;
    Ok(SubscriberConfig {
        urls,
        key: settings.key.clone(),
        trust,
        form: Form::V1(detail),
        frame_bytes_max: FRAME_BYTES_MAX,
        queue: EVENTS_MAX,
        ..SubscriberConfig::new(first)
    })
}

fn refused(error: &SubscribeError) -> LaunchError {
    let at_fault = match error {
        SubscribeError::Key => KEY,
        SubscribeError::Certificates(_) => CA,
        SubscribeError::NoUrl | SubscribeError::Url { .. } | SubscribeError::Zero(_) => URL,
    };
    flag(at_fault, error)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn settings(urls: &[&str], key: Option<&str>, ca: Option<&str>) -> FollowSettings {
        FollowSettings {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            key: key.map(StreamKey::new),
            ca: ca.map(PathBuf::from),
        }
    }

    fn refusal(settings: &FollowSettings) -> String {
        Following::open(settings).err().unwrap().to_string()
    }

    #[test]
    fn nothing_is_followed_unless_a_stream_is_named() {
        assert!(!Following::open(&FollowSettings::default()).unwrap().is_on());
        let urls = ["ws://127.0.0.1:1111", "ws://127.0.0.1:1112/?metadata=full"];
        let settings = settings(&urls, Some("key"), None);
        let config = config(&settings).unwrap();
        assert_eq!((config.urls.len(), config.queue), (2, EVENTS_MAX));
        assert_eq!(
            config.form,
            Form::V1(MetadataDetail::Full),
            "as the URL says"
        );
        assert!(Following::open(&settings).unwrap().is_on());
    }

    #[test]
    fn what_cannot_be_followed_is_refused_by_the_flag() {
        let good = "ws://127.0.0.1:1111";
        let cases = [
            (
                settings(&["http://h"], None, None),
                "--flashblocks.url: http://h",
            ),
            (
                settings(&["ws://h?dialect=spec"], None, None),
                "--flashblocks.url: ws://h",
            ),
            (
                settings(&[good], Some("two words"), None),
                "--flashblocks.url-key: ",
            ),
            (
                settings(&[], Some("key"), None),
                "--flashblocks.url-key: there is no",
            ),
            (
                settings(&[good], None, Some("no-such.pem")),
                "--flashblocks.url-ca: certificate authorities in no-such.pem",
            ),
            (
                settings(&[], None, Some("ca.pem")),
                "--flashblocks.url-ca: there is no",
            ),
        ];
        for (settings, text) in cases {
            let said = refusal(&settings);
            assert!(said.starts_with(text), "{said}");
            assert!(!said.contains("two words"), "{said}");
        }
    }
}
