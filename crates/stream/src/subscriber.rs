//! One subscriber, from handshake to close.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use crate::close::CloseCause;
use crate::hub::{Frame, Hub, Live};
use crate::metrics::{self, Subscribed};
use crate::refusal::http_error;
use crate::{StreamLimits, query};

/// What all subscribers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) hub: Arc<Hub>,
    pub(crate) limits: StreamLimits,
}

/// Serves one accepted connection until it ends.
pub(crate) async fn serve(
    stream: TcpStream,
    shared: Arc<Shared>,
    mut shutdown: watch::Receiver<bool>,
) {
    let limits = &shared.limits;
    let handshake =
        tokio_tungstenite::accept_hdr_async_with_config(stream, CheckQuery, Some(socket(limits)));
    let handshake = tokio::select! {
        done = timeout(limits.handshake_timeout, handshake) => done,
        () = stopped(&mut shutdown) => return,
    };
    let socket = match handshake {
        Ok(Ok(socket)) => socket,
        Ok(Err(Error::Http(_))) => return metrics::refused("query"),
        Ok(Err(_)) => return metrics::refused("handshake"),
        Err(_) => return metrics::refused("handshake_timeout"),
    };
    let subscribed = Subscribed::new();
    let mut subscriber = Subscriber {
        socket,
        last_heard: Instant::now(),
        limits,
        shutdown,
    };
    let cause = subscriber.run(&shared.hub).await;
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

/// Accepts any path, and any query that asks for what is served.
struct CheckQuery;

impl Callback for CheckQuery {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        match query::check(request.uri().query().unwrap_or_default()) {
            Ok(()) => Ok(response),
            Err(text) => Err(http_error(StatusCode::BAD_REQUEST, text)),
        }
    }
}

/// What a subscriber's task waits for.
enum Event {
    Live(Result<Live, RecvError>),
    Heard(Option<Result<Message, Error>>),
    PingDue,
    Silence,
    Stop,
}

/// Ready once the server stops, or is gone without a word.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

struct Subscriber<'a> {
    socket: WebSocketStream<TcpStream>,
    last_heard: Instant,
    limits: &'a StreamLimits,
    shutdown: watch::Receiver<bool>,
}

impl Subscriber<'_> {
    /// Replays the current block, then follows the live frames.
    async fn run(&mut self, hub: &Hub) -> CloseCause {
        let subscription = hub.subscribe();
        for frame in subscription.replay {
            if let Err(cause) = self.send_frame(frame).await {
                return cause;
            }
        }
        self.follow(subscription.live).await
    }

    async fn follow(&mut self, mut live: broadcast::Receiver<Live>) -> CloseCause {
        let every = self.limits.ping_interval;
        let mut ping = tokio::time::interval_at(Instant::now() + every, every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // What came during a long replay was not read yet.
        self.last_heard = Instant::now();
        loop {
            let step = match self.event(&mut live, &mut ping).await {
                Event::Live(Ok(Live::Frame(frame))) => self.send_frame(frame).await,
                Event::Live(Ok(Live::Gap)) => Err(CloseCause::Gap),
                Event::Live(Err(RecvError::Lagged(missed))) => Err(CloseCause::Lagged { missed }),
                Event::Live(Err(RecvError::Closed)) | Event::Stop => Err(CloseCause::Shutdown),
                Event::Heard(message) => self.heard(message.as_ref()),
                Event::PingDue => self.send(Message::Ping(Bytes::new())).await,
                Event::Silence => Err(CloseCause::Idle),
            };
            if let Err(cause) = step {
                return cause;
            }
        }
    }

    /// Waits for the next thing to do. What was heard is looked at before the idle deadline, so that
    /// pongs that waited behind a slow write still count.
    async fn event(&mut self, live: &mut broadcast::Receiver<Live>, ping: &mut Interval) -> Event {
        let idle_at = self.last_heard + self.limits.idle_timeout;
        tokio::select! {
            biased;
            () = stopped(&mut self.shutdown) => Event::Stop,
            message = self.socket.next() => Event::Heard(message),
            next = live.recv() => Event::Live(next),
            _ = ping.tick() => Event::PingDue,
            () = tokio::time::sleep_until(idle_at) => Event::Silence,
        }
    }

    /// Takes note of a message. The library answers pings by itself when it is next polled.
    fn heard(&mut self, message: Option<&Result<Message, Error>>) -> Result<(), CloseCause> {
        match message {
            Some(Ok(Message::Close(_))) | None => Err(CloseCause::Peer),
            Some(Ok(_)) => {
                self.last_heard = Instant::now();
                Ok(())
            }
            Some(Err(_)) => Err(CloseCause::Transport),
        }
    }

    async fn send_frame(&mut self, frame: Frame) -> Result<(), CloseCause> {
        let size_bytes = frame.len();
        self.send(Message::Text(frame)).await?;
        metrics::sent(size_bytes);
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<(), CloseCause> {
        tokio::select! {
            sent = timeout(self.limits.write_timeout, self.socket.send(message)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(CloseCause::Transport),
                Err(_) => Err(CloseCause::WriteStalled),
            },
            () = stopped(&mut self.shutdown) => Err(CloseCause::Shutdown),
        }
    }

    /// Says why, waits a little for the answer, and cuts the connection.
    async fn close(&mut self, cause: &CloseCause) {
        let Some(frame) = cause.frame() else { return };
        let farewell = async {
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                // Reading until the peer has closed keeps the system from cutting off, by a reset,
                // what the peer has not read yet.
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // A peer that does not answer in time is cut off, which ends it as well.
        let _ = timeout(self.limits.close_timeout, farewell).await;
    }
}
