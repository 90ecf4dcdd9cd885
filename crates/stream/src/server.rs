//! The listening socket.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use blockwright_flashblocks::Form;
use blockwright_listen::Slots;

use crate::encoder::{Outlets, StreamEncoder};
use crate::handshakes::Handshakes;
use crate::hub::Hub;
use crate::key_slots::KeySlots;
use crate::makers::Makers;
use crate::notices::Notices;
use crate::publisher::handover;
use crate::served::Served;
use crate::subscriber::{self, Arrival, Shared};
use crate::{Publisher, RelayPublisher, StreamConfig, StreamError, TlsIdentity, encoder, metrics};

/// Pause after a failed accept (out of file descriptors, mostly), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections the system may hold before they are accepted.
const ACCEPT_BACKLOG: u32 = 1_024;

/// Serves flashblocks to WebSocket subscribers. See the crate's documentation.
#[derive(Debug)]
pub struct FlashblockServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    handshakes: Handshakes,
    tls: Option<TlsIdentity>,
    shared: Arc<Shared>,
}

impl FlashblockServer {
    /// Listens, and starts the encoder's thread, which ends when the last [`Publisher`] is dropped, and
    /// the threads that make other forms and compress, which end with the server. Connections are
    /// accepted once [`run`](Self::run) is polled.
    ///
    /// # Errors
    /// [`StreamError`] where the address is taken, a limit is zero, a key cannot be sent, or no
    /// thread can be started.
    pub async fn bind(config: StreamConfig) -> Result<(Self, Publisher), StreamError> {
        let (publisher, queue) = handover(config.queue.max(1));
        let notices = Arc::new(Notices::new(config.limits.backlog_frames.max(1)));
        let encoder = StreamEncoder::new(config.prev_id, config.signer.clone());
        let served = Served::Any {
            metadata: config.metadata,
        };
        let server = Self::open(config, served, Some(Arc::clone(&notices)))?;
        let outlets = Outlets {
            hub: Arc::clone(&server.shared.hub),
            notices,
        };
        std::thread::Builder::new()
            .name("flashblock-encoder".to_owned())
            .spawn(move || encoder::run(queue, encoder, &outlets))
            .map_err(StreamError::Thread)?;
        Ok((server, publisher))
    }

    /// As [`Self::bind`], for frames that somebody else made, all of them in `form`. Subscribers have
    /// everything that a builder's have but other dialects and extents of metadata, which are
    /// refused, and notices. What the configuration says of encoding ([`StreamConfig::queue`],
    /// [`StreamConfig::metadata`], [`StreamConfig::prev_id`], [`StreamConfig::signer`]) has no effect.
    ///
    /// # Errors
    /// As [`Self::bind`].
    pub async fn bind_relay(
        config: StreamConfig,
        form: Form,
    ) -> Result<(Self, RelayPublisher), StreamError> {
        let server = Self::open(config, Served::Only(form), None)?;
        let publisher = RelayPublisher::new(Arc::clone(&server.shared.hub), form);
        Ok((server, publisher))
    }

    fn open(
        config: StreamConfig,
        served: Served,
        notices: Option<Arc<Notices>>,
    ) -> Result<Self, StreamError> {
        config.validate()?;
        metrics::describe();
        let bind_error = |source| StreamError::Bind {
            addr: config.addr,
            source,
        };
        let listener = listen(&config).map_err(bind_error)?;
        let local_addr = listener.local_addr().map_err(bind_error)?;
        let limits = config.limits;
        let key_max = limits.subscribers_per_key_max;
        // Each frame waits for a codec at most once, so a queue of the ring's length has room for all
        // of one form.
        let makers = Makers::start(config.ring.frames_max, config.prev_id)
            .map_err(StreamError::MakerThread)?;
        Ok(Self {
            listener,
            local_addr,
            handshakes: Handshakes::new(limits.handshakes_max, limits.handshakes_per_address_max),
            tls: config.tls,
            shared: Arc::new(Shared {
                hub: Arc::new(Hub::new(config.ring, limits.backlog_frames)),
                notices,
                served,
                slots: Slots::new(limits.subscribers_max, limits.subscribers_per_address_max),
                limits,
                makers,
                key_slots: KeySlots::new(config.api_keys.len(), key_max),
                api_keys: config.api_keys,
            }),
        })
    }

    /// The address that is really listened on.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves for as long as the future is polled.
    pub async fn run(self) {
        self.run_until(std::future::pending()).await;
    }

    /// Serves until `shutdown` is ready, then closes every subscriber with code 1001 and returns
    /// when they are gone, after the close timeout at the latest.
    pub async fn run_until(self, shutdown: impl Future<Output = ()> + Send) {
        let (stop, stopped) = watch::channel(false);
        let mut subscribers = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => self.admit(stream, peer, &mut subscribers, &stopped),
                    Err(error) => {
                        metrics::accept_error();
                        tracing::warn!(%error, "flashblock stream cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = subscribers.join_next() => {}
            }
        }
        drop(self.listener);
        // No receiver is left where no subscriber is.
        let _ = stop.send(true);
        while subscribers.join_next().await.is_some() {}
    }

    /// Starts a task for the connection; never waits for the peer.
    fn admit(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        subscribers: &mut JoinSet<()>,
        stopped: &watch::Receiver<bool>,
    ) {
        let Some(handshake) = self.handshakes.begin(peer.ip()) else {
            return metrics::refused("handshake_limit");
        };
        // Only latency is at stake where the option cannot be set.
        let _ = stream.set_nodelay(true);
        let arrival = Arrival {
            stream,
            peer,
            tls: self.tls.as_ref().map(TlsIdentity::acceptor),
            handshake,
        };
        let shared = Arc::clone(&self.shared);
        subscribers.spawn(subscriber::serve(arrival, shared, stopped.clone()));
    }
}

fn listen(config: &StreamConfig) -> std::io::Result<TcpListener> {
    let socket = if config.addr.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A restart must not wait for the old connections' last packets.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    if let Some(bytes) = config.limits.send_buffer_bytes {
        // Accepted sockets inherit it.
        socket.set_send_buffer_size(bytes)?;
    }
    socket.bind(config.addr)?;
    socket.listen(ACCEPT_BACKLOG)
}
