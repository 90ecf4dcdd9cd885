//! The answer to a connection beyond the limits.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

use crate::slots::Full;

/// Refusals under way at once. Beyond that a connection is cut without an answer.
const REFUSALS_MAX: usize = 32;

/// Answers refused connections with an HTTP status, a bounded number at a time.
#[derive(Debug)]
pub(crate) struct Refusals {
    permits: Arc<Semaphore>,
    timeout: Duration,
}

impl Refusals {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(REFUSALS_MAX)),
            timeout,
        }
    }

    /// Starts a refusal. Returns at once.
    pub(crate) fn refuse(&self, stream: TcpStream, tls: Option<TlsAcceptor>, full: Full) {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return;
        };
        let timeout = self.timeout;
        tokio::spawn(async move {
            // The outcome is a refused or vanished client either way.
            let _ = tokio::time::timeout(timeout, Box::pin(answer(stream, tls, full))).await;
            drop(permit);
        });
    }
}

async fn answer(stream: TcpStream, tls: Option<TlsAcceptor>, full: Full) -> Result<(), Error> {
    match tls {
        None => accept_hdr_async(stream, Refuse(full)).await.map(drop),
        Some(tls) => {
            let stream = tls.accept(stream).await?;
            accept_hdr_async(stream, Refuse(full)).await.map(drop)
        }
    }
}

/// Refuses whatever is asked.
struct Refuse(Full);

impl Callback for Refuse {
    fn on_request(self, _: &Request, _: Response) -> Result<Response, ErrorResponse> {
        Err(response(self.0))
    }
}

fn response(full: Full) -> ErrorResponse {
    match full {
        Full::Total => http_error(
            StatusCode::SERVICE_UNAVAILABLE,
            "all subscriptions are taken, try again later\n".to_owned(),
        ),
        Full::Address => http_error(
            StatusCode::TOO_MANY_REQUESTS,
            "too many subscriptions from this address\n".to_owned(),
        ),
    }
}

/// A plain HTTP answer instead of the upgrade.
pub(crate) fn http_error(status: StatusCode, text: String) -> ErrorResponse {
    let length = text.len();
    let mut response = ErrorResponse::new(Some(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-length", length.into());
    headers.insert("connection", HeaderValue::from_static("close"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert("www-authenticate", HeaderValue::from_static("Bearer"));
    }
    response
}
