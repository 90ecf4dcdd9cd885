//! Flashblocks in, a full block out.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::map::{B256Map, Entry};
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_engine::{
    CancunPayloadFields, ExecutionPayloadV1, ExecutionPayloadV2, ExecutionPayloadV3,
    PraguePayloadFields,
};
use blockwright_flashblocks::{OpFlashblockPayload, OpFlashblockPayloadBase};
use blockwright_ordered_trie::OrderedTrie;
use blockwright_types::{OpFork, SharedTx, decode_recovered};
use op_alloy_rpc_types_engine::{
    OpExecutionData, OpExecutionPayload, OpExecutionPayloadSidecar, OpExecutionPayloadV4,
};

use crate::footprint::Footprint;
use crate::receipts::Receipts;
use crate::{BlockError, header};

/// What a block is checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRules {
    /// Rules in force at the block's timestamp.
    pub fork: OpFork,
    /// Whether metadata without receipts are an error. They are not in `?metadata=minimal`.
    pub receipts_required: bool,
    /// Whether a flashblock without a state root is an error. It is not in dialect `subblocks` and
    /// with builders that leave roots out.
    pub roots_required: bool,
    /// Whether the dialect has `blob_gas_used`. `spec` has not: the value is computed.
    pub has_blob_gas_used: bool,
    /// Most bytes of transactions that are kept.
    pub size_max_bytes: usize,
}

impl BlockRules {
    /// Dialect `v1` under `fork`, receipts and roots optional, 256 MiB of transactions.
    pub const fn new(fork: OpFork) -> Self {
        Self {
            fork,
            receipts_required: false,
            roots_required: false,
            has_blob_gas_used: true,
            size_max_bytes: 256 * 1024 * 1024,
        }
    }
}

/// What was verified of the block so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Index of the flashblock that ends it.
    pub index: u64,
    /// Hash of the full, valid header that the flashblocks make; `None` where the last one has no
    /// roots, so that the block so far is not complete.
    pub block_hash: Option<B256>,
    /// Transactions so far.
    pub transactions: usize,
    /// Gas used so far.
    pub gas_used: u64,
    /// Whether `gas_used`, `logs_bloom` and `receipts_root` were checked against receipts, which
    /// every flashblock so far must have had.
    pub receipts_verified: bool,
    /// Whether the DA footprint was recomputed (Jovian, with the L1 attributes in index 0).
    pub footprint_verified: bool,
}

/// Decodes a flashblock's transactions and recovers their senders: 33 µs of elliptic-curve work for
/// each that is not a deposit. Who has them already, or recovers in parallel, needs no call of this.
///
/// # Errors
/// [`BlockError::Transaction`] for the first that cannot be decoded or recovered.
pub fn decode_transactions(flashblock: &OpFlashblockPayload) -> Result<Vec<SharedTx>, BlockError> {
    let encoded = flashblock.diff.transactions.iter();
    encoded
        .enumerate()
        .map(
            |(position, encoded)| match decode_recovered(encoded.clone()) {
                Ok(tx) => Ok(Arc::new(tx)),
                Err(source) => Err(BlockError::Transaction { position, source }),
            },
        )
        .collect()
}

/// The block that the flashblocks of one payload make, checked as it grows.
///
/// Everything is kept incrementally: a flashblock costs what is new in it, and one hash of a header.
#[derive(Debug)]
pub struct Accumulator {
    rules: BlockRules,
    header: Header,
    block_hash: Option<B256>,
    next_index: u64,
    /// Set while a flashblock is looked at, and for good by one that was refuted.
    broken: bool,
    encoded: Vec<Bytes>,
    size_bytes: usize,
    /// Transactions by hash, with the index of their flashblock.
    hashes: B256Map<u64>,
    transactions: OrderedTrie,
    /// `None` after a flashblock that had transactions but no receipts.
    receipts: Option<Receipts>,
    footprint: Footprint,
}

