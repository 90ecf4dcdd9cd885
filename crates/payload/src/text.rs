//! Payloads as JSON text, made of the text that a block's parts keep.

use blockwright_types::{OpFork, SealedBlock};
use bytes::Bytes;
use memchr::memmem;

use crate::ExecutionPayload;

/// The items of the `transactions` list of a block, in the pieces that its parts keep.
#[derive(Debug)]
pub struct TransactionsText(Vec<Bytes>);

impl TransactionsText {
    /// Of this block.
    pub fn of(block: &SealedBlock) -> Self {
        let mut pieces = Vec::with_capacity(2 * block.parts.len());
        for part in &block.parts {
            if part.transactions.is_empty() {
                continue;
            }
            if !pieces.is_empty() {
                pieces.push(Bytes::from_static(b","));
            }
            pieces.push(part.transactions_json().0);
        }
        Self(pieces)
    }

    /// Its length in bytes.
    pub fn len_bytes(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// The pieces in order, shared with the block.
    pub fn pieces(&self) -> &[Bytes] {
        &self.0
    }

    /// The pieces, shared with whoever has them.
    pub fn into_pieces(self) -> Vec<Bytes> {
        self.0
    }
}

/// The JSON of [`ExecutionPayload::of_block`], in pieces; most of it is shared with the block.
pub fn payload_json(block: &SealedBlock, fork: OpFork) -> Vec<Bytes> {
    const LIST: &[u8] = b"\"transactions\":[";
    let payload = ExecutionPayload::without_transactions(block, fork);
    let text = serde_json::to_vec(&payload).expect("numbers and bytes can be written as JSON");
    let text = Bytes::from(text);
    let list = memmem::find(&text, LIST).expect("the list is a field of every payload");
    let items = list + LIST.len();
    let mut pieces = vec![text.slice(..items)];
    pieces.extend(TransactionsText::of(block).into_pieces());
    pieces.push(text.slice(items..));
    pieces
}
