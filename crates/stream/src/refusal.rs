//! Answers of plain HTTP.

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::server::ErrorResponse;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

/// What is answered to a request that is no WebSocket handshake.
const NO_UPGRADE: &[u8] = b"HTTP/1.1 426 Upgrade Required\r\n\
    upgrade: websocket\r\nconnection: upgrade, close\r\nsec-websocket-version: 13\r\n\
    content-type: text/plain\r\ncontent-length: 43\r\n\r\n\
    this is a WebSocket: connect with ws:// to\n";

/// Tells whoever sent a plain request what is served here. The library gives no answer of its own.
pub(crate) async fn refuse_plain_http<S: AsyncWrite + Unpin>(stream: &mut S) {
    // A peer that is gone needs no answer.
    if stream.write_all(NO_UPGRADE).await.is_ok() {
        let _ = stream.shutdown().await;
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
