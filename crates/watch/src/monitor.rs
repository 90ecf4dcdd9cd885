//! What a stream shows, frame by frame. Pure: time comes with the frames.

use std::collections::VecDeque;
use std::sync::Arc;

use blockwright_flashblocks::{Dialect, OpFlashblockPayload};
use blockwright_verify::{Outcome, Sequence, Verifier, VerifierRules};

use crate::continuity::Continuity;
use crate::finding::{of_outcome, of_report};
use crate::fork::fork_of;
use crate::read::{Read, Reader, Unread};
use crate::signers::{Signers, malformed};
use crate::{
    BlockSeen, Finding, FindingKind, FlashblockSeen, Heard, Pair, SealedBlock, SignerRule,
};

/// Blocks that are remembered.
const BLOCKS_MAX: usize = 256;
/// Flashblocks that are remembered of each.
const FLASHBLOCKS_MAX: usize = 4_096;
/// Notes that are remembered.
const NOTES_MAX: usize = 16;

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
    /// Who may have signed the flashblocks of a JSON dialect. It takes the frame of dialect `spec` beside
    /// each; without a rule a verifying monitor says only what can be no signature of anybody.
    pub signers: SignerRule,
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
    continuity: Continuity,
    notes: VecDeque<String>,
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
        Self {
            reader: Reader::new(rules.dialect),
            checker,
            signers: Signers::new(rules.signers, rules.dialect),
            continuity: Continuity::default(),
            notes: VecDeque::new(),
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

    /// What was noted last beside the flashblocks, oldest first; at most 16.
    pub const fn notes(&self) -> &VecDeque<String> {
        &self.notes
    }

    /// Notes something that belongs to no flashblock.
    pub fn note(&mut self, text: String) {
        if self.notes.len() == NOTES_MAX {
            self.notes.pop_front();
        }
        self.notes.push_back(text);
    }

    /// Flashblocks are missing, or may be, before the next one: what the subscription says of it.
    pub fn missed(&mut self, cause: &str) -> Finding {
        self.continuity.broken();
        self.totals.findings += 1;
        self.note(format!("Gap: {cause}"));
        Finding::new(FindingKind::Gap, &cause)
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
            ..FlashblockSeen::unread(at_us, size_bytes, vec![finding])
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
        let seen = match self.reader.read(&heard.frame, !self.blocks.is_empty()) {
            Ok(read) => self.flashblock(read, heard, beside),
            Err(Unread { place, finding }) => {
                let findings = finding.into_iter().collect();
                let (payload_id, index) = place.unwrap_or_default();
                FlashblockSeen {
                    payload_id,
                    index,
                    ..FlashblockSeen::unread(heard.at_us, size_bytes, findings)
                }
            }
        };
        let mut seen = FlashblockSeen {
            since_previous_ms,
            ..seen
        };
        self.totals.findings += seen.findings.len() as u64;
        self.keep(&mut seen);
        seen
    }

    fn flashblock(&mut self, read: Read, heard: &Heard, beside: Option<&[u8]>) -> FlashblockSeen {
        let (signer, more) = match (&mut self.signers, &self.checker) {
            (Some(signers), _) => signers.check(&read, beside),
            (None, Checker::Verifier(_)) => {
                let found = malformed(read.signature.as_ref());
                (None, found.into_iter().collect())
            }
            (None, Checker::Sequence(_)) => (None, Vec::new()),
        };
        let Read {
            flashblock,
            previous,
            mut findings,
            ..
        } = read;
        findings.extend(more);
        let refuted = !findings.is_empty();
        let (is_accepted, proved) = self.check(&flashblock, &mut findings);
        let verified = match self.checker {
            Checker::Verifier(_) if refuted => Some(false),
            _ => proved,
        };
        let diff = &flashblock.diff;
        if is_accepted {
            let block = self.blocks.back();
            findings.extend(self.continuity.check(&flashblock, previous, block));
        }
        if is_accepted && flashblock.index == 0 {
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
            after_timestamp_ms: None,
            has_root: !diff.state_root.is_zero(),
            block_hash: diff.block_hash,
            receipts_root: diff.receipts_root,
            verified,
            signer,
            is_accepted,
            findings,
        }
    }

    fn keep(&mut self, seen: &mut FlashblockSeen) {
        if let Some(block) = self.blocks.back_mut()
            && block.payload_id == seen.payload_id
        {
            seen.after_timestamp_ms = block.timestamp_s.map(|timestamp_s| {
                let arrival_ms = seen.at_us as f64 / 1_000.0;
                arrival_ms - timestamp_s as f64 * 1_000.0
            });
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
                    None if matches!(report.outcome, Outcome::NotBegun) => None,
                    Some(Ok(prefix)) if prefix.block_hash.is_none() && report.is_clean() => None,
                    _ => Some(report.is_clean()),
                };
                (report.outcome.is_accepted(), proved)
            }
        }
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

    /// Notes what a node sealed at `number`, and says what it has not of the block that was streamed last
    /// under this number: all of it, or flashblocks with transactions at its end. A flashblock without
    /// roots is compared by the root of its receipts and its gas. `None` where no such block is
    /// remembered.
    pub fn sealed(&mut self, number: u64, sealed: &SealedBlock) -> Option<Vec<Finding>> {
        let mut newest = self.blocks.iter_mut().rev();
        let block = newest.find(|block| block.number == number)?;
        let mut findings = Vec::new();
        for (position, finding) in block.compare(sealed) {
            block.flashblocks[position].findings.push(finding.clone());
            findings.push(finding);
        }
        self.totals.findings += findings.len() as u64;
        Some(findings)
    }
}
