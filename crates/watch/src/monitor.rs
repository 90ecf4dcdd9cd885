//! What a stream shows, frame by frame. Pure: time comes with the frames.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::Address;
use blockwright_flashblocks::{Dialect, OpFlashblockPayload};
use blockwright_verify::{Sequence, Verifier, VerifierRules};

use crate::finding::{of_outcome, of_report};
use crate::fork::fork_of;
use crate::read::{Read, Reader, Unread};
use crate::signers::Signers;
use crate::{BlockSeen, Finding, FindingKind, FlashblockSeen, Heard, Pair, SealedBlock};

/// Blocks that are remembered.
const BLOCKS_MAX: usize = 256;
/// Flashblocks that are remembered of each.
const FLASHBLOCKS_MAX: usize = 4_096;

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

/// What a [`Monitor`] looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitorRules {
    /// Dialect of the frames.
    pub dialect: Dialect,
    /// Prove each block from its flashblocks and check their order, which costs a signature's recovery
    /// (33 µs) for each transaction.
    pub verify: bool,
    /// Who may have signed the flashblocks of a JSON dialect; signatures are not looked at where there is
    /// nobody. It takes the frame of dialect `spec` beside each.
    pub signers: Vec<Address>,
}

#[derive(Debug)]
enum Checker {
    Sequence(Box<Sequence>),
    Verifier(Box<Verifier>),
}

/// Follows a stream.
#[derive(Debug)]
pub struct Monitor {
    reader: Reader,
    checker: Checker,
    signers: Option<Signers>,
    blocks: VecDeque<BlockSeen>,
    previous_us: Option<u64>,
    totals: Totals,
}

impl Monitor {
    /// Follows a stream of the dialect that `rules` name.
    pub fn new(rules: MonitorRules) -> Self {
        let of_dialect = match rules.dialect {
            Dialect::V1 => VerifierRules::v1(),
            Dialect::Subblocks => VerifierRules::subblocks(),
            Dialect::Spec => VerifierRules::spec(),
        };
        let checker = if rules.verify {
            Checker::Verifier(Box::new(Verifier::new(of_dialect)))
        } else {
            Checker::Sequence(Box::new(Sequence::new(of_dialect.sequence)))
        };
        let signers = rules.signers;
        Self {
            reader: Reader::new(rules.dialect),
            checker,
            signers: (!signers.is_empty()).then(|| Signers::new(signers, rules.dialect)),
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

    /// Takes the next frame, beside which nothing came.
    pub fn hear(&mut self, heard: &Heard) -> FlashblockSeen {
        self.hear_beside(heard, None)
    }

    /// Takes the next frame and the one of dialect `spec` beside it.
    pub fn hear_pair(&mut self, pair: &Pair) -> FlashblockSeen {
        let beside = pair.beside.as_ref();
        self.hear_beside(&pair.heard, beside.map(|heard| &heard.frame[..]))
    }

    /// Takes something that came in place of a frame, at `at_us` microseconds since the epoch.
    pub fn unreadable(&mut self, at_us: u64, size_bytes: usize, cause: &str) -> FlashblockSeen {
        let since_previous_ms = self.count(at_us, size_bytes);
        let finding = Finding::new(FindingKind::Undecodable, &cause);
        self.totals.findings += 1;
        FlashblockSeen {
            since_previous_ms,
            ..FlashblockSeen::unread(at_us, size_bytes, finding)
        }
    }

    /// Milliseconds since the frame before.
    fn count(&mut self, at_us: u64, size_bytes: usize) -> Option<f64> {
        self.totals.frames += 1;
        self.totals.bytes += size_bytes as u64;
        let before = self.previous_us.replace(at_us)?;
        Some(at_us.saturating_sub(before) as f64 / 1_000.0)
    }

    fn hear_beside(&mut self, heard: &Heard, beside: Option<&[u8]>) -> FlashblockSeen {
        let size_bytes = heard.frame.len();
        let since_previous_ms = self.count(heard.at_us, size_bytes);
        let seen = match self.reader.read(&heard.frame) {
            Ok(read) => self.flashblock(read, heard, beside),
            Err(Unread { place, finding }) => {
                let (payload_id, index) = place.unwrap_or_default();
                FlashblockSeen {
                    payload_id,
                    index,
                    ..FlashblockSeen::unread(heard.at_us, size_bytes, finding)
                }
            }
        };
        let seen = FlashblockSeen {
            since_previous_ms,
            ..seen
        };
        self.totals.findings += seen.findings.len() as u64;
        self.keep(&seen);
        seen
    }

    fn flashblock(&mut self, read: Read, heard: &Heard, beside: Option<&[u8]>) -> FlashblockSeen {
        let signed = self.signers.as_mut();
        let signed = signed.map(|signers| signers.check(&read, beside));
        let Read {
            flashblock,
            mut findings,
            ..
        } = read;
        let (signer, more) = signed.unwrap_or_default();
        findings.extend(more);
        let refuted = !findings.is_empty();
        let (is_accepted, proved) = self.check(&flashblock, &mut findings);
        let verified = match self.checker {
            Checker::Verifier(_) if refuted => Some(false),
            _ => proved,
        };
        let diff = &flashblock.diff;
        if is_accepted && flashblock.index == 0 {
            findings.extend(self.reorg(flashblock.block_number()));
            self.open(&flashblock);
        }
        FlashblockSeen {
            at_us: heard.at_us,
            block_number: flashblock.block_number(),
            payload_id: flashblock.payload_id.to_string(),
            index: flashblock.index,
            transactions: diff.transactions.len(),
            gas_used: diff.gas_used,
            size_bytes: heard.frame.len(),
            since_previous_ms: None,
            has_root: !diff.state_root.is_zero(),
            block_hash: diff.block_hash,
            receipts_root: diff.receipts_root,
            verified,
            signer,
            is_accepted,
            findings,
        }
    }

    fn keep(&mut self, seen: &FlashblockSeen) {
        if let Some(block) = self.blocks.back_mut()
            && block.payload_id == seen.payload_id
        {
            if seen.is_accepted {
                block.transactions += seen.transactions;
                self.totals.transactions += seen.transactions as u64;
            }
            if block.flashblocks.len() < FLASHBLOCKS_MAX {
                block.flashblocks.push(seen.clone());
            }
        }
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
        let text = format!("block {number} after block {last}");
        (number <= last).then(|| Finding::new(FindingKind::Reorg, &text))
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
