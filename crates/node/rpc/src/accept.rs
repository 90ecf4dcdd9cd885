//! Connections whose requests know who sent them: the library's own loop does not tell.

use futures_util::FutureExt;
use jsonrpsee::core::middleware::RpcServiceT;
use jsonrpsee::server::middleware::rpc::RpcService;
use jsonrpsee::server::{
    HttpRequest, ServerHandle, StopHandle, TowerServiceBuilder, serve_with_graceful_shutdown,
    stop_channel,
};
use jsonrpsee::{MethodResponse, Methods};
use tokio::net::{TcpListener, TcpStream};
use tower::layer::util::Identity;
use tower::{Layer, Service};

use crate::sources::Peer;

/// Accepts connections until the handle stops them; each request carries its [`Peer`].
pub(crate) fn serve_with_peers<L>(
    listener: TcpListener,
    builder: TowerServiceBuilder<L, Identity>,
    methods: Methods,
) -> ServerHandle
where
    L: Layer<RpcService> + Clone + Send + Sync + 'static,
    L::Service: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Send
        + Sync
        + 'static,
{
    let (stop, handle) = stop_channel();
    tokio::spawn(async move {
        while let Some((socket, peer)) = next(&listener, &stop).await {
            let (builder, methods, stop) = (builder.clone(), methods.clone(), stop.clone());
            let stopped = stop.clone().shutdown();
            let service = tower::service_fn(move |mut request: HttpRequest<_>| {
                request.extensions_mut().insert(peer);
                let mut service = builder.clone().build(methods.clone(), stop.clone());
                async move { service.call(request).await }
            });
            let served = serve_with_graceful_shutdown(socket, service, stopped);
            tokio::spawn(served.map(|ended| {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a JSON-RPC connection ended");
                }
            }));
        }
    });
    handle
}

/// The next connection; `None` once the server is stopped.
async fn next(listener: &TcpListener, stop: &StopHandle) -> Option<(TcpStream, Peer)> {
    let stopped = stop.clone().shutdown();
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stopped => return None,
        };
        let error = match accepted {
            Ok((socket, peer)) => match socket.set_nodelay(true) {
                Ok(()) => return Some((socket, Peer::new(peer))),
                Err(error) => error,
            },
            Err(error) => {
                // Out of file descriptors, most of the time: that does not pass at once.
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                error
            }
        };
        tracing::debug!(%error, "a JSON-RPC connection cannot be accepted");
    }
}
