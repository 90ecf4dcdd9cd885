//! Connections to a stream, one after the other.

use std::time::{Duration, Instant};

use blockwright_trust::TlsTrust;
use tokio::sync::mpsc;

use crate::backoff::Backoff;
use crate::connect::open;
use crate::connection::Connection;
use crate::taken::Taken;
use crate::watchdog::Watchdog;
use crate::{
    Disconnect, Event, Gap, Jitter, RandomJitter, StreamUrl, SubscribeError, SubscriberConfig,
};

/// A stream that is connected to again whenever it breaks. See the crate's documentation.
#[derive(Debug)]
pub struct Subscriber {
    config: SubscriberConfig,
    events: mpsc::Sender<Event>,
    taken: Taken,
    watchdog: Watchdog,
    backoff: Backoff,
    /// Which URL is used.
    current: usize,
}

impl Subscriber {
    /// A subscriber to be run, and what it tells.
    ///
    /// # Errors
    /// [`SubscribeError`] where the settings cannot be used.
    pub fn new(
        mut config: SubscriberConfig,
    ) -> Result<(Self, mpsc::Receiver<Event>), SubscribeError> {
        config.validate()?;
        if config.trust.is_none() && config.urls.iter().any(StreamUrl::is_tls) {
            config.trust = Some(TlsTrust::load(None)?);
        }
        let (events, receiver) = mpsc::channel(config.queue);
        let (first, last) = config.pauses;
        let subscriber = Self {
            watchdog: Watchdog::new(config.interval, Instant::now()),
            config,
            events,
            taken: Taken::default(),
            backoff: Backoff::new(first, last, Box::new(RandomJitter)),
            current: 0,
        };
        Ok((subscriber, receiver))
    }

    /// Replaces the random part of pauses.
    #[must_use]
    pub fn with_jitter(mut self, jitter: Box<dyn Jitter>) -> Self {
        let (first, last) = self.config.pauses;
        self.backoff = Backoff::new(first, last, jitter);
        self
    }

    /// Runs until the receiver of its events is gone.
    pub async fn run(mut self) {
        let events = self.events.clone();
        tokio::select! {
            () = self.connect_for_ever() => {}
            () = events.closed() => {}
        }
    }

    async fn connect_for_ever(&mut self) {
        while self.turn().await.is_some() {}
    }

    /// One connection and the pause behind it; `None` where nobody listens any more.
    async fn turn(&mut self) -> Option<()> {
        let (reason, new_frames) = self.one_connection().await;
        if new_frames > 0 {
            self.backoff.reset();
        }
        if reason == Disconnect::NotHeld {
            // The same server has something else to offer at once.
            self.taken.forget_place();
            return self.events.send(Event::Gap(Gap::NotHeld)).await.ok();
        }
        self.current = (self.current + 1) % self.config.urls.len();
        // What is dead or stalled after it worked is tried at once: its silence was pause enough.
        let is_silence = matches!(reason, Disconnect::Dead | Disconnect::Stalled);
        let retry_in = if is_silence && new_frames > 0 {
            Duration::ZERO
        } else {
            self.backoff.pause()
        };
        let event = Event::Disconnected { reason, retry_in };
        self.events.send(event).await.ok()?;
        tokio::time::sleep(retry_in).await;
        Some(())
    }

    async fn one_connection(&mut self) -> (Disconnect, u64) {
        let url = &self.config.urls[self.current];
        let place = self.taken.place();
        let opened = match open(&self.config, url, place).await {
            Ok(opened) => opened,
            Err(reason) => return (reason, 0),
        };
        self.taken.connected(opened.is_resumed);
        self.watchdog.connected(Instant::now());
        let event = Event::Connected {
            url: url.to_string(),
            is_resumed: opened.is_resumed,
        };
        if self.events.send(event).await.is_err() {
            return (Disconnect::Broken("nobody listens any more".to_owned()), 0);
        }
        let mut connection = Connection {
            config: &self.config,
            events: &self.events,
            taken: &mut self.taken,
            watchdog: &mut self.watchdog,
            socket: opened.socket,
            new_frames: 0,
        };
        let reason = Box::pin(connection.run()).await;
        (reason, connection.new_frames)
    }
}
