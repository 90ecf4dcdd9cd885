//! Frames of any dialect made flashblocks.

use std::sync::Arc;

use blockwright_flashblocks::{
    BuilderSignature, Dialect, FlashblockId, OpFlashblockPayload, decode_json, decode_spec,
};
use blockwright_types::PayloadId;
use blockwright_verify::{SpecChain, spec_payload};

use crate::finding::of_spec;
use crate::{Finding, FindingKind};

/// Reads the frames of one dialect.
#[derive(Debug)]
pub(crate) enum Reader {
    /// `v1` and `subblocks`.
    Json,
    /// `spec`, whose frames name their block at index 0 alone.
    Spec(Box<SpecChain>),
}

/// A flashblock, as the JSON dialects have it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) flashblock: Arc<OpFlashblockPayload>,
    pub(crate) signature: Option<BuilderSignature>,
    /// The flashblock before, where it names one.
    pub(crate) previous: Option<FlashblockId>,
    /// What is wrong with it beyond what any dialect can tell.
    pub(crate) findings: Vec<Finding>,
}

/// A frame that is no flashblock, or one that cannot be placed.
#[derive(Debug)]
pub(crate) struct Unread {
    /// Payload id and index, where they are known.
    pub(crate) place: Option<(String, u64)>,
    /// `None` where there was no index 0 of any payload yet.
    pub(crate) finding: Option<Finding>,
}

impl Reader {
    pub(crate) fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::V1 | Dialect::Subblocks => Self::Json,
            Dialect::Spec => Self::Spec(Box::default()),
        }
    }

    /// Reads the next frame; `has_begun` once an index 0 was seen.
    pub(crate) fn read(&mut self, frame: &[u8], has_begun: bool) -> Result<Read, Unread> {
        match self {
            Self::Json => {
                let json = decode_json(frame).map_err(|error| undecodable(&error))?;
                Ok(Read {
                    flashblock: Arc::new(json.payload),
                    signature: json.builder_signature,
                    previous: json.prev_flashblock_id,
                    findings: Vec::new(),
                })
            }
            Self::Spec(chain) => {
                let flashblock = decode_spec(frame).map_err(|error| undecodable(&error))?;
                let report = chain.check(&flashblock);
                let Some(number) = report.block_number else {
                    let id = PayloadId(flashblock.payload_id).to_string();
                    let text = "index 0 of its payload was not seen";
                    return Err(Unread {
                        place: Some((id, flashblock.index)),
                        finding: has_begun.then(|| Finding::new(FindingKind::Gap, &text)),
                    });
                };
                Ok(Read {
                    flashblock: Arc::new(spec_payload(&flashblock, number)),
                    signature: None,
                    previous: None,
                    findings: of_spec(&report),
                })
            }
        }
    }
}

fn undecodable(error: &dyn core::fmt::Display) -> Unread {
    Unread {
        place: None,
        finding: Some(Finding::new(FindingKind::Undecodable, error)),
    }
}
