//! `eth_sendRawTransaction` over one connection that stays open.

use std::time::Duration;

use alloy_primitives::Bytes;
use blockwright_types::error_chain;
use jsonrpsee::core::client::{ClientT, Error};
use jsonrpsee::core::http_helpers::HttpError;
use jsonrpsee::core::params::BatchRequestBuilder;
use jsonrpsee::http_client::transport::Error as TransportError;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use jsonrpsee::types::ErrorObjectOwned;
use serde::de::IgnoredAny;

const METHOD: &str = "eth_sendRawTransaction";
/// A batch of the largest size in hex, with room for its frame.
const REQUEST_BYTES_MAX: u32 = 16 << 20;
const ANSWER_BYTES_MAX: u32 = 4 << 20;

/// What the server said of one transaction.
pub(crate) type Answer = Result<(), ErrorObjectOwned>;

/// A call that brought no answers.
#[derive(Debug)]
pub(crate) enum CallError {
    /// No connection, none that lasted, no answer in time, or a gateway that says so: worth another
    /// attempt.
    Unreachable(String),
    /// Something answered, but not what JSON-RPC wants.
    Unusable(String),
}

/// A server that takes transactions.
#[derive(Clone, Debug)]
pub(crate) struct Client(HttpClient);

impl Client {
    /// A client of the server at `url`; connects at the first call. The error says what is wrong with
    /// the URL.
    pub(crate) fn new(url: &str, call_timeout: Duration) -> Result<Self, String> {
        HttpClientBuilder::default()
            .request_timeout(call_timeout)
            .max_request_size(REQUEST_BYTES_MAX)
            .max_response_size(ANSWER_BYTES_MAX)
            .build(url)
            .map(Self)
            .map_err(|error| error.to_string())
    }

    /// Sends transactions in this order; as many answers. Several go as a batch.
    pub(crate) async fn send(&self, txs: &[Bytes]) -> Result<Vec<Answer>, CallError> {
        if let [tx] = txs {
            let sent = self.0.request::<IgnoredAny, _>(METHOD, rpc_params![tx]);
            return match sent.await {
                Ok(_) => Ok(vec![Ok(())]),
                Err(Error::Call(refusal)) => Ok(vec![Err(refusal)]),
                Err(error) => Err(classify(&error)),
            };
        }
        let mut batch = BatchRequestBuilder::new();
        for tx in txs {
            let inserted = batch.insert(METHOD, rpc_params![tx]);
            inserted.map_err(|error| CallError::Unusable(error.to_string()))?;
        }
        let answers = self.0.batch_request::<IgnoredAny>(batch).await;
        let answers: Vec<Answer> = answers
            .map_err(|error| classify(&error))?
            .into_iter()
            .map(|answer| answer.map(drop).map_err(|refusal| refusal.into_owned()))
            .collect();
        if answers.len() != txs.len() {
            let cause = format!("{} answers to {} calls", answers.len(), txs.len());
            return Err(CallError::Unusable(cause));
        }
        Ok(answers)
    }
}

fn classify(error: &Error) -> CallError {
    let cause = error_chain(error);
    let Error::Transport(inner) = error else {
        return match error {
            Error::RequestTimeout => CallError::Unreachable("no answer in time".to_owned()),
            _ => CallError::Unusable(cause),
        };
    };
    match inner.downcast_ref::<TransportError>() {
        Some(TransportError::Rejected {
            status_code: 429 | 502 | 503 | 504,
        })
        | Some(TransportError::Http(HttpError::Stream(_)))
        | None => CallError::Unreachable(cause),
        Some(_) => CallError::Unusable(cause),
    }
}

/// Whether a refusal says that the server has the transaction.
pub(crate) fn is_known(refusal: &ErrorObjectOwned) -> bool {
    let message = refusal.message().to_ascii_lowercase();
    message.contains("already known") || message.contains("alreadyknown")
}
