//! Signatures of JSON frames, checked with the frames of dialect `spec` beside them.

use alloy_primitives::Address;
use blockwright_flashblocks::{Dialect, FlashblocksPayloadV1, decode_spec};
use blockwright_verify::{SignatureError, SpecChain, check_signature, compare_pair};

use crate::finding::of_spec;
use crate::read::Read;
use crate::{Finding, FindingKind};

/// Who may sign, and what was seen beside the stream.
#[derive(Debug)]
pub(crate) struct Signers {
    expected: Vec<Address>,
    /// Whether the JSON dialect has what needs the state trie.
    has_roots: bool,
    chain: SpecChain,
}

impl Signers {
    pub(crate) fn new(expected: Vec<Address>, dialect: Dialect) -> Self {
        Self {
            expected,
            has_roots: dialect != Dialect::Subblocks,
            chain: SpecChain::default(),
        }
    }

    /// Who signed the flashblock, and what is wrong with that.
    pub(crate) fn check(
        &mut self,
        json: &Read,
        beside: Option<&[u8]>,
    ) -> (Option<Address>, Vec<Finding>) {
        let spec = match beside.map(decode_spec) {
            Some(Ok(spec)) => spec,
            Some(Err(error)) => {
                let text = format!("beside it, in dialect spec: {error}");
                return (None, vec![Finding::new(FindingKind::Pair, &text)]);
            }
            None => {
                let text = "its frame of dialect spec, which is what is signed, did not come";
                return (None, vec![Finding::new(FindingKind::Unpaired, &text)]);
            }
        };
        self.check_pair(json, &spec)
    }

    fn check_pair(
        &mut self,
        json: &Read,
        spec: &FlashblocksPayloadV1,
    ) -> (Option<Address>, Vec<Finding>) {
        let report = self.chain.check(spec);
        let mut findings = of_spec(&report);
        if let Err(difference) = compare_pair(&json.flashblock, spec, self.has_roots) {
            findings.push(Finding::new(FindingKind::Pair, &difference));
        }
        let signature = json.signature.as_ref();
        let signer = match check_signature(report.flash_hash, signature, &self.expected) {
            Ok(signer) => Some(signer),
            Err(error) => {
                let (kind, signer) = match error {
                    SignatureError::Missing => (FindingKind::Unsigned, None),
                    SignatureError::Invalid(_) => (FindingKind::Signer, None),
                    SignatureError::Signer { signer } => (FindingKind::Signer, Some(signer)),
                };
                findings.push(Finding::new(kind, &error));
                signer
            }
        };
        (signer, findings)
    }
}
