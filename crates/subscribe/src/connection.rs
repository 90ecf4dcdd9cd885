//! One connection, from its first message to its end.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use blockwright_flashblocks::Form;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::connect::Socket;
use crate::taken::{Offer, Taken};
use crate::unpack::{is_plain, unpack};
use crate::watchdog::{Alarm, Watchdog};
use crate::{Disconnect, Event, Received, SubscriberConfig, Unreadable, peek};

/// Close code of a connection that gave none.
const NO_CODE: u16 = 1005;

/// What outlives a connection, and the connection.
pub(crate) struct Connection<'a> {
    pub(crate) config: &'a SubscriberConfig,
    pub(crate) events: &'a mpsc::Sender<Event>,
    pub(crate) taken: &'a mut Taken,
    pub(crate) watchdog: &'a mut Watchdog,
    pub(crate) socket: Socket,
    /// Frames that were new.
    pub(crate) new_frames: u64,
}

impl Connection<'_> {
    /// Hands out what comes until the connection ends.
    pub(crate) async fn run(&mut self) -> Disconnect {
        loop {
            let due = self.watchdog.due();
            // What has come is looked at before the time is.
            let step = tokio::select! {
                biased;
                message = self.socket.next() => match message {
                    Some(Ok(message)) => self.message(message).await,
                    Some(Err(error)) => self.broken(&error).await,
                    None => Err(Disconnect::Broken("the server ended it".to_owned())),
                },
                () = tokio::time::sleep_until(due.into()) => self.alarm().await,
            };
            if let Err(reason) = step {
                return reason;
            }
        }
    }

    async fn message(&mut self, message: Message) -> Result<(), Disconnect> {
        let now = Instant::now();
        match message {
            Message::Text(text) => self.frame(text.into(), now, true).await,
            Message::Binary(bytes) => self.frame(bytes, now, false).await,
            // The library answers pings by itself when the socket is polled next.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                self.watchdog.heard(now);
                Ok(())
            }
            Message::Close(frame) => Err(closed(frame)),
        }
    }

    async fn frame(&mut self, bytes: Bytes, at: Instant, is_text: bool) -> Result<(), Disconnect> {
        let at_us = unix_us();
        let size_bytes = bytes.len();
        self.watchdog.heard(at);
        let read = match self.unpacked(bytes, is_text).await {
            Ok(frame) => peek(self.config.form, &frame).map(|header| (header, frame)),
            Err(cause) => Err(cause),
        };
        let (mut header, frame) = match read {
            Ok(read) => read,
            Err(cause) => {
                return self
                    .tell(Event::Unreadable {
                        received_us: at_us,
                        size_bytes,
                        cause,
                    })
                    .await;
            }
        };
        let offer = self.taken.offer(&mut header);
        self.watchdog.frame(at);
        let Offer::Take(gap) = offer else {
            return Ok(());
        };
        self.new_frames += 1;
        if let Some(gap) = gap {
            self.tell(Event::Gap(gap)).await?;
        }
        self.tell(Event::Frame(Received {
            at,
            at_us,
            header,
            frame,
        }))
        .await
    }

    async fn unpacked(&self, bytes: Bytes, is_text: bool) -> Result<Bytes, Unreadable> {
        if is_text || is_plain(self.config.form, &bytes) {
            return checked(self.config.form, bytes, is_text);
        }
        let max_bytes = self.config.frame_bytes_max;
        let form = self.config.form;
        let unpacking = tokio::task::spawn_blocking(move || {
            unpack(&bytes, max_bytes).and_then(|plain| checked(form, plain, false))
        });
        unpacking
            .await
            .unwrap_or_else(|error| Err(Unreadable::Packed(error.to_string())))
    }

    /// Waits for room: while there is none nothing is read, and the silence is not the server's.
    async fn tell(&mut self, event: Event) -> Result<(), Disconnect> {
        match self.events.try_send(event) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(nobody()),
            Err(mpsc::error::TrySendError::Full(event)) => {
                self.events.send(event).await.map_err(|_| nobody())?;
                self.watchdog.excuse(Instant::now());
                Ok(())
            }
        }
    }

    /// A message over the limit is said to be one; the library cannot go on behind it.
    async fn broken(&mut self, error: &Error) -> Result<(), Disconnect> {
        if matches!(error, Error::Capacity(_)) {
            let max_bytes = self.config.frame_bytes_max;
            self.tell(Event::Unreadable {
                received_us: unix_us(),
                size_bytes: max_bytes,
                cause: Unreadable::TooLarge { max_bytes },
            })
            .await?;
        }
        Err(Disconnect::Broken(error.to_string()))
    }

    async fn alarm(&mut self) -> Result<(), Disconnect> {
        let now = Instant::now();
        match self.watchdog.check(now) {
            None => Ok(()),
            Some(Alarm::Ping) => {
                self.watchdog.pinged(now);
                let ping = Message::Ping(Bytes::new());
                let sent = self.socket.send(ping).await;
                sent.map_err(|error| Disconnect::Broken(error.to_string()))
            }
            Some(Alarm::Stalled { silent }) => {
                self.tell(Event::Stalled { silent }).await?;
                // Where there is another server of the stream, it is asked at once.
                if self.config.urls.len() > 1 {
                    return Err(Disconnect::Stalled);
                }
                Ok(())
            }
            Some(Alarm::Dead) => Err(Disconnect::Dead),
            Some(Alarm::GiveUp) => Err(Disconnect::Stalled),
        }
    }
}

/// JSON that came as text is UTF-8; what came otherwise has to be looked at.
fn checked(form: Form, frame: Bytes, is_text: bool) -> Result<Bytes, Unreadable> {
    if form.is_text() && !is_text {
        let text = core::str::from_utf8(&frame);
        text.map_err(|error| Unreadable::Json(error.to_string()))?;
    }
    Ok(frame)
}

fn nobody() -> Disconnect {
    Disconnect::Broken("nobody listens any more".to_owned())
}

fn closed(frame: Option<CloseFrame>) -> Disconnect {
    let (code, reason) = frame.map_or((NO_CODE, String::new()), |frame| {
        (frame.code.into(), frame.reason.as_str().to_owned())
    });
    Disconnect::Closed { code, reason }
}

fn unix_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    })
}
