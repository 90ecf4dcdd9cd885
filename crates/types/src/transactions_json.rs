//! The transactions of a part as JSON text.

use std::sync::{Mutex, PoisonError};

use alloy_primitives::{Bytes, hex};

use crate::SharedTx;

/// Bytes around the digits of one transaction: quotes, `0x` and a comma.
const AROUND_BYTES: usize = 5;

/// Text that is made when it is first wanted, shared by all who want it, and can be let go of.
///
/// The stream's frames, the answers to the consensus client and the comparison with what it hands
/// back all contain a block's transactions in this one form; a large block has megabytes of it.
#[derive(Debug, Default)]
pub(crate) struct TransactionsJson(Mutex<Option<Bytes>>);

impl TransactionsJson {
    /// The items of a JSON list, without its brackets.
    pub(crate) fn get(&self, transactions: &[SharedTx]) -> Bytes {
        // The text is put in place whole, so a panic elsewhere leaves nothing half-made.
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.get_or_insert_with(|| render(transactions)).clone()
    }

    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Clone for TransactionsJson {
    /// The text is not cloned along: whoever wants it of the copy makes it.
    fn clone(&self) -> Self {
        Self::default()
    }
}

fn render(transactions: &[SharedTx]) -> Bytes {
    let digits: usize = transactions.iter().map(|tx| 2 * tx.encoded.len()).sum();
    let mut out = Vec::with_capacity(digits + AROUND_BYTES * transactions.len());
    for (position, tx) in transactions.iter().enumerate() {
        out.extend_from_slice(if position == 0 { b"\"0x" } else { b",\"0x" });
        let start = out.len();
        out.resize(start + 2 * tx.encoded.len(), 0);
        hex::encode_to_slice(&tx.encoded, &mut out[start..])
            .expect("the target is twice as long as the bytes");
        out.push(b'"');
    }
    out.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use alloy_primitives::Address;
    use op_alloy_consensus::{OpTxEnvelope, TxDeposit};

    use super::*;
    use crate::{BlockPart, RecoveredTx};

    fn part(encoded: &[&[u8]]) -> BlockPart {
        let tx = |bytes: &&[u8]| {
            let envelope = OpTxEnvelope::from(TxDeposit::default());
            let encoded = Bytes::copy_from_slice(bytes);
            Arc::new(RecoveredTx::new(envelope, encoded, Address::ZERO))
        };
        BlockPart::new(encoded.iter().map(tx).collect(), Vec::new(), Vec::new())
    }

    #[test]
    fn items_of_a_list_as_the_bytes_are_written_everywhere() {
        let (none, one): (&[&[u8]], &[&[u8]]) = (&[], &[b"\x7e\x00\xff"]);
        let more: &[&[u8]] = &[b"\x02", b"", b"\xab\xcd"];
        for encoded in [none, one, more] {
            let part = part(encoded);
            let bytes: Vec<&Bytes> = part.transactions.iter().map(|tx| &tx.encoded).collect();
            let items: Vec<String> = bytes.iter().map(|bytes| format!("\"{bytes}\"")).collect();
            assert_eq!(
                part.transactions_json(),
                Bytes::from(items.join(",").into_bytes())
            );
        }
    }

    #[test]
    fn made_once_until_it_is_forgotten() {
        let part = part(&[b"\x01\x02"]);
        let first = part.transactions_json();
        assert_eq!(first.as_ptr(), part.transactions_json().as_ptr());
        part.forget_transactions_json();
        let again = part.transactions_json();
        assert_eq!(again, first);
        assert_ne!(again.as_ptr(), first.as_ptr());
        let copy = part.clone();
        assert_ne!(copy.transactions_json().as_ptr(), again.as_ptr());
        assert_eq!(part.transactions_json().as_ptr(), again.as_ptr());
    }
}
