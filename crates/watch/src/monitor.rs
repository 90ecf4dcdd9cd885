//! What a stream shows, frame by frame. Pure: time comes with the frames.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_flashblocks::{OpFlashblockPayload, decode_v1};
use blockwright_verify::{Outcome, Report, Sequence, SequenceRules, Verifier, VerifierRules};
use serde::Serialize;

use crate::fork::fork_of;
use crate::{Heard, SealedBlock};

/// Blocks that are remembered.
const BLOCKS_MAX: usize = 256;
/// Flashblocks that are remembered of each.
const FLASHBLOCKS_MAX: usize = 4_096;

/// Something that is wrong with a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// In words, with the values that disagree.
    pub text: String,
}

/// Kinds of [`Finding`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Not a flashblock of dialect `v1`.
    Undecodable,
    /// It is not the next one.
    Gap,
    /// It was seen before.
    Duplicate,
    /// It belongs to a payload that a newer one has replaced.
    Superseded,
    /// Two contents for one payload id and index.
    Equivocation,
    /// It contradicts itself or its payload.
    Invalid,
    /// Its block replaces one of the same or a higher number.
    Reorg,
    /// The block that the flashblocks make is not the one they claim.
    Block,
    /// Its transactions are not in the declared order.
    Order,
    /// The node sealed another block.
    Sealed,
}

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
    /// Whether it has a state root.
    pub has_root: bool,
    /// Hash of the block so far; zero where it carries no roots.
    pub block_hash: B256,
    /// Root of the receipts of the block so far.
    pub receipts_root: B256,
    /// Whether its block was proved up to here; `None` without verification, and where it carries no
    /// roots: then its contents agree with each other, and the hash that proves them is yet to come.
    pub verified: Option<bool>,
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

    /// Hash of the block so far.
    pub fn hash(&self) -> Option<B256> {
        self.flashblocks.last().map(|seen| seen.block_hash)
    }
}

/// Sums since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Frames.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Transactions of accepted flashblocks.
    pub transactions: u64,
    /// Things that are wrong.
    pub findings: u64,
}

#[derive(Debug)]
enum Checker {
    Sequence(Box<Sequence>),
    Verifier(Box<Verifier>),
}

/// Follows a stream of dialect `v1`.
#[derive(Debug)]
pub struct Monitor {
    checker: Checker,
    blocks: VecDeque<BlockSeen>,
    previous_us: Option<u64>,
    totals: Totals,
}

impl Monitor {
    /// Follows a stream. With `verify` each block is proved from its flashblocks and their order is
    /// checked, which costs a signature's recovery (33 µs) for each transaction.
    pub fn new(verify: bool) -> Self {
        let checker = if verify {
            Checker::Verifier(Box::new(Verifier::new(VerifierRules::v1())))
        } else {
            Checker::Sequence(Box::new(Sequence::new(SequenceRules::default())))
        };
        Self {
            checker,
            blocks: VecDeque::new(),
            previous_us: None,
            totals: Totals::default(),
        }
    }

    /// The last blocks, oldest first; at most 256.
    pub const fn blocks(&self) -> &VecDeque<BlockSeen> {
        &self.blocks
    }

    /// Sums.
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Takes the next frame.
    pub fn hear(&mut self, heard: &Heard) -> FlashblockSeen {
        self.totals.frames += 1;
        self.totals.bytes += heard.frame.len() as u64;
        let since_us = self
            .previous_us
            .map(|before| heard.at_us.saturating_sub(before));
        self.previous_us = Some(heard.at_us);
        let since_previous_ms = since_us.map(|us| us as f64 / 1_000.0);
        let seen = match decode_v1(&heard.frame) {
            Ok(flashblock) => self.flashblock(&Arc::new(flashblock), heard, since_previous_ms),
            Err(error) => undecodable(heard, since_previous_ms, error.to_string()),
        };
        self.totals.findings += seen.findings.len() as u64;
        seen
    }

    fn flashblock(
        &mut self,
        flashblock: &Arc<OpFlashblockPayload>,
        heard: &Heard,
        since_previous_ms: Option<f64>,
    ) -> FlashblockSeen {
        let mut findings = Vec::new();
        let (accepted, verified) = self.check(flashblock, &mut findings);
        let diff = &flashblock.diff;
        if accepted && flashblock.index == 0 {
            findings.extend(self.reorg(flashblock.block_number()));
            self.open(flashblock);
        }
        let seen = FlashblockSeen {
            at_us: heard.at_us,
            block_number: flashblock.block_number(),
            payload_id: flashblock.payload_id.to_string(),
            index: flashblock.index,
            transactions: diff.transactions.len(),
            gas_used: diff.gas_used,
            size_bytes: heard.frame.len(),
            since_previous_ms,
            has_root: !diff.state_root.is_zero(),
            block_hash: diff.block_hash,
            receipts_root: diff.receipts_root,
            verified,
            findings,
        };
        if let Some(block) = self.blocks.back_mut()
            && block.payload_id == seen.payload_id
        {
            if accepted {
                block.transactions += seen.transactions;
                self.totals.transactions += seen.transactions as u64;
            }
            if block.flashblocks.len() < FLASHBLOCKS_MAX {
                block.flashblocks.push(seen.clone());
            }
        }
        seen
    }

