//! What a batch was answered.

use http::StatusCode;
use memchr::memmem;
use serde::Deserialize;

use super::connection::Reply;

/// The answer to one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A transaction hash.
    Accepted,
    /// The builder takes no more at the moment: asked again soon, it may.
    Busy(String),
    /// The pool, or the sender's share of it, is full: it takes more once a block was sealed.
    Full(String),
    /// A transaction before it is missing, as happens when that one was refused.
    Gap(String),
    /// An error that sending again does not change.
    Refused(String),
    /// The batch was answered, but not this transaction.
    Missing,
}

#[derive(Deserialize)]
struct Response {
    id: Option<u64>,
    error: Option<ErrorObject>,
}

#[derive(Deserialize)]
struct ErrorObject {
    message: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Responses {
    Batch(Vec<Response>),
    Single(Response),
}

/// Reads the answer to a batch with the given ids, in their order. Where nothing was refused it is
/// scanned, not parsed.
pub(super) fn read(reply: &Reply, ids: &[u64]) -> Vec<Answer> {
    if matches!(
        reply.status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        return vec![Answer::Busy(format!("HTTP {}", reply.status)); ids.len()];
    }
    if reply.status != StatusCode::OK {
        return vec![Answer::Refused(format!("HTTP {}", reply.status)); ids.len()];
    }
    if all_accepted(&reply.body, ids.len()) {
        return vec![Answer::Accepted; ids.len()];
    }
    match serde_json::from_slice(&reply.body) {
        Ok(Responses::Batch(responses)) => by_id(responses, ids),
        // One error for the whole batch.
        Ok(Responses::Single(response)) => vec![classify(response.error); ids.len()],
        Err(cause) => vec![Answer::Refused(format!("answer is not JSON-RPC: {cause}")); ids.len()],
    }
}

/// Nothing else in an answer can contain these words: results are hashes.
fn all_accepted(body: &[u8], count: usize) -> bool {
    memmem::find(body, br#""error""#).is_none()
        && memmem::find_iter(body, br#""result""#).count() == count
}

fn by_id(responses: Vec<Response>, ids: &[u64]) -> Vec<Answer> {
    let mut answers = vec![Answer::Missing; ids.len()];
    for response in responses {
        // A batch's ids ascend.
        let at = response.id.and_then(|id| ids.binary_search(&id).ok());
        if let Some(answer) = at.and_then(|at| answers.get_mut(at)) {
            *answer = classify(response.error);
        }
    }
    answers
}

/// Texts of op-geth, reth and Blockwright, in lower case.
const BUSY: [&str; 5] = [
    "try again",
    "is busy",
    "too many requests",
    "rate limit",
    "overloaded",
];
const FULL: [&str; 3] = ["pool is full", "pool full", "account limit exceeded"];
const GAP: [&str; 3] = ["nonce too high", "nonce gap", "gapped"];
const KNOWN: [&str; 2] = ["already known", "already imported"];

fn classify(error: Option<ErrorObject>) -> Answer {
    let Some(ErrorObject { message }) = error else {
        return Answer::Accepted;
    };
    let text = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&KNOWN) {
        Answer::Accepted
    } else if says(&BUSY) {
        Answer::Busy(message)
    } else if says(&FULL) {
        Answer::Full(message)
    } else if says(&GAP) {
        Answer::Gap(message)
    } else {
        Answer::Refused(message)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
