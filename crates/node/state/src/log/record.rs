//! Payloads of records: blocks and fork choices.
//!
//! A block: number, hash and parent hash at fixed places, then strings with their length before
//! them: header (RLP), value (RLP), post-values, transactions, receipts (RLP list). So recovery
//! reads post-values and transaction hashes without decoding transactions. Post-values are written
//! piece by piece as they arose, later ones overriding earlier ones: to merge those of a large block
//! costs more than to write the accounts that several pieces touch more than once.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::{Decodable, Encodable};
use blockwright_types::{BlockPart, Changes, RecoveredTx, SealedBlock, SharedTx};
use op_alloy_consensus::{OpReceipt, OpTxEnvelope};

use super::changes;
use super::fields::{self, Malformed};
use crate::fork_choice::{BlockRef, Labels};

/// Bytes of a record apart from its transactions' own: hash, sender, receipt and what each changed,
/// as a token's transfer has them, and the header.
const TRANSACTION_BYTES: usize = 400;
const HEADER_BYTES: usize = 1024;

/// Into `out`, whose memory is used again.
pub(super) fn encode_block(block: &SealedBlock, mut out: Vec<u8>) -> Vec<u8> {
    let transactions = block.transactions();
    let size = transactions.map(|tx| tx.encoded.len() + TRANSACTION_BYTES);
    out.clear();
    out.reserve(HEADER_BYTES + size.sum::<usize>());
    fields::put_number(block.header.number, &mut out);
    out.extend_from_slice(block.hash.as_slice());
    out.extend_from_slice(block.header.parent_hash.as_slice());
    fields::put_written(&mut out, |section| block.header.encode(section));
    fields::put_written(&mut out, |section| block.value.encode(section));
    fields::put_written(&mut out, |section| {
        let pieces = block.parts.iter().flat_map(|part| &part.changes);
        pieces.for_each(|piece| changes::encode(piece, section));
    });
    fields::put_written(&mut out, |section| {
        fields::put_count(block.transaction_count(), section);
        for tx in block.transactions() {
            section.extend_from_slice(tx.hash.as_slice());
            section.extend_from_slice(tx.sender.as_slice());
            fields::put_bytes(&tx.encoded, section);
        }
    });
    fields::put_written(&mut out, |section| {
        let receipts: Vec<&OpReceipt> = block.receipts().collect();
        alloy_rlp::encode_list::<_, OpReceipt>(&receipts, section);
    });
    out
}

/// What identifies a block, read from the start of its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockId {
    pub(super) number: u64,
    pub(super) hash: B256,
    pub(super) parent: B256,
}

impl BlockId {
    pub(super) fn read(payload: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self {
            number: fields::number(payload)?,
            hash: fields::hash(payload)?,
            parent: fields::hash(payload)?,
        })
    }
}

/// A block's payload with its sections found, not decoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockRecord<'a> {
    id: BlockId,
    header: &'a [u8],
    value: &'a [u8],
    changes: &'a [u8],
    transactions: &'a [u8],
    receipts: &'a [u8],
}

impl<'a> BlockRecord<'a> {
    pub(super) fn read(mut payload: &'a [u8]) -> Result<Self, Malformed> {
        let record = Self {
            id: BlockId::read(&mut payload)?,
            header: fields::bytes(&mut payload)?,
            value: fields::bytes(&mut payload)?,
            changes: fields::bytes(&mut payload)?,
            transactions: fields::bytes(&mut payload)?,
            receipts: fields::bytes(&mut payload)?,
        };
        fields::end(payload)?;
        Ok(record)
    }

    pub(super) fn changes(&self) -> Result<Changes, Malformed> {
        let mut bytes = self.changes;
        if bytes.is_empty() {
            return Ok(Changes::default());
        }
        let mut all = changes::decode(&mut bytes)?;
        while !bytes.is_empty() {
            all.extend(&changes::decode(&mut bytes)?);
        }
        Ok(all)
    }

    fn each_transaction<T>(
        &self,
        mut read: impl FnMut(B256, Address, &[u8]) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let mut bytes = self.transactions;
        let mut all = Vec::new();
        for _ in 0..fields::count(&mut bytes)? {
            let hash = fields::hash(&mut bytes)?;
            let sender = Address::from_slice(fields::take(&mut bytes, 20)?);
            all.push(read(hash, sender, fields::bytes(&mut bytes)?)?);
        }
        fields::end(bytes)?;
        Ok(all)
    }

    pub(super) fn transaction_hashes(&self) -> Result<Vec<B256>, Malformed> {
        self.each_transaction(|hash, _, _| Ok(hash))
    }

    /// The whole block, as one part.
    pub(super) fn block(&self) -> Result<SealedBlock, Malformed> {
        let transactions = self.each_transaction(|_, sender, encoded| {
            let envelope = OpTxEnvelope::decode_2718_exact(encoded)?;
            let encoded = Bytes::copy_from_slice(encoded);
            Ok(SharedTx::new(RecoveredTx::new(envelope, encoded, sender)))
        })?;
        let changes = vec![Arc::new(self.changes()?)];
        let part = BlockPart::new(transactions, rlp(self.receipts)?, changes);
        Ok(SealedBlock {
            header: rlp::<Header>(self.header)?,
            hash: self.id.hash,
            parts: vec![Arc::new(part)],
            value: rlp::<U256>(self.value)?,
        })
    }

    pub(super) fn header(&self) -> Result<Header, Malformed> {
        rlp(self.header)
    }
}

fn rlp<T: Decodable>(mut bytes: &[u8]) -> Result<T, Malformed> {
    let value = T::decode(&mut bytes)?;
    fields::end(bytes)?;
    Ok(value)
}

pub(super) fn encode_labels(labels: &Labels) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    for at in [Some(labels.head), labels.safe, labels.finalized] {
        out.push(u8::from(at.is_some()));
        if let Some(at) = at {
            fields::put_number(at.number, &mut out);
            out.extend_from_slice(at.hash.as_slice());
        }
    }
    out
}

pub(super) fn decode_labels(mut payload: &[u8]) -> Result<Labels, Malformed> {
    let bytes = &mut payload;
    let head = label(bytes)?.ok_or(Malformed::Short)?;
    let labels = Labels {
        head,
        safe: label(bytes)?,
        finalized: label(bytes)?,
    };
    fields::end(bytes)?;
    Ok(labels)
}

fn label(bytes: &mut &[u8]) -> Result<Option<BlockRef>, Malformed> {
    if fields::byte(bytes)? == 0 {
        return Ok(None);
    }
    Ok(Some(BlockRef {
        number: fields::number(bytes)?,
        hash: fields::hash(bytes)?,
    }))
}
