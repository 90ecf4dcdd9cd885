//! Finding our own block in a request.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_payload::TransactionsText;
use blockwright_types::SealedBlock;
use bytes::{Bytes, BytesMut};
use jsonrpsee::core::BoxError;
use jsonrpsee::server::HttpBody;
use memchr::memmem;

use super::body::{Pieces, next_data};
use super::text::{Matching, Progress};

/// Where the list of transactions begins, as every consensus client writes it.
const LIST: &[u8] = b"\"transactions\":[";
const BLOCK_HASH: &[u8] = b"\"blockHash\":\"0x";
/// A header's fields take less, however they are ordered; a list that begins later is not looked
/// for.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// What may follow the list: the other fields and parameters.
const TAIL_BYTES_MAX: usize = 64 * 1024;

/// A request's body after it was looked at.
#[derive(Debug)]
pub(super) enum Received {
    /// The list of transactions is that of `block`, byte for byte; `body` is the request with
    /// another list in its place.
    Recognised {
        block: Arc<SealedBlock>,
        body: Vec<u8>,
    },
    /// Anything else, as it came.
    Ordinary(HttpBody),
}

/// Reads as much of `body` as it takes to tell. `built` finds our own blocks by hash; `stand_in`
/// is the text of the one item of the list that stands for theirs.
pub(super) async fn receive(
    mut body: HttpBody,
    built: impl Fn(B256) -> Option<Arc<SealedBlock>>,
    stand_in: &str,
) -> Result<Received, BoxError> {
    let mut head = BytesMut::new();
    let mut searched = 0;
    let list_at = loop {
        if let Some(found) = memmem::find(&head[searched..], LIST) {
            break searched + found + LIST.len();
        }
        searched = head.len().saturating_sub(LIST.len());
        if head.len() > HEAD_BYTES_MAX || !is_call(&head) {
            return Ok(passed_on(head, body));
        }
        match next_data(&mut body).await {
            Some(data) => head.extend_from_slice(&data?),
            None => return Ok(passed_on(head, body)),
        }
    };
    let Some(block) = block_hash(&head[..list_at]).and_then(built) else {
        return Ok(passed_on(head, body));
    };
    let behind = head.split_off(list_at).freeze();
    compare(head.freeze(), behind, body, block, stand_in).await
}

/// Whether a request can be a single call; batches are left to themselves.
fn is_call(head: &[u8]) -> bool {
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    first.is_none_or(|byte| *byte == b'{')
}

fn passed_on(head: BytesMut, rest: HttpBody) -> Received {
    let mut pieces = Pieces::default();
    pieces.push(head.freeze());
    Received::Ordinary(pieces.followed_by(rest))
}

fn block_hash(head: &[u8]) -> Option<B256> {
    let at = memmem::find(head, BLOCK_HASH)? + BLOCK_HASH.len();
    let digits = head.get(at..at + 64)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Compares what follows the list's beginning with the transactions of `block`.
async fn compare(
    head: Bytes,
    behind: Bytes,
    mut body: HttpBody,
    block: Arc<SealedBlock>,
    stand_in: &str,
) -> Result<Received, BoxError> {
    let text = TransactionsText::of(&block);
    let mut matching = Matching::new(&text);
    let mut progress = matching.step(behind);
    let tail = loop {
        match progress {
            Progress::Complete { data } if !data.is_empty() => break data,
            Progress::Open | Progress::Complete { .. } => {}
            Progress::Differs { data } => return Ok(unlike(head, &matching, data, body)),
        }
        match next_data(&mut body).await {
            Some(data) => progress = matching.step(data?),
            None => return Ok(unlike(head, &matching, Bytes::new(), body)),
        }
    };
    // The list must end where the block's does.
    if tail.first() != Some(&b']') {
        return Ok(unlike(head, &matching, tail, body));
    }
    let mut tail = BytesMut::from(tail);
    while tail.len() <= TAIL_BYTES_MAX {
        match next_data(&mut body).await {
            Some(data) => tail.extend_from_slice(&data?),
            None => {
                let body = [&head[..], stand_in.as_bytes(), &tail[..]].concat();
                return Ok(Received::Recognised { block, body });
            }
        }
    }
    Ok(unlike(head, &matching, tail.freeze(), body))
}

/// The request as it came: what was compared is put together again.
fn unlike(head: Bytes, matching: &Matching<'_>, data: Bytes, rest: HttpBody) -> Received {
    let mut pieces = Pieces::default();
    pieces.push(head);
    matching.found(&mut pieces);
    pieces.push(data);
    Received::Ordinary(pieces.followed_by(rest))
}
