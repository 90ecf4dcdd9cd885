//! One subscriber, from handshake to close.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use blockwright_listen::Slots;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use crate::admission::{Admission, Guest};
use crate::close::CloseCause;
use crate::feed::Feed;
use crate::frame::Frame;
use crate::handshakes::Handshake;
use crate::hub::Hub;
use crate::key_slots::KeySlots;
use crate::makers::Makers;
use crate::metrics::{self, Subscribed};
use crate::notices::Notices;
use crate::outgoing::Outgoing;
use crate::refusal::refuse_plain_http;
use crate::served::Served;
use crate::{ApiKey, StreamLimits};

/// What all subscribers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) hub: Arc<Hub>,
    /// Not on a relay: it is not told how payloads end.
    pub(crate) notices: Option<Arc<Notices>>,
    pub(crate) served: Served,
    pub(crate) limits: StreamLimits,
    pub(crate) makers: Makers,
    pub(crate) api_keys: Vec<ApiKey>,
    pub(crate) slots: Slots,
    pub(crate) key_slots: KeySlots,
}

/// A connection that was accepted.
pub(crate) struct Arrival {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) handshake: Handshake,
}

/// Serves one accepted connection until it ends.
pub(crate) async fn serve(
    arrival: Arrival,
    shared: Arc<Shared>,
    mut shutdown: watch::Receiver<bool>,
) {
    let Arrival {
        mut stream,
        peer,
        tls,
        handshake,
    } = arrival;
    let visit = Visit {
        shared: &shared,
        peer: peer.ip(),
        handshake,
        deadline: Instant::now() + shared.limits.handshake_timeout,
    };
    let Some(tls) = tls else {
        return visit.serve_over(&mut stream, shutdown).await;
    };
    let opened = tokio::select! {
        opened = timeout_at(visit.deadline, tls.accept(stream)) => opened,
        () = stopped(&mut shutdown) => return,
    };
    match opened {
        Ok(Ok(mut stream)) => Box::pin(visit.serve_over(&mut stream, shutdown)).await,
        Ok(Err(_)) => metrics::refused("handshake"),
        Err(_) => metrics::refused("handshake_timeout"),
    }
}

/// A connection that has yet to become a subscriber; one deadline is for all of its handshakes.
struct Visit<'a> {
    shared: &'a Shared,
    peer: IpAddr,
    handshake: Handshake,
    deadline: Instant,
}

impl Visit<'_> {
    async fn serve_over<S: AsyncRead + AsyncWrite + Unpin>(
        mut self,
        stream: &mut S,
        mut shutdown: watch::Receiver<bool>,
    ) {
        let shared = self.shared;
        let mut guest = None;
        let admission = Admission {
            shared,
            peer: self.peer,
            guest: &mut guest,
        };
        let config = Some(socket(&shared.limits));
        let upgrading =
            tokio_tungstenite::accept_hdr_async_with_config(&mut *stream, admission, config);
        let upgraded = tokio::select! {
            upgraded = timeout_at(self.deadline, upgrading) => upgraded,
            () = self.handshake.given_up() => return metrics::refused("handshake_given_up"),
            () = stopped(&mut shutdown) => return,
        };
        drop(self.handshake);
        let socket = match upgraded {
            Ok(Ok(socket)) => socket,
            // Counted where it was refused.
            Ok(Err(Error::Http(_))) => return,
            Ok(Err(error)) => {
                metrics::refused("handshake");
                if !matches!(error, Error::Io(_)) {
                    let _ = timeout_at(self.deadline, refuse_plain_http(stream)).await;
                }
                return;
            }
            Err(_) => return metrics::refused("handshake_timeout"),
        };
        match guest {
            Some(guest) => subscribe(socket, guest, shared, shutdown).await,
            None => metrics::refused("handshake"),
        }
    }
}

/// Serves a subscriber; its slots are held to the end.
async fn subscribe<S: AsyncRead + AsyncWrite + Unpin>(
    socket: WebSocketStream<S>,
    guest: Guest,
    shared: &Shared,
    shutdown: watch::Receiver<bool>,
) {
    let Guest {
        feed,
        slot: _slot,
        key_slot: _key_slot,
    } = guest;
    let subscribed = Subscribed::new();
    let mut subscriber = Subscriber {
        socket,
        feed,
        shared,
        outgoing: None,
        last_heard: Instant::now(),
        heard_since_ping: 0,
        shutdown,
    };
    let cause = subscriber.run().await;
    tracing::debug!(cause = cause.label(), "flashblock subscriber closed");
    subscriber.close(&cause).await;
    subscribed.closed(&cause);
}

fn socket(limits: &StreamLimits) -> WebSocketConfig {
    // Subscribers send next to nothing, and the library allocates the read buffer up front. Frames
    // are large and must leave at once, so none is gathered.
    WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(limits.message_bytes_max))
        .max_frame_size(Some(limits.message_bytes_max))
}

/// What a subscriber's task waits for.
enum Event {
    Next(Result<Frame, CloseCause>),
    Heard(Option<Result<Message, Error>>),
    PingDue,
    IdleDue,
    Stop,
}

/// Timers that live as long as the subscriber; making one for each wait would cost more than sending.
struct Timers {
    ping: Interval,
    idle: Pin<Box<Sleep>>,
}

impl Timers {
    fn new(ping_every: Duration, idle_at: Instant) -> Self {
        let mut ping = tokio::time::interval_at(Instant::now() + ping_every, ping_every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ping,
            idle: Box::pin(tokio::time::sleep_until(idle_at)),
        }
    }
}