impl Accumulator {
    /// A block of which only the base is known.
    ///
    /// # Errors
    /// [`BlockError::BaseFee`], [`BlockError::ExtraData`] or [`BlockError::BeaconRoot`] where no
    /// header under the fork can have such a base.
    pub fn open(rules: BlockRules, base: &OpFlashblockPayloadBase) -> Result<Self, BlockError> {
        Ok(Self {
            header: header::open(rules.fork, base)?,
            rules,
            block_hash: None,
            next_index: 0,
            broken: false,
            encoded: Vec::new(),
            size_bytes: 0,
            hashes: B256Map::default(),
            transactions: OrderedTrie::default(),
            receipts: Some(Receipts::default()),
            footprint: Footprint::default(),
        })
    }

    /// Adds the next flashblock with its decoded transactions (see [`decode_transactions`]) and
    /// checks all that flashblocks alone can show. What is not checked is whether the transactions
    /// lead to these receipts and this state: that takes the state.
    ///
    /// # Errors
    /// [`BlockError::Index`] leaves the block as it was. After any other error the payload is lost,
    /// since one place has one content, and all later calls return [`BlockError::Broken`].
    pub fn append(
        &mut self,
        flashblock: &OpFlashblockPayload,
        transactions: &[SharedTx],
    ) -> Result<Prefix, BlockError> {
        if self.broken {
            return Err(BlockError::Broken);
        }
        if flashblock.index != self.next_index {
            return Err(BlockError::Index {
                expected: self.next_index,
                got: flashblock.index,
            });
        }
        self.broken = true;
        self.append_transactions(flashblock, transactions)?;
        self.append_receipts(flashblock, transactions)?;
        self.complete(flashblock)?;
        self.next_index = self.next_index.saturating_add(1);
        self.broken = false;
        Ok(Prefix {
            index: flashblock.index,
            block_hash: self.block_hash,
            transactions: self.encoded.len(),
            gas_used: self.header.gas_used,
            receipts_verified: self.receipts.is_some(),
            footprint_verified: self.footprint.gas().is_some(),
        })
    }

    /// The header so far. A full one only where [`Self::block_hash`] is known.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Hash of the block so far; `None` where the last flashblock had no roots.
    pub const fn block_hash(&self) -> Option<B256> {
        self.block_hash
    }

    /// EIP-2718 bytes of all transactions so far.
    pub fn encoded_transactions(&self) -> &[Bytes] {
        &self.encoded
    }

    /// What `engine_newPayload` takes for the block so far, in its fork's version; `None` where the
    /// last flashblock was refuted or had no roots. Costs a reference count a transaction.
    pub fn execution_data(&self) -> Option<OpExecutionData> {
        let block_hash = self.block_hash.filter(|_| !self.broken)?;
        Some(execution_data(
            &self.header,
            block_hash,
            self.encoded.clone(),
        ))
    }

    fn append_transactions(
        &mut self,
        flashblock: &OpFlashblockPayload,
        transactions: &[SharedTx],
    ) -> Result<(), BlockError> {
        let stated = &flashblock.diff.transactions;
        let differs = |(encoded, tx): (&Bytes, &SharedTx)| *encoded != tx.encoded;
        let position = stated.iter().zip(transactions).position(differs);
        if let Some(position) = position {
            return Err(BlockError::Given { position });
        }
        if stated.len() != transactions.len() {
            let position = stated.len().min(transactions.len());
            return Err(BlockError::Given { position });
        }
        if flashblock.index == 0 {
            let first = transactions.first().map(AsRef::as_ref);
            self.footprint = Footprint::open(self.rules.fork, first);
        }
        for (position, tx) in transactions.iter().enumerate() {
            match self.hashes.entry(tx.hash) {
                Entry::Occupied(first) => {
                    return Err(BlockError::Repeated {
                        position,
                        hash: tx.hash,
                        first_index: *first.get(),
                    });
                }
                Entry::Vacant(place) => place.insert(flashblock.index),
            };
            self.size_bytes = self.size_bytes.saturating_add(tx.encoded.len());
            if self.size_bytes > self.rules.size_max_bytes {
                return Err(BlockError::Size {
                    max_bytes: self.rules.size_max_bytes,
                });
            }
            self.footprint.add(tx);
            self.transactions.push(tx.encoded.clone());
            self.encoded.push(tx.encoded.clone());
        }
        Ok(())
    }