    /// Whether the flashblock continues the stream, and whether its block was proved.
    fn check(
        &mut self,
        flashblock: &Arc<OpFlashblockPayload>,
        findings: &mut Vec<Finding>,
    ) -> (bool, Option<bool>) {
        match &mut self.checker {
            Checker::Sequence(sequence) => {
                let outcome = sequence.check(flashblock);
                findings.extend(of_outcome(&outcome));
                (outcome.is_accepted(), None)
            }
            Checker::Verifier(verifier) => {
                let report = verifier.check(flashblock, |_| fork_of(flashblock));
                findings.extend(of_report(&report));
                let proved = match &report.block {
                    Some(Ok(prefix)) if prefix.block_hash.is_none() && report.is_clean() => None,
                    _ => Some(report.is_clean()),
                };
                (report.outcome.is_accepted(), proved)
            }
        }
    }

    fn reorg(&self, number: u64) -> Option<Finding> {
        let last = self.blocks.back()?.number;
        (number <= last).then(|| Finding {
            kind: FindingKind::Reorg,
            text: format!("block {number} after block {last}"),
        })
    }

    fn open(&mut self, flashblock: &OpFlashblockPayload) {
        if self.blocks.len() == BLOCKS_MAX {
            self.blocks.pop_front();
        }
        let base = flashblock.base.as_ref();
        self.blocks.push_back(BlockSeen {
            number: flashblock.block_number(),
            payload_id: flashblock.payload_id.to_string(),
            timestamp_s: base.map(|base| base.timestamp),
            gas_limit: base.map(|base| base.gas_limit),
            flashblocks: Vec::new(),
            transactions: 0,
        });
    }

    /// Notes what a node sealed at `number`; says so where that is another block than the one that
    /// was streamed last under this number. A flashblock without roots is compared by the root of its
    /// receipts and its gas.
    pub fn sealed(&mut self, number: u64, sealed: &SealedBlock) -> Option<Finding> {
        let block = self
            .blocks
            .iter_mut()
            .rev()
            .find(|block| block.number == number)?;
        // A block may be sealed before its last planned flashblock.
        if block.flashblocks.iter().any(|seen| seen.is_of(sealed)) {
            return None;
        }
        let streamed = block.flashblocks.last_mut()?;
        let hash = sealed.hash;
        let text = if streamed.has_root {
            format!("sealed {hash}, streamed {}", streamed.block_hash)
        } else {
            format!("sealed {hash}, which has other receipts or gas than what was streamed")
        };
        let finding = Finding {
            kind: FindingKind::Sealed,
            text,
        };
        streamed.findings.push(finding.clone());
        self.totals.findings += 1;
        Some(finding)
    }
}

impl FlashblockSeen {
    /// Whether `sealed` can be the block that ends with this flashblock.
    fn is_of(&self, sealed: &SealedBlock) -> bool {
        if self.has_root {
            return self.block_hash == sealed.hash;
        }
        (self.receipts_root, self.gas_used) == (sealed.receipts_root, sealed.gas_used)
    }
}

fn undecodable(heard: &Heard, since_previous_ms: Option<f64>, cause: String) -> FlashblockSeen {
    FlashblockSeen {
        at_us: heard.at_us,
        block_number: 0,
        payload_id: String::new(),
        index: 0,
        transactions: 0,
        gas_used: 0,
        size_bytes: heard.frame.len(),
        since_previous_ms,
        has_root: false,
        block_hash: B256::ZERO,
        receipts_root: B256::ZERO,
        verified: None,
        findings: vec![Finding {
            kind: FindingKind::Undecodable,
            text: cause,
        }],
    }
}

fn of_outcome(outcome: &Outcome) -> Option<Finding> {
    let (kind, text) = match outcome {
        Outcome::Accepted => return None,
        Outcome::Duplicate => (FindingKind::Duplicate, "seen before".to_owned()),
        Outcome::Skipped { expected } => {
            (FindingKind::Gap, format!("index {expected} was expected"))
        }
        Outcome::Superseded { by } => (FindingKind::Superseded, format!("payload {by} runs")),
        Outcome::Equivocation(proof) => (
            FindingKind::Equivocation,
            format!(
                "a second content for index {} of payload {}",
                proof.index, proof.payload_id
            ),
        ),
        Outcome::Invalid(error) => (FindingKind::Invalid, error.to_string()),
    };
    Some(Finding { kind, text })
}

fn of_report(report: &Report) -> Vec<Finding> {
    let mut findings: Vec<_> = of_outcome(&report.outcome).into_iter().collect();
    if let Some(Err(error)) = &report.block {
        findings.push(Finding {
            kind: FindingKind::Block,
            text: error.to_string(),
        });
    }
    if let Some(Err(violation)) = &report.order {
        findings.push(Finding {
            kind: FindingKind::Order,
            text: violation.to_string(),
        });
    }
    findings
}
