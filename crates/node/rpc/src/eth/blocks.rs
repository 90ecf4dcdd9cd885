//! Blocks and how they are named.

use std::sync::Arc;

use alloy_consensus::{Header, Sealed};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B64, B256, U256};
use alloy_rlp::Encodable;
use alloy_rpc_types_eth::{Block, BlockTransactions, Header as RpcHeader, Withdrawals};
use blockwright_pending::PendingBlock;
use blockwright_types::SealedBlock;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::eth::TransactionView;
use crate::overlay::Shown;
use crate::{EthApi, Placeholders, RpcError};

use super::transactions::block_transactions;

/// A block as JSON-RPC shows it.
pub(crate) type RpcBlock = Block<TransactionView, HeaderView>;

/// One byte: an empty RLP list.
const EMPTY_LIST_BYTES: usize = 1;

impl EthApi {
    /// The number of the head.
    pub(crate) fn block_number(&self) -> u64 {
        self.deps.store.head().number
    }

    /// The hash that a block's name stands for; `None` where there is no such block (yet).
    pub(crate) fn block_hash(&self, id: BlockId) -> Option<B256> {
        let store = &self.deps.store;
        match id {
            BlockId::Hash(hash) => {
                let known =
                    !hash.require_canonical.unwrap_or(false) || store.is_canonical(hash.block_hash);
                known.then_some(hash.block_hash)
            }
            BlockId::Number(tag) => match tag {
                // What cannot grow is answered from what is settled.
                BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => Some(store.head().hash),
                BlockNumberOrTag::Safe => store.safe().map(|block| block.hash),
                BlockNumberOrTag::Finalized => store.finalized().map(|block| block.hash),
                BlockNumberOrTag::Earliest => store.canonical_hash(0),
                BlockNumberOrTag::Number(number) => store.canonical_hash(number),
            },
        }
    }

    /// A block by name; `None` where there is none.
    pub(crate) fn find_block(&self, id: BlockId) -> Option<Arc<SealedBlock>> {
        self.deps.store.block_by_hash(self.block_hash(id)?)
    }

    /// A block that a method cannot do without.
    pub(crate) fn block(&self, id: BlockId) -> Result<Arc<SealedBlock>, RpcError> {
        self.find_block(id).ok_or(RpcError::UnknownBlock(id))
    }

    /// `eth_getBlockBy…`.
    pub(crate) fn rpc_block(&self, id: BlockId, full: bool) -> Result<Option<RpcBlock>, RpcError> {
        self.shown(id)
            .map(|shown| rpc_block(&shown, full))
            .transpose()
    }

    /// `eth_getBlockTransactionCountBy…`.
    pub(crate) fn transaction_count_of(&self, id: BlockId) -> Option<U256> {
        let shown = self.shown(id)?;
        Some(U256::from(shown.block().transaction_count()))
    }

    /// `eth_getUncleCountBy…`: none since the Merge, so the block must only exist.
    pub(crate) fn uncle_count(&self, id: BlockId) -> Option<U256> {
        self.shown(id).map(|_| U256::ZERO)
    }
}

/// A block as JSON-RPC shows it.
pub(crate) fn rpc_block(shown: &Shown, full: bool) -> Result<RpcBlock, RpcError> {
    let block = shown.block();
    let transactions = if full {
        BlockTransactions::Full(block_transactions(shown))
    } else {
        BlockTransactions::Hashes(block.transactions().map(|tx| tx.hash).collect())
    };
    let header = match shown {
        Shown::Stored(block) => HeaderView::Stored(Box::new(header_view(block))),
        Shown::Preconfirmed(pending, placeholders) => preconfirmed_header(pending, *placeholders)?,
    };
    Ok(Block {
        withdrawals: block
            .header
            .withdrawals_root
            .map(|_| Withdrawals::default()),
        header,
        uncles: Vec::new(),
        transactions,
    })
}

/// A header as it goes over the wire.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum HeaderView {
    /// Of a sealed block.
    Stored(Box<RpcHeader>),
    /// With placeholders.
    Preconfirmed(Map<String, Value>),
}

fn preconfirmed_header(
    pending: &PendingBlock,
    placeholders: Placeholders,
) -> Result<HeaderView, RpcError> {
    let mut header = header_view(&pending.block);
    header.hash = B256::ZERO;
    header.inner.nonce = B64::from(pending.index.to_be_bytes());
    let json = serde_json::to_value(&header);
    let Ok(Value::Object(mut fields)) = json else {
        return Err(RpcError::Internal("a header is no JSON object".to_owned()));
    };
    if placeholders == Placeholders::Standard {
        for name in ["hash", "nonce"] {
            fields.insert(name.to_owned(), Value::Null);
        }
    }
    Ok(HeaderView::Preconfirmed(fields))
}

/// A header as JSON-RPC shows it, with the block's size.
pub(crate) fn header_view(block: &SealedBlock) -> RpcHeader {
    let sealed = Sealed::new_unchecked(block.header.clone(), block.hash);
    RpcHeader::from_consensus(sealed, None, Some(U256::from(size_bytes(block))))
}

/// Size of the block's RLP form in bytes.
fn size_bytes(block: &SealedBlock) -> usize {
    let transactions: usize = block
        .transactions()
        .map(|tx| {
            let bytes = tx.encoded.len();
            // Typed transactions stand as strings in the list, legacy ones as they are.
            let legacy = tx.encoded.first().is_some_and(|first| *first >= 0xc0);
            if legacy { bytes } else { with_header(bytes) }
        })
        .sum();
    let withdrawals = block
        .header
        .withdrawals_root
        .map_or(0, |_| EMPTY_LIST_BYTES);
    with_header(
        header_bytes(&block.header) + with_header(transactions) + EMPTY_LIST_BYTES + withdrawals,
    )
}

fn header_bytes(header: &Header) -> usize {
    header.length()
}

fn with_header(payload_bytes: usize) -> usize {
    payload_bytes + alloy_rlp::length_of_length(payload_bytes)
}
