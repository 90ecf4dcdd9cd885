//! The service: upstreams in, one stream out.

use std::future::Future;
use std::time::{Duration, Instant};

use blockwright_stream::{RelayPublisher, RelayedFrame};
use blockwright_subscribe::{Disconnect, Event, Received, Subscriber, SubscriberConfig};
use blockwright_types::PayloadId;
use futures_util::stream::{self, SelectAll, Stream, StreamExt as _};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::health::Link;
use crate::metrics::{self, UpstreamMetrics};
use crate::quiet::Repeated;
use crate::{FrameCopy, Health, Loss, Merge, MergeConfig, Merged, MirrorError, Output, Verdict};

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
    /// The payload that runs as far as it was sent.
    running: Vec<RelayedFrame>,
    health: watch::Sender<Health>,
    zero: Instant,
}

struct Upstream {
    name: String,
    metrics: UpstreamMetrics,
    link: Link,
    unreadable: Repeated,
    /// How it refused the last connection, until one stands.
    refusal: Option<Disconnect>,
    /// The last payload of which it sent other contents than the first.
    different: Option<PayloadId>,
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
            running: Vec::new(),
            health: watch::Sender::new(Health::Unconnected),
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
            link: Link::Down,
            unreadable: Repeated::default(),
            refusal: None,
            different: None,
        });
        Ok(())
    }

    /// How its upstreams are, from now on.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
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
        let now_us = self.now_us();
        let Some(upstream) = self.upstreams.get_mut(place) else {
            return;
        };
        upstream.metrics.event(&event);
        upstream.log(&event);
        match event {
            Event::Frame(received) => {
                upstream.link = Link::Live;
                self.frame(place, received, out);
            }
            Event::Connected { .. } => {
                upstream.link = Link::Live;
                self.merge.connected(place);
            }
            Event::Gap(_) => self.merge.broken(place),
            Event::Unreadable { .. } => {}
            Event::Stalled { .. } => {
                upstream.link = Link::Stalled;
                self.merge.silent(place, now_us, out);
            }
            Event::Disconnected { .. } => {
                upstream.link = Link::Down;
                self.merge.silent(place, now_us, out);
            }
        }
        let health = Health::of(self.upstreams.iter().map(|upstream| upstream.link));
        self.health.send_if_modified(|known| {
            let is_news = *known != health;
            *known = health;
            is_news
        });
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
        let upstream = &mut self.upstreams[place];
        upstream.metrics.frame(verdict);
        let (payload_id, index) = (header.payload_id, header.index);
        if verdict == Verdict::Different
            && upstream.different.replace(payload_id) != Some(payload_id)
        {
            tracing::info!(
                upstream = upstream.name,
                %payload_id,
                index,
                "upstream sends other bytes than the first copy, which stands"
            );
        }
        tracing::trace!(upstream = upstream.name, %payload_id, index, ?verdict, "frame");
    }

    fn send(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Frame(merged) => self.relay(merged),
                Output::Lost(loss) => self.lost(loss),
            }
        }
    }

    fn relay(&mut self, merged: Merged) {
        let (payload_id, index) = (merged.payload_id, merged.index);
        let block_number = merged.block_number;
        let frame = RelayedFrame {
            payload_id,
            block_number,
            index,
            frame: merged.frame,
        };
        if index == 0 {
            self.running.clear();
        }
        self.running.push(frame.clone());
        match self.relay.publish(frame) {
            Ok(()) => {
                let upstream = self.upstreams[merged.upstream].name.as_str();
                tracing::info!(%payload_id, block_number, index, upstream, "flashblock mirrored");
            }
            Err(error) => tracing::warn!(%error, "flashblock not mirrored"),
        }
    }

    /// Closes subscribers. Where the running payload is not the one with the loss, they find it whole when
    /// they come back.
    fn lost(&mut self, loss: Loss) {
        metrics::lost();
        self.relay.gap();
        match loss {
            Loss::Hole { payload_id } => {
                tracing::warn!(%payload_id, "a payload is incomplete: no upstream has all of it");
            }
            Loss::CutOff {
                payload_id,
                by,
                continued_by,
            } => {
                let name = |place: usize| self.upstreams[place].name.as_str();
                let (by, continued_by) = (by.map(name), name(continued_by));
                tracing::warn!(
                    %payload_id,
                    by,
                    continued_by,
                    "a payload was cut off: an upstream had left it, another goes on with it"
                );
                for frame in &self.running {
                    if let Err(error) = self.relay.publish(frame.clone()) {
                        tracing::warn!(%error, "flashblock not mirrored");
                    }
                }
            }
        }
    }

    fn now_us(&self) -> u64 {
        micros(self.zero.elapsed())
    }
}

impl Upstream {
    /// Says what happened. What would be said of every frame or every attempt is said less often.
    fn log(&mut self, event: &Event) {
        let name = self.name.as_str();
        match event {
            Event::Frame(_) => {}
            Event::Connected { is_resumed, .. } => {
                self.refusal = None;
                tracing::info!(upstream = name, resumed = is_resumed, "upstream connected");
            }
            Event::Gap(gap) => {
                tracing::warn!(
                    upstream = name,
                    ?gap,
                    "upstream may have missed flashblocks"
                );
            }
            Event::Unreadable {
                cause, size_bytes, ..
            } => {
                if let Some(count) = self.unreadable.happened(Instant::now()) {
                    tracing::warn!(upstream = name, size_bytes, count, %cause, "frame dropped");
                }
            }
            Event::Stalled { silent } => {
                let silent_ms = silent.as_millis() as u64;
                tracing::warn!(upstream = name, silent_ms, "upstream stalled");
            }
            Event::Disconnected { reason, retry_in } => {
                let retry_ms = retry_in.as_millis() as u64;
                let is_refusal = matches!(reason, Disconnect::Refused { .. });
                if is_refusal && self.refusal.as_ref() == Some(reason) {
                    tracing::debug!(upstream = name, %reason, retry_ms, "upstream disconnected");
                    return;
                }
                self.refusal = is_refusal.then(|| reason.clone());
                tracing::warn!(upstream = name, %reason, retry_ms, "upstream disconnected");
            }
        }
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
