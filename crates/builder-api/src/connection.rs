//! One client.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use blockwright_listen::{Allowance, TlsAcceptor};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::paced::{Paced, Progress};
use crate::route::Route;
use crate::{PayloadDesk, ServerLimits, metrics};

/// Room for a request's head, and for as much of an answer as is copied together.
const BUFFER_BYTES_MAX: usize = 16 << 10;
/// How long an answer that is being sent may take once the listener ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) desk: Arc<PayloadDesk>,
    pub(crate) limits: ServerLimits,
    pub(crate) allowance: Allowance,
}

/// Serves one client until it leaves, is too slow, or `stopped` says so.
pub(crate) async fn serve(
    (stream, peer): (TcpStream, IpAddr),
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    stopped: watch::Receiver<bool>,
) {
    let Some(tls) = tls else {
        return speak((stream, peer), shared, stopped).await;
    };
    let shaken = tokio::time::timeout(shared.limits.request_timeout, tls.accept(stream)).await;
    match shaken {
        Ok(Ok(stream)) => Box::pin(speak((stream, peer), shared, stopped)).await,
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            metrics::refused("handshake");
        }
        Err(_) => metrics::refused("handshake_timeout"),
    }
}

async fn speak<S>(
    (stream, peer): (S, IpAddr),
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let progress = Progress::default();
    let route = Route {
        desk: Arc::clone(&shared.desk),
        body_bytes_max: shared.limits.body_bytes_max,
        allowance: shared.allowance.clone(),
        peer,
        progress: progress.clone(),
    };
    let paced = Paced::new(stream, shared.limits.clone(), progress);
    let service = service_fn(move |request| route.clone().serve(request));
    let connection = http1::Builder::new()
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(paced), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => {
            if let Err(error) = ended {
                tracing::debug!(%error, "builder API connection ended");
            }
            return;
        }
        // An error says that the listener is gone, which is an end as well.
        _ = stopped.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = tokio::time::timeout(FAREWELL, connection).await;
}
