//! The raw transactions of one batch, handed to the pool as one.

use std::time::Instant;

use alloy_primitives::{Bytes, hex};
use jsonrpsee::MethodResponse;
use jsonrpsee::server::ResponsePayload;
use jsonrpsee::types::{ErrorObjectOwned, Id, Params, Request};

use crate::args::Args;
use crate::intake::Intake;
use crate::{RpcError, metrics};

/// The method that sends one.
pub(crate) const SEND_RAW: &str = "eth_sendRawTransaction";

/// Transactions of a batch with the places of their answers.
pub(crate) struct Submissions<'a> {
    entries: Vec<(usize, Id<'a>)>,
    encoded: Vec<Bytes>,
    started: Instant,
}

impl<'a> Submissions<'a> {
    /// None yet; room for as many as the batch has entries.
    pub(crate) fn new(entries: usize) -> Self {
        Self {
            entries: Vec::with_capacity(entries),
            encoded: Vec::with_capacity(entries),
            started: Instant::now(),
        }
    }

    /// Takes the batch's entry at `position`.
    ///
    /// # Errors
    /// The answer to an entry whose parameters are no transaction.
    pub(crate) fn push(
        &mut self,
        position: usize,
        request: Request<'a>,
    ) -> Result<(), MethodResponse> {
        let params = Params::new(request.params.as_ref().map(|params| params.get()));
        match raw_transaction(&params) {
            Ok(encoded) => {
                self.encoded.push(encoded);
                self.entries.push((position, request.id));
                Ok(())
            }
            Err(error) => {
                metrics::answered(SEND_RAW, false, self.started.elapsed());
                Err(MethodResponse::error(
                    request.id,
                    ErrorObjectOwned::from(error),
                ))
            }
        }
    }

    /// Sends all on their way and hands each answer to `put`, with its entry's position.
    pub(crate) async fn submit(
        self,
        intake: &Intake,
        response_bytes_max: usize,
        mut put: impl FnMut(usize, MethodResponse),
    ) {
        if self.encoded.is_empty() {
            return;
        }
        let outcomes = intake.send_batch(self.encoded).await;
        let count = outcomes.len();
        let mut accepted = 0;
        for ((position, id), outcome) in self.entries.into_iter().zip(outcomes) {
            let answer = match outcome {
                Ok(hash) => {
                    accepted += 1;
                    let hash = ResponsePayload::success(hash);
                    MethodResponse::response(id, hash, response_bytes_max)
                }
                Err(error) => MethodResponse::error(id, ErrorObjectOwned::from(error)),
            };
            put(position, answer);
        }
        let took = self.started.elapsed();
        metrics::answered_many(SEND_RAW, true, took, accepted);
        metrics::answered_many(SEND_RAW, false, took, count - accepted);
    }
}

/// The transaction in the parameters of [`SEND_RAW`].
pub(crate) fn raw_transaction(params: &Params<'_>) -> Result<Bytes, RpcError> {
    if let Some(encoded) = params.as_str().and_then(plain) {
        return Ok(encoded);
    }
    let args = Args::parse(params)?;
    args.at_most(1)?;
    args.required(0, "transaction")
}

/// The usual form, a list of one prefixed hex string, decoded without building a list first. Whatever
/// else it may be is not judged here.
fn plain(params: &str) -> Option<Bytes> {
    let text = params.trim_ascii().strip_prefix('[')?.strip_suffix(']')?;
    let digits = text.trim_ascii().strip_prefix("\"0x")?.strip_suffix('"')?;
    // Quotes, commas and escapes are no hex digits.
    hex::decode(digits).ok().map(Bytes::from)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(params: &str) -> Result<Bytes, String> {
        raw_transaction(&Params::new(Some(params))).map_err(|error| error.to_string())
    }

    #[test]
    fn one_hex_string_is_a_transaction_however_it_is_spaced() {
        let expected = Ok(Bytes::from_static(&[0x02, 0xab]));
        for params in [
            r#"["0x02ab"]"#,
            " [ \"0x02AB\" ] ",
            "[\n\"0x02aB\"\t]",
            r#"["\u0030x02ab"]"#,
            r#"["0x02ab", null]"#,
        ] {
            let wanted = if params.contains("null") {
                Err("invalid params: params: too many arguments, want at most 1".to_owned())
            } else {
                expected.clone()
            };
            assert_eq!(read(params), wanted, "{params}");
        }
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        for params in [
            r#"["0x0"]"#,
            r#"["0x02","0x03"]"#,
            r#"[["0x02"]]"#,
            r#"["0x0g"]"#,
            r#"{"0x":"02"}"#,
            "[]",
            "[1]",
        ] {
            let error = read(params).unwrap_err();
            assert!(error.starts_with("invalid params: "), "{params}: {error}");
        }
    }
}
