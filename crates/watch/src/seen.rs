//! Blocks and flashblocks as they were seen.

use alloy_primitives::{Address, B256};
use serde::Serialize;

use crate::{Finding, FindingKind, SealedBlock};

/// A flashblock as it was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FlashblockSeen {
    /// Arrival, in microseconds since the epoch.
    pub at_us: u64,
    /// Number of its block; 0 where it could not be decoded.
    pub block_number: u64,
    /// Id of its payload.
    pub payload_id: String,
    /// Its index.
    pub index: u64,
    /// Transactions it adds.
    pub transactions: usize,
    /// Gas that its block uses so far.
    pub gas_used: u64,
    /// Size of the frame in bytes.
    pub size_bytes: usize,
    /// Milliseconds since the frame before it; `None` for the first one.
    pub since_previous_ms: Option<f64>,
    /// Arrival in milliseconds after the timestamp of its block, negative before it; `None` where that is
    /// not known.
    pub after_timestamp_ms: Option<f64>,
    /// Whether it has a state root.
    pub has_root: bool,
    /// Hash of the block so far; zero where it carries no roots.
    pub block_hash: B256,
    /// Root of the receipts of the block so far.
    pub receipts_root: B256,
    /// Whether its block was proved up to here; `None` without verification, and where it carries no
    /// roots: then its contents agree with each other, and the hash that proves them is yet to come.
    pub verified: Option<bool>,
    /// Who signed it, where signatures are checked and it has one: expected or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<Address>,
    /// Whether it continues the stream.
    #[serde(skip)]
    pub is_accepted: bool,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// A block as it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockSeen {
    /// Its number.
    pub number: u64,
    /// Id of its payload.
    pub payload_id: String,
    /// Its timestamp in seconds, from index 0.
    pub timestamp_s: Option<u64>,
    /// Its gas limit, from index 0.
    pub gas_limit: Option<u64>,
    /// Its flashblocks, in order of arrival; those that were not accepted included.
    pub flashblocks: Vec<FlashblockSeen>,
    /// Transactions of its accepted flashblocks.
    pub transactions: usize,
}

impl BlockSeen {
    /// What is wrong with it.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.flashblocks.iter().flat_map(|seen| &seen.findings)
    }

    /// Gas used so far.
    pub fn gas_used(&self) -> u64 {
        self.flashblocks.last().map_or(0, |seen| seen.gas_used)
    }

    /// Arrival of its first and of its last accepted flashblock, in milliseconds after its timestamp.
    pub fn arrival_ms(&self) -> Option<(f64, f64)> {
        let accepted = self.flashblocks.iter().filter(|seen| seen.is_accepted);
        let mut times = accepted.filter_map(|seen| seen.after_timestamp_ms);
        let first = times.next()?;
        Some((first, times.next_back().unwrap_or(first)))
    }

    /// What `sealed` has not of this block, each with the position of its flashblock.
    pub(crate) fn compare(&self, sealed: &SealedBlock) -> Vec<(usize, Finding)> {
        let own = self.flashblocks.iter().filter(|seen| !seen.is_second());
        let ends = own.filter(|seen| seen.is_of(sealed));
        // A block may be sealed before its last planned flashblock.
        if let Some(end) = ends.map(|seen| seen.index).max() {
            return self.published_after(end);
        }
        let Some(streamed) = self.flashblocks.last() else {
            return Vec::new();
        };
        let hash = sealed.hash;
        let text = if streamed.has_root {
            format!("sealed {hash}, streamed {}", streamed.block_hash)
        } else {
            format!("sealed {hash}, which has other receipts or gas than what was streamed")
        };
        let finding = Finding::new(FindingKind::Sealed, &text);
        vec![(self.flashblocks.len() - 1, finding)]
    }

    /// Flashblocks with transactions behind index `end`, at which the block was sealed: by their positions.
    pub(crate) fn published_after(&self, end: u64) -> Vec<(usize, Finding)> {
        let mut last = end;
        let mut lost = Vec::new();
        for (position, seen) in self.flashblocks.iter().enumerate() {
            // Repetitions and second contents stand behind the index that they repeat.
            if seen.index <= last || seen.transactions == 0 || seen.is_second() {
                continue;
            }
            last = seen.index;
            let text = format!(
                "flashblock {} with {} transactions was published, and the block was sealed as of \
                 flashblock {end}",
                seen.index, seen.transactions
            );
            lost.push((position, Finding::new(FindingKind::Unsealed, &text)));
        }
        lost
    }

    /// Hash of the block so far.
    pub fn hash(&self) -> Option<B256> {
        self.flashblocks.last().map(|seen| seen.block_hash)
    }
}

impl FlashblockSeen {
    /// Something that could not be read.
    pub(crate) fn unread(at_us: u64, size_bytes: usize, findings: Vec<Finding>) -> Self {
        Self {
            at_us,
            block_number: 0,
            payload_id: String::new(),
            index: 0,
            transactions: 0,
            gas_used: 0,
            size_bytes,
            since_previous_ms: None,
            after_timestamp_ms: None,
            has_root: false,
            block_hash: B256::ZERO,
            receipts_root: B256::ZERO,
            verified: None,
            signer: None,
            is_accepted: false,
            findings,
        }
    }

    /// Whether its place had another content before.
    fn is_second(&self) -> bool {
        let mut kinds = self.findings.iter().map(|finding| finding.kind);
        kinds.any(|kind| kind == FindingKind::Equivocation) && !self.is_accepted
    }

    /// Whether `sealed` can be the block that ends with this flashblock.
    fn is_of(&self, sealed: &SealedBlock) -> bool {
        if self.has_root {
            return self.block_hash == sealed.hash;
        }
        (self.receipts_root, self.gas_used) == (sealed.receipts_root, sealed.gas_used)
    }
}