    fn append_receipts(
        &mut self,
        flashblock: &OpFlashblockPayload,
        transactions: &[SharedTx],
    ) -> Result<(), BlockError> {
        let diff = &flashblock.diff;
        if flashblock.metadata.receipts.is_empty() && !transactions.is_empty() {
            if self.rules.receipts_required {
                return Err(BlockError::ReceiptsAbsent {
                    transactions: transactions.len(),
                });
            }
            self.receipts = None;
        }
        if let Some(receipts) = &mut self.receipts {
            receipts.append(flashblock, transactions)?;
            return receipts.check(diff);
        }
        let before = self.header.gas_used;
        let unchanged = transactions.is_empty();
        if diff.gas_used < before || (unchanged && diff.gas_used != before) {
            return Err(BlockError::GasUsed {
                stated: diff.gas_used,
                expected: before,
            });
        }
        Ok(())
    }

    /// The cumulative fields, and the hash over everything.
    fn complete(&mut self, flashblock: &OpFlashblockPayload) -> Result<(), BlockError> {
        let (diff, fork) = (&flashblock.diff, self.rules.fork);
        if diff.gas_used > self.header.gas_limit {
            return Err(BlockError::GasLimit {
                gas_used: diff.gas_used,
                gas_limit: self.header.gas_limit,
            });
        }
        header::check_withdrawals(fork, diff)?;
        self.header.blob_gas_used = header::blob_gas_used(
            fork,
            diff.blob_gas_used,
            self.footprint.gas(),
            self.rules.has_blob_gas_used,
        )?;
        header::update(&mut self.header, diff, self.transactions.root(), fork);
        let rootless = diff.state_root.is_zero();
        if rootless && self.rules.roots_required {
            return Err(BlockError::RootsAbsent);
        }
        self.block_hash = None;
        // Without roots there may still be a hash, of the header with zeros in their place.
        if rootless && diff.block_hash.is_zero() {
            return Ok(());
        }
        let computed = self.header.hash_slow();
        if computed != diff.block_hash {
            return Err(BlockError::BlockHash {
                stated: diff.block_hash,
                computed,
            });
        }
        self.block_hash = (!rootless).then_some(computed);
        Ok(())
    }
}

/// The payload's version follows from which fields the header has.
fn execution_data(header: &Header, block_hash: B256, transactions: Vec<Bytes>) -> OpExecutionData {
    let v1 = ExecutionPayloadV1 {
        parent_hash: header.parent_hash,
        fee_recipient: header.beneficiary,
        state_root: header.state_root,
        receipts_root: header.receipts_root,
        logs_bloom: header.logs_bloom,
        prev_randao: header.mix_hash,
        block_number: header.number,
        gas_limit: header.gas_limit,
        gas_used: header.gas_used,
        timestamp: header.timestamp,
        extra_data: header.extra_data.clone(),
        base_fee_per_gas: alloy_primitives::U256::from(header.base_fee_per_gas.unwrap_or_default()),
        block_hash,
        transactions,
    };
    let Some(withdrawals_root) = header.withdrawals_root else {
        return OpExecutionData::new(
            OpExecutionPayload::V1(v1),
            OpExecutionPayloadSidecar::default(),
        );
    };
    let v2 = ExecutionPayloadV2 {
        payload_inner: v1,
        withdrawals: Vec::new(),
    };
    let Some(parent_beacon_block_root) = header.parent_beacon_block_root else {
        return OpExecutionData::new(
            OpExecutionPayload::V2(v2),
            OpExecutionPayloadSidecar::default(),
        );
    };
    let v3 = ExecutionPayloadV3 {
        payload_inner: v2,
        blob_gas_used: header.blob_gas_used.unwrap_or_default(),
        excess_blob_gas: header.excess_blob_gas.unwrap_or_default(),
    };
    let ecotone = CancunPayloadFields {
        parent_beacon_block_root,
        versioned_hashes: Vec::new(),
    };
    match header.requests_hash {
        None => OpExecutionData::new(
            OpExecutionPayload::V3(v3),
            OpExecutionPayloadSidecar::v3(ecotone),
        ),
        Some(requests_hash) => OpExecutionData::new(
            OpExecutionPayload::V4(OpExecutionPayloadV4 {
                payload_inner: v3,
                withdrawals_root,
            }),
            OpExecutionPayloadSidecar::v4(ecotone, PraguePayloadFields::new(requests_hash)),
        ),
    }
}
