//! One subscriber.

use core::convert::Infallible;
use std::sync::Arc;

use blockwright_listen::TlsAcceptor;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::metrics::{self, Subscribed};
use crate::steady::Steady;
use crate::url::{STREAM_NAME, STREAM_PATH};
use crate::{AttributesFeed, SubscriberLimits};

/// Room for a request's head; a request needs no more.
const HEAD_BYTES_MAX: usize = 8 << 10;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) feed: AttributesFeed,
    pub(crate) limits: SubscriberLimits,
}

/// A subscriber was too slow.
#[derive(Debug, thiserror::Error)]
#[error("the subscriber is too many events behind")]
struct Lagged;

type Body = UnsyncBoxBody<Bytes, Lagged>;

/// Serves one client until it leaves or is too slow.
pub(crate) async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let Some(tls) = tls else {
        return speak(stream, &shared).await;
    };
    let shaken = tokio::time::timeout(shared.limits.request_timeout, tls.accept(stream)).await;
    match shaken {
        Ok(Ok(stream)) => Box::pin(speak(stream, &shared)).await,
        Ok(Err(error)) => {
            tracing::debug!(%error, "attributes stream: TLS handshake failed");
            metrics::refused("handshake");
        }
        Err(_) => metrics::refused("handshake_timeout"),
    }
}

async fn speak<S>(stream: S, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = &shared.limits;
    let stream = Steady::new(stream, limits.write_timeout);
    let feed = shared.feed.clone();
    let service = service_fn(move |request| {
        let answer = answer(&request, &feed);
        async move { Ok::<_, Infallible>(answer) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.request_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        // One request a connection: whoever is refused is let go.
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        if error.is_timeout() {
            metrics::refused("request_timeout");
        }
        tracing::debug!(%error, "attributes subscriber gone");
    }
}

fn answer(request: &Request<Incoming>, feed: &AttributesFeed) -> Response<Body> {
    match check(request.method(), request.uri()) {
        Ok(()) => {
            let mut response = Response::new(frames(feed));
            let headers = response.headers_mut();
            let events = HeaderValue::from_static("text/event-stream");
            headers.insert(CONTENT_TYPE, events);
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }
        Err((status, message)) => {
            metrics::refused("request");
            let json = serde_json::json!({"code": status.as_u16(), "message": message});
            let body = Full::new(Bytes::from(json.to_string()));
            let mut response = Response::new(body.map_err(|never| match never {}).boxed_unsync());
            *response.status_mut() = status;
            let headers = response.headers_mut();
            let json = HeaderValue::from_static("application/json");
            headers.insert(CONTENT_TYPE, json);
            if status == StatusCode::METHOD_NOT_ALLOWED {
                headers.insert(ALLOW, HeaderValue::from_static("GET"));
            }
            response
        }
    }
}

fn check(method: &Method, uri: &Uri) -> Result<(), (StatusCode, &'static str)> {
    if uri.path() != STREAM_PATH {
        let message = "nothing is here: the stream is at /events?stream=payload_attributes";
        return Err((StatusCode::NOT_FOUND, message));
    }
    if method != Method::GET {
        return Err((StatusCode::METHOD_NOT_ALLOWED, "the stream is had by GET"));
    }
    let query = uri.query().unwrap_or_default();
    match query
        .split('&')
        .find_map(|pair| pair.strip_prefix("stream="))
    {
        Some(STREAM_NAME) => Ok(()),
        Some(_) => Err((
            StatusCode::NOT_FOUND,
            "there is no such stream: payload_attributes is the one there is",
        )),
        None => Err((
            StatusCode::BAD_REQUEST,
            "which stream? ?stream=payload_attributes is the one there is",
        )),
    }
}

/// The frames that are published from now on. Where the subscriber does not keep up, they end with an error,
/// which cuts the connection.
fn frames(feed: &AttributesFeed) -> Body {
    let state = Some((feed.subscribe(), Subscribed::new()));
    let frames = stream::unfold(state, |state| async move {
        let (mut frames, subscribed): (broadcast::Receiver<Bytes>, Subscribed) = state?;
        match frames.recv().await {
            Ok(frame) => Some((Ok(Frame::data(frame)), Some((frames, subscribed)))),
            Err(RecvError::Lagged(_)) => {
                metrics::closed("lagged");
                Some((Err(Lagged), None))
            }
            Err(RecvError::Closed) => None,
        }
    });
    StreamBody::new(frames).boxed_unsync()
}
