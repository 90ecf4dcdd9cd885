//! The listening socket.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blockwright_listen::{Allowance, Full, Slots, TlsIdentity};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::connection::{self, Shared};
use crate::{BuilderApiError, PayloadDesk, PayloadServerConfig, metrics};

/// Pause after a failed accept (out of file descriptors, mostly), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves payloads to proposers. See the crate's documentation.
pub struct PayloadServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    slots: Slots,
    arrivals: Allowance,
    tls: Option<TlsIdentity>,
    shared: Arc<Shared>,
}

impl PayloadServer {
    /// Listens. Connections are accepted once [`Self::run_until`] is polled.
    ///
    /// # Errors
    /// [`BuilderApiError::Bind`] where the address is taken.
    pub async fn bind(
        config: PayloadServerConfig,
        desk: Arc<PayloadDesk>,
    ) -> Result<Self, BuilderApiError> {
        metrics::describe();
        let failed = |source| BuilderApiError::Bind {
            addr: config.addr,
            source,
        };
        let listener = TcpListener::bind(config.addr).await.map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        let limits = config.limits;
        Ok(Self {
            listener,
            local_addr,
            slots: Slots::new(limits.connections_max, limits.connections_per_address_max),
            arrivals: Allowance::new(limits.connections_per_second_max),
            tls: config.tls,
            shared: Arc::new(Shared {
                desk,
                allowance: Allowance::new(limits.requests_per_second_max),
                limits,
            }),
        })
    }

    /// The address that is really listened on.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is ready, then ends every connection; answers under way are completed
    /// first, if that takes no more than a second.
    pub async fn run_until(self, shutdown: impl Future<Output = ()> + Send) {
        let (stop, stopped) = watch::channel(false);
        let mut clients = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => self.admit(stream, peer, &mut clients, &stopped),
                    Err(error) => {
                        metrics::accept_error();
                        tracing::warn!(%error, "builder API cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = clients.join_next() => {}
            }
        }
        drop(self.listener);
        // No receiver is left where no client is.
        let _ = stop.send(true);
        while clients.join_next().await.is_some() {}
    }

    /// Starts a task for the connection, or cuts it where there are too many; never waits for the peer.
    fn admit(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        clients: &mut JoinSet<()>,
        stopped: &watch::Receiver<bool>,
    ) {
        // Whoever comes again and again costs no more than a handshake each time that is allowed: these
        // threads go before building.
        if !self.arrivals.take(peer.ip(), Instant::now()) {
            return metrics::refused("too_often");
        }
        let slot = match self.slots.take(peer.ip()) {
            Ok(slot) => slot,
            Err(Full::Total) => return metrics::refused("total_limit"),
            Err(Full::Address) => return metrics::refused("address_limit"),
        };
        // Only latency is at stake where the option cannot be set.
        let _ = stream.set_nodelay(true);
        let tls = self.tls.as_ref().map(TlsIdentity::acceptor);
        let serving = connection::serve(
            (stream, peer.ip()),
            tls,
            Arc::clone(&self.shared),
            stopped.clone(),
        );
        clients.spawn(async move {
            serving.await;
            drop(slot);
        });
    }
}
