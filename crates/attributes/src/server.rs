//! The listening socket.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use blockwright_listen::{Full, Slots, TlsIdentity};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::connection::{self, Shared};
use crate::{AttributesError, AttributesFeed, EventServerConfig, metrics};

/// Pause after a failed accept (out of file descriptors, mostly), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves the stream at `/events?stream=payload_attributes`. See the crate's documentation.
pub struct AttributesServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    slots: Slots,
    tls: Option<TlsIdentity>,
    shared: Arc<Shared>,
}

impl AttributesServer {
    /// Listens, and gives the end where events go in. Connections are accepted once [`Self::run_until`] is
    /// polled.
    ///
    /// # Errors
    /// [`AttributesError::Bind`] where the address is taken.
    pub async fn bind(
        config: EventServerConfig,
    ) -> Result<(Self, AttributesFeed), AttributesError> {
        metrics::describe();
        let failed = |source| AttributesError::Bind {
            addr: config.addr,
            source,
        };
        let listener = TcpListener::bind(config.addr).await.map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        let limits = config.limits;
        let feed = AttributesFeed::new(limits.behind_max);
        let server = Self {
            listener,
            local_addr,
            slots: Slots::new(limits.connections_max, limits.connections_per_address_max),
            tls: config.tls,
            shared: Arc::new(Shared {
                feed: feed.clone(),
                limits,
            }),
        };
        Ok((server, feed))
    }

    /// The address that is really listened on.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is ready, then cuts every connection: nothing is owed to a subscriber.
    pub async fn run_until(self, shutdown: impl Future<Output = ()> + Send) {
        let mut clients = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => self.admit(stream, peer, &mut clients),
                    Err(error) => {
                        metrics::accept_error();
                        tracing::warn!(%error, "the attributes stream cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = clients.join_next() => {}
            }
        }
        drop(self.listener);
        clients.shutdown().await;
    }

    /// Starts a task for the connection, or cuts it where there are too many; never waits for the peer.
    fn admit(&self, stream: TcpStream, peer: SocketAddr, clients: &mut JoinSet<()>) {
        let slot = match self.slots.take(peer.ip()) {
            Ok(slot) => slot,
            Err(Full::Total) => return metrics::refused("total_limit"),
            Err(Full::Address) => return metrics::refused("address_limit"),
        };
        // Only latency is at stake where the option cannot be set.
        let _ = stream.set_nodelay(true);
        let tls = self.tls.as_ref().map(TlsIdentity::acceptor);
        let serving = connection::serve(stream, tls, Arc::clone(&self.shared));
        clients.spawn(async move {
            serving.await;
            drop(slot);
        });
    }
}
