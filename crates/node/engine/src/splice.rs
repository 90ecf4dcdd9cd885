//! A block's transactions past the JSON layer.
//!
//! They are megabytes of a large block's payload, in a text that exists already: the flashblocks
//! contained it. So the RPC layer sees a payload whose list of transactions holds one random
//! stand-in. In an answer the text takes the stand-in's place piece by piece, without being copied.
//! In a request the list is compared with the text of the block of our own that the request names,
//! as it is received; only where both agree to the last byte does the stand-in take the list's
//! place, and the block travels beside it. Any other request goes on as it came.

mod body;
mod recognise;
mod text;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use alloy_primitives::{B256, Bytes};
use blockwright_payload::TransactionsText;
use blockwright_types::SealedBlock;
use hyper::header::CONTENT_LENGTH;
use hyper::{HeaderMap, Method};
use jsonrpsee::core::BoxError;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse};
use memchr::memmem;
use tower::{Layer, Service};

use crate::Engine;
use body::{Pieces, next_data};
use recognise::{Received, receive};

/// With a request: where an answer may leave the block whose transactions are to be put into it.
#[derive(Clone, Debug)]
pub(crate) struct AnswerSlot {
    stand_in: Bytes,
    text_bytes_max: usize,
    text: Arc<OnceLock<TransactionsText>>,
}

impl AnswerSlot {
    /// The list that an answer with the transactions of `block` must contain instead of theirs;
    /// `None` where the transactions have to be in the answer.
    pub(crate) fn take(&self, block: &Arc<SealedBlock>) -> Option<Vec<Bytes>> {
        let text = TransactionsText::of(block);
        if text.len_bytes() > self.text_bytes_max {
            return None;
        }
        self.text.set(text).ok()?;
        Some(vec![self.stand_in.clone()])
    }
}

/// With a request: the block of our own whose transactions it contained, and what stands for them.
#[derive(Clone, Debug)]
pub(crate) struct Recognised {
    pub(crate) block: Arc<SealedBlock>,
    stand_in: Bytes,
}

impl Recognised {
    /// Whether `transactions` is the list that was taken out.
    pub(crate) fn is(&self, transactions: &[Bytes]) -> bool {
        *transactions == [self.stand_in.clone()]
    }
}

/// Puts [`Splice`] around a service.
#[derive(Clone)]
pub(crate) struct SpliceLayer {
    pub(crate) engine: Engine,
    /// Largest body of a request or an answer.
    pub(crate) body_bytes_max: u32,
}

impl<S> Layer<S> for SpliceLayer {
    type Service = Splice<S>;

    fn layer(&self, inner: S) -> Splice<S> {
        Splice {
            layer: self.clone(),
            inner,
        }
    }
}

/// See the module's documentation.
#[derive(Clone)]
pub(crate) struct Splice<S> {
    layer: SpliceLayer,
    inner: S,
}

type Answering<E> = Pin<Box<dyn Future<Output = Result<HttpResponse, E>> + Send>>;

impl<S> Service<HttpRequest<HttpBody>> for Splice<S>
where
    S: Service<HttpRequest<HttpBody>, Response = HttpResponse, Error = BoxError>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    type Response = HttpResponse;
    type Error = BoxError;
    type Future = Answering<BoxError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<HttpBody>) -> Self::Future {
        let limit = self.layer.body_bytes_max;
        if request.method() != Method::POST || is_larger(request.headers(), limit) {
            return Box::pin(self.inner.call(request));
        }
        let engine = self.layer.engine.clone();
        // The one that was polled ready serves the call.
        let waiting = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, waiting);
        Box::pin(async move {
            let stand_in = Bytes::from(rand::random::<[u8; 16]>());
            let text = Arc::new(OnceLock::new());
            let mut request = recognise(request, &engine, &stand_in).await?;
            request.extensions_mut().insert(AnswerSlot {
                stand_in: stand_in.clone(),
                text_bytes_max: limit as usize,
                text: Arc::clone(&text),
            });
            let response = inner.call(request).await?;
            match text.get() {
                Some(text) => fill_in(response, text, &stand_in).await,
                None => Ok(response),
            }
        })
    }
}

fn is_larger(headers: &HeaderMap, bytes_max: u32) -> bool {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    length
        .and_then(|length| length.parse::<u64>().ok())
        .is_some_and(|length| length > u64::from(bytes_max))
}

/// The request with the transactions of our own block replaced, or as it came.
async fn recognise(
    request: HttpRequest<HttpBody>,
    engine: &Engine,
    stand_in: &Bytes,
) -> Result<HttpRequest<HttpBody>, BoxError> {
    let (mut parts, body) = request.into_parts();
    let built = |hash: B256| engine.built(hash);
    let body = match receive(body, built, &quoted(stand_in)).await? {
        Received::Ordinary(body) => body,
        Received::Recognised { block, body } => {
            parts.headers.insert(CONTENT_LENGTH, body.len().into());
            parts.extensions.insert(Recognised {
                block,
                stand_in: stand_in.clone(),
            });
            HttpBody::from(body)
        }
    };
    Ok(HttpRequest::from_parts(parts, body))
}

/// The answer with the transactions in the stand-in's place.
async fn fill_in(
    response: HttpResponse,
    text: &TransactionsText,
    stand_in: &Bytes,
) -> Result<HttpResponse, BoxError> {
    let (parts, mut body) = response.into_parts();
    let mut answer = Vec::new();
    while let Some(data) = next_data(&mut body).await {
        answer.extend_from_slice(&data?);
    }
    let answer = hyper::body::Bytes::from(answer);
    let item = quoted(stand_in);
    let mut pieces = Pieces::default();
    match memmem::find(&answer, item.as_bytes()) {
        Some(at) => {
            pieces.push(answer.slice(..at));
            text::append(text, &mut pieces);
            pieces.push(answer.slice(at + item.len()..));
        }
        // The call failed after all.
        None => pieces.push(answer),
    }
    Ok(HttpResponse::from_parts(parts, pieces.into_body()))
}

/// The stand-in as an item of the list.
fn quoted(stand_in: &Bytes) -> String {
    format!("\"{stand_in}\"")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
