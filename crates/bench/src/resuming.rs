//! A subscriber that is cut off again and again, and resumes.

mod relay;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::thread::JoinHandle;
use std::time::Duration;

use blockwright_subscribe::{Event, Received, StreamUrl, Subscriber, SubscriberConfig};
use tokio::sync::{mpsc, watch};

use crate::BenchError;
use relay::Relay;

/// A flashblock as the resuming subscriber had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenFrame {
    /// Payload id as a big-endian number.
    pub payload_id: u64,
    /// Index in the payload.
    pub index: u64,
    /// Digest of the frame's bytes.
    pub digest: u64,
}

/// What a subscriber that was cut off again and again saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumingRecord {
    /// Its flashblocks in order.
    pub frames: Vec<SeenFrame>,
    /// Connections that it had.
    pub connections: u64,
    /// Times that it could not be sure to have missed nothing.
    pub gaps: u64,
}

/// The subscriber, on a thread of its own.
#[derive(Debug)]
pub(crate) struct Resuming {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<ResumingRecord>>,
}

/// What a frame is compared by.
pub(crate) fn digest(frame: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    frame.hash(&mut hasher);
    hasher.finish()
}

impl Resuming {
    /// Subscribes to `url` through a relay that cuts the connection after every `cut_every`; nothing
    /// where that is zero.
    pub(crate) async fn start(url: &str, cut_every: Duration) -> Result<Self, BenchError> {
        let (stop, stopped) = watch::channel(false);
        if cut_every.is_zero() {
            return Ok(Self { stop, thread: None });
        }
        let failed = |cause: String| BenchError::Stream {
            url: url.to_owned(),
            cause,
        };
        let (relay, relayed) = Relay::bind(url).await?;
        let address: StreamUrl = relayed
            .parse()
            .map_err(|error| failed(format!("{error}")))?;
        let mut config = SubscriberConfig::new(address);
        // The server is there: what ends the connection is the relay.
        config.pauses = (Duration::from_millis(10), Duration::from_millis(100));
        let (subscriber, events) =
            Subscriber::new(config).map_err(|error| failed(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let thread = std::thread::Builder::new()
            .name("bench-resuming".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let subscription = tokio::spawn(subscriber.run());
                    let cutting = tokio::spawn(relay.run(cut_every));
                    let record = listen(events, stopped).await;
                    subscription.abort();
                    cutting.abort();
                    record
                })
            })
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Ends it; what it saw, where there was one.
    pub(crate) fn finish(self) -> Option<ResumingRecord> {
        let _ = self.stop.send(true);
        self.thread.map(|thread| thread.join().unwrap_or_default())
    }
}

async fn listen(
    mut events: mpsc::Receiver<Event>,
    mut stopped: watch::Receiver<bool>,
) -> ResumingRecord {
    let mut record = ResumingRecord::default();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = stopped.wait_for(|stopped| *stopped) => None,
        };
        match event {
            None => return record,
            Some(Event::Connected { .. }) => record.connections += 1,
            Some(Event::Gap(_)) => record.gaps += 1,
            Some(Event::Frame(Received { header, frame, .. })) => record.frames.push(SeenFrame {
                payload_id: u64::from_be_bytes(header.payload_id.0.0),
                index: header.index,
                digest: digest(&frame),
            }),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
