//! What is wrong with a frame, as it is shown.

use blockwright_verify::{ChainError, Equivocation, Outcome, Report, SpecReport};
use serde::Serialize;

use crate::Contents;

/// Something that is wrong with a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// In words, with the values that disagree.
    pub text: String,
    /// Both contents of an equivocation.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub contents: Option<Box<Contents>>,
}

/// Kinds of [`Finding`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Not a flashblock of the dialect.
    Undecodable,
    /// It is not the next one, or flashblocks or blocks before it are missing.
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
    /// It was published with transactions, and the block was sealed without it.
    Unsealed,
    /// Its block is not built on the one that was streamed before.
    Parent,
    /// Its `parent_flash_hash` is not the hash of the flashblock before.
    Chain,
    /// The metadata of dialect `spec` contradict the flashblock.
    Metadata,
    /// It has no signature.
    Unsigned,
    /// Its signature is not of one of the signers expected.
    Signer,
    /// The frame of dialect `spec` beside it says something else.
    Pair,
    /// No frame of dialect `spec` came beside it.
    Unpaired,
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, text: &dyn core::fmt::Display) -> Self {
        Self {
            kind,
            text: text.to_string(),
            contents: None,
        }
    }
}

pub(crate) fn of_outcome(outcome: &Outcome) -> Option<Finding> {
    let (kind, text) = match outcome {
        Outcome::Accepted | Outcome::NotBegun => return None,
        Outcome::Duplicate => (FindingKind::Duplicate, "seen before".to_owned()),
        Outcome::Skipped { expected } => {
            (FindingKind::Gap, format!("index {expected} was expected"))
        }
        Outcome::Superseded { by } => (FindingKind::Superseded, format!("payload {by} runs")),
        Outcome::Equivocation(proof) => return Some(of_equivocation(proof)),
        Outcome::Invalid(error) => (FindingKind::Invalid, error.to_string()),
    };
    Some(Finding::new(kind, &text))
}

fn of_equivocation(proof: &Equivocation) -> Finding {
    let contents = Contents::of(proof);
    let text = format!(
        "a second content for index {} of payload {}: {}",
        proof.index,
        proof.payload_id,
        contents.text()
    );
    Finding {
        contents: Some(Box::new(contents)),
        ..Finding::new(FindingKind::Equivocation, &text)
    }
}

pub(crate) fn of_report(report: &Report) -> Vec<Finding> {
    let mut findings: Vec<_> = of_outcome(&report.outcome).into_iter().collect();
    if let Some(Err(error)) = &report.block {
        findings.push(Finding::new(FindingKind::Block, error));
    }
    if let Some(Err(violation)) = &report.order {
        findings.push(Finding::new(FindingKind::Order, violation));
    }
    findings
}

pub(crate) fn of_spec(report: &SpecReport) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(error) = &report.link {
        let kind = match error {
            ChainError::Parent { .. } => FindingKind::Chain,
            ChainError::Second { .. } => FindingKind::Equivocation,
        };
        findings.push(Finding::new(kind, error));
    }
    if let Err(error) = &report.metadata {
        findings.push(Finding::new(FindingKind::Metadata, error));
    }
    findings
}
