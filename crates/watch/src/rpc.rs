//! What a node sealed.

use alloy_primitives::B256;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::WatchError;

/// A block without its transactions' bodies takes far less.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a node says of a block it sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedBlock {
    /// Its hash.
    pub hash: B256,
    /// Root of its receipts.
    pub receipts_root: B256,
    /// Gas it used.
    pub gas_used: u64,
}

/// The canonical block `number` of the node at `url` (`http://host:port`); `None` where it has none
/// yet.
///
/// # Errors
/// [`WatchError::Url`] and [`WatchError::Node`].
pub async fn sealed_block(url: &str, number: u64) -> Result<Option<SealedBlock>, WatchError> {
    let failed = |cause: String| WatchError::Node {
        url: url.to_owned(),
        cause,
    };
    let answer = post(url, &request(number)).await?;
    let answer: Value =
        serde_json::from_slice(&answer).map_err(|error| failed(error.to_string()))?;
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        return Err(failed(error.to_string()));
    }
    match &answer["result"] {
        Value::Null => Ok(None),
        block => read(block)
            .map(Some)
            .ok_or_else(|| failed("its block has no hash, receiptsRoot and gasUsed".to_owned())),
    }
}

fn read(block: &Value) -> Option<SealedBlock> {
    let hash = |key: &str| block[key].as_str()?.parse().ok();
    let gas_used = block["gasUsed"].as_str()?.strip_prefix("0x")?;
    Some(SealedBlock {
        hash: hash("hash")?,
        receipts_root: hash("receiptsRoot")?,
        gas_used: u64::from_str_radix(gas_used, 16).ok()?,
    })
}

fn request(number: u64) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x{number:x}",false]}}"#
    )
}

async fn post(url: &str, body: &str) -> Result<Bytes, WatchError> {
    let failed = |cause: String| WatchError::Node {
        url: url.to_owned(),
        cause,
    };
    let bad = |cause| WatchError::Url {
        url: url.to_owned(),
        cause,
    };
    let uri: Uri = url.parse().map_err(|_| bad("not a URL"))?;
    if uri.scheme_str() != Some("http") {
        return Err(bad("only http:// is spoken here"));
    }
    let host = uri.host().ok_or_else(|| bad("no host"))?;
    let authority = format!("{host}:{}", uri.port_u16().unwrap_or(80));
    let socket = TcpStream::connect(&authority).await;
    let socket = socket.map_err(|error| failed(error.to_string()))?;
    let handshake = http1::handshake(TokioIo::new(socket)).await;
    let (mut sender, connection) = handshake.map_err(|error| failed(error.to_string()))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::post(path)
        .header(HOST, &authority)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_owned())))
        .map_err(|error| failed(error.to_string()))?;
    let answer = async {
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| failed(error.to_string()))?;
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        body.map_err(|error| failed(error.to_string()))
    };
    // An error of the connection is the answer's, too.
    let driven = async {
        let _ = connection.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        body = answer => Ok(body?.to_bytes()),
        () = driven => Err(failed("no answer".to_owned())),
    }
}
