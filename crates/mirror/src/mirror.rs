//! The service: upstreams in, one stream out.

use std::future::Future;
use std::time::{Duration, Instant};

use blockwright_stream::{RelayPublisher, RelayedFrame};
use blockwright_subscribe::{Event, Received, Subscriber, SubscriberConfig};
use futures_util::stream::{self, SelectAll, Stream, StreamExt as _};
use tokio::task::JoinSet;

use crate::metrics::{self, UpstreamMetrics};
use crate::{FrameCopy, Merge, MergeConfig, MirrorError, Output, Verdict};

/// Bytes of frames that may wait for others.
const HELD_BYTES_MAX: usize = 64 << 20;

/// What is mirrored.
#[derive(Clone, Debug)]
pub struct MirrorConfig {
    /// The upstreams, all of the same builder's stream in the same form.
    pub upstreams: Vec<SubscriberConfig>,
    /// How long a payload that may be incomplete can stand still before a later one replaces it.
    pub hold: Duration,
}

/// A mirror to be run.
pub struct Mirror {
    subscribers: Vec<Subscriber>,
    events: SelectAll<stream::BoxStream<'static, (usize, Event)>>,
    upstreams: Vec<Upstream>,
    merge: Merge,
    relay: RelayPublisher,
    zero: Instant,
}

struct Upstream {
    name: String,
    metrics: UpstreamMetrics,
}

impl Mirror {
    /// A mirror that sends through `relay`.
    ///
    /// # Errors
    /// [`MirrorError`] where there is no upstream, or one's settings cannot be used.
    pub fn new(config: MirrorConfig, relay: RelayPublisher) -> Result<Self, MirrorError> {
        if config.upstreams.is_empty() {
            return Err(MirrorError::NoUpstream);
        }
        metrics::describe();
        let merge = Merge::new(MergeConfig {
            upstreams: config.upstreams.len(),
            hold_us: micros(config.hold),
            held_bytes_max: HELD_BYTES_MAX,
        });
        let mut mirror = Self {
            subscribers: Vec::new(),
            events: SelectAll::new(),
            upstreams: Vec::new(),
            merge,
            relay,
            zero: Instant::now(),
        };
        for (place, upstream) in config.upstreams.into_iter().enumerate() {
            mirror.add(place, upstream)?;
        }
        Ok(mirror)
    }

    fn add(&mut self, place: usize, config: SubscriberConfig) -> Result<(), MirrorError> {
        let name = config
            .urls
            .first()
            .map_or_else(String::new, ToString::to_string);
        let upstream = Subscriber::new(config).map_err(|source| MirrorError::Upstream {
            number: place + 1,
            source,
        });
        let (subscriber, events) = upstream?;
        self.subscribers.push(subscriber);
        self.events.push(numbered(place, events).boxed());
        self.upstreams.push(Upstream {
            metrics: UpstreamMetrics::new(&name),
            name,
        });
        Ok(())
    }

    /// Mirrors until `shutdown` is ready.
    pub async fn run_until(mut self, shutdown: impl Future<Output = ()> + Send) {
        let mut running = JoinSet::new();
        for subscriber in self.subscribers.drain(..) {
            running.spawn(subscriber.run());
        }
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                () = self.step() => {}
            }
        }
    }

    /// Waits for an event of an upstream or for the time, and deals with it.
    async fn step(&mut self) {
        let due = self.merge.due_us();
        let due = due.map(|due_us| self.zero + Duration::from_micros(due_us));
        let mut out = Vec::new();
        tokio::select! {
            // Subscribers end only with the mirror.
            Some((place, event)) = self.events.next() => self.event(place, event, &mut out),
            () = until(due) => self.merge.tick(self.now_us(), &mut out),
        }
        self.send(out);
    }

    fn event(&mut self, place: usize, event: Event, out: &mut Vec<Output>) {
        let Some(upstream) = self.upstreams.get(place) else {
            return;
        };
        upstream.metrics.event(&event);
        let name = upstream.name.as_str();
        match event {
            Event::Frame(received) => self.frame(place, received, out),
            Event::Connected { is_resumed, .. } => {
                tracing::info!(upstream = name, resumed = is_resumed, "upstream connected");
                self.merge.connected(place);
            }
            Event::Gap(gap) => {
                tracing::warn!(
                    upstream = name,
                    ?gap,
                    "upstream may have missed flashblocks"
                );
                self.merge.broken(place);
            }
            Event::Unreadable {
                cause, size_bytes, ..
            } => tracing::warn!(upstream = name, size_bytes, %cause, "frame dropped"),
            Event::Stalled { silent } => {
                let silent_ms = silent.as_millis() as u64;
                tracing::warn!(upstream = name, silent_ms, "upstream stalled");
                self.merge.silent(place, self.now_us(), out);
            }
            Event::Disconnected { reason, retry_in } => {
                let retry_ms = retry_in.as_millis() as u64;
                tracing::warn!(upstream = name, %reason, retry_ms, "upstream disconnected");
                self.merge.silent(place, self.now_us(), out);
            }
        }
    }

    fn frame(&mut self, place: usize, received: Received, out: &mut Vec<Output>) {
        let header = received.header;
        let at = received.at.saturating_duration_since(self.zero);
        let copy = FrameCopy {
            upstream: place,
            header,
            frame: received.frame,
            at_us: micros(at),
        };
        let verdict = self.merge.take(copy, out);
        let upstream = &self.upstreams[place];
        upstream.metrics.frame(verdict);
        let (payload_id, index) = (header.payload_id, header.index);
        if verdict == Verdict::Equivocation {
            tracing::warn!(
                upstream = upstream.name,
                %payload_id,
                index,
                "upstream contradicts another: two contents for one flashblock"
            );
        }
        tracing::trace!(upstream = upstream.name, %payload_id, index, ?verdict, "frame");
    }

    fn send(&mut self, out: Vec<Output>) {
        for output in out {
            let merged = match output {
                Output::Frame(merged) => merged,
                Output::Lost => {
                    metrics::lost();
                    tracing::warn!("a payload is incomplete: no upstream has all of it");
                    self.relay.gap();
                    continue;
                }
            };
            let (payload_id, index) = (merged.payload_id, merged.index);
            let (block_number, upstream) = (merged.block_number, merged.upstream);
            let sent = self.relay.publish(RelayedFrame {
                payload_id,
                block_number,
                index,
                frame: merged.frame,
            });
            match sent {
                Ok(()) => {
                    let upstream = self.upstreams[upstream].name.as_str();
                    tracing::info!(%payload_id, block_number, index, upstream, "flashblock mirrored");
                }
                Err(error) => tracing::warn!(%error, "flashblock not mirrored"),
            }
        }
    }

    fn now_us(&self) -> u64 {
        micros(self.zero.elapsed())
    }
}

/// The events of an upstream with its number.
fn numbered(
    place: usize,
    mut events: tokio::sync::mpsc::Receiver<Event>,
) -> impl Stream<Item = (usize, Event)> + Send {
    stream::poll_fn(move |context| events.poll_recv(context)).map(move |event| (place, event))
}

/// Ready at `due`; never without.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