/// Ready once the server stops, or is gone without a word.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// Writes what the library has queued (answers to pings), then the frame at hand. Where the future is
/// dropped, a later call goes on where it was.
async fn write_out<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    at_hand: &mut Option<Outgoing>,
) -> Result<(), Error> {
    socket.flush().await?;
    if let Some(outgoing) = at_hand {
        outgoing.write_to(socket.get_mut()).await?;
        *at_hand = None;
    }
    Ok(())
}

impl Shared {
    /// Writes, within the time that a write may take and while the server runs.
    async fn in_time(
        &self,
        writing: impl Future<Output = Result<(), Error>>,
        shutdown: &mut watch::Receiver<bool>,
    ) -> Result<(), CloseCause> {
        tokio::select! {
            // Mostly the socket takes it at once, and nothing else is looked at.
            biased;
            written = timeout(self.limits.write_timeout, writing) => match written {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(CloseCause::Transport),
                Err(_) => Err(CloseCause::WriteStalled),
            },
            () = stopped(shutdown) => Err(CloseCause::Shutdown),
        }
    }
}

struct Subscriber<'a, S> {
    socket: WebSocketStream<S>,
    feed: Feed,
    shared: &'a Shared,
    /// The frame that is being written.
    outgoing: Option<Outgoing>,
    last_heard: Instant,
    heard_since_ping: u32,
    shutdown: watch::Receiver<bool>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Subscriber<'_, S> {
    /// Sends what its feed gives, replayed or live, until something ends it.
    async fn run(&mut self) -> CloseCause {
        let mut timers = Timers::new(self.shared.limits.ping_interval, self.idle_at());
        loop {
            let step = match self.event(&mut timers).await {
                Event::Next(Ok(frame)) => self.send_frame(frame).await,
                Event::Next(Err(cause)) => Err(cause),
                Event::Stop => {
                    self.send_rest().await;
                    Err(CloseCause::Shutdown)
                }
                Event::Heard(message) => self.heard(message.as_ref()),
                Event::PingDue => {
                    self.heard_since_ping = 0;
                    self.ping().await
                }
                Event::IdleDue if self.idle_at() > Instant::now() => {
                    timers.idle.as_mut().reset(self.idle_at());
                    Ok(())
                }
                Event::IdleDue => Err(CloseCause::Idle),
            };
            if let Err(cause) = step {
                return cause;
            }
        }
    }

    fn idle_at(&self) -> Instant {
        self.last_heard + self.shared.limits.idle_timeout
    }

    /// Waits for the next thing to do. What was heard is looked at before the idle deadline, so that
    /// pongs that waited behind a slow write still count.
    async fn event(&mut self, timers: &mut Timers) -> Event {
        tokio::select! {
            biased;
            () = stopped(&mut self.shutdown) => Event::Stop,
            message = self.socket.next() => Event::Heard(message),
            next = self.feed.next(&self.shared.makers) => Event::Next(next),
            _ = timers.ping.tick() => Event::PingDue,
            () = &mut timers.idle => Event::IdleDue,
        }
    }

    /// Takes note of a message. The library answers pings by itself when it is next polled.
    fn heard(&mut self, message: Option<&Result<Message, Error>>) -> Result<(), CloseCause> {
        match message {
            Some(Ok(Message::Close(_))) | None => Err(CloseCause::Peer),
            Some(Ok(_)) => {
                self.last_heard = Instant::now();
                self.heard_since_ping += 1;
                if self.heard_since_ping > self.shared.limits.messages_max {
                    return Err(CloseCause::Flood);
                }
                Ok(())
            }
            Some(Err(_)) => Err(CloseCause::Transport),
        }
    }

    async fn send_frame(&mut self, frame: Frame) -> Result<(), CloseCause> {
        let outgoing = Outgoing::new(frame);
        let size_bytes = outgoing.payload_bytes();
        self.outgoing = Some(outgoing);
        let written = write_out(&mut self.socket, &mut self.outgoing);
        self.shared.in_time(written, &mut self.shutdown).await?;
        metrics::sent(size_bytes);
        Ok(())
    }

    /// Sends what was published before the end, within the time for saying goodbye.
    async fn send_rest(&mut self) {
        let rest = async {
            while let Some(Ok(frame)) = self.feed.next(&self.shared.makers).now_or_never() {
                let size_bytes = frame.bytes().len();
                self.outgoing = Some(Outgoing::new(frame));
                if write_out(&mut self.socket, &mut self.outgoing)
                    .await
                    .is_err()
                {
                    return;
                }
                metrics::sent(size_bytes);
            }
        };
        // Who does not read in time learns by the close frame, or by resuming, what it lacks.
        let _ = timeout(self.shared.limits.close_timeout, rest).await;
    }

    async fn ping(&mut self) -> Result<(), CloseCause> {
        let sent = self.socket.send(Message::Ping(Bytes::new()));
        self.shared.in_time(sent, &mut self.shutdown).await
    }

    /// Says why, waits a little for the answer, and cuts the connection.
    async fn close(&mut self, cause: &CloseCause) {
        let Some(frame) = cause.frame() else { return };
        let farewell = async {
            // A frame that was begun has to be ended first, or the goodbye would be read as part of it.
            let whole = write_out(&mut self.socket, &mut self.outgoing).await;
            if whole.is_ok() && self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                // Reading until the peer has closed keeps the system from cutting off, by a reset,
                // what the peer has not read yet.
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // A peer that does not answer in time is cut off, which ends it as well.
        let _ = timeout(self.shared.limits.close_timeout, farewell).await;
    }
}
