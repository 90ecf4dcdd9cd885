//! Signatures of JSON frames, checked with the frames of dialect `spec` beside them.

use alloy_primitives::{Address, B256};
use blockwright_flashblocks::{BuilderSignature, Dialect, FlashblocksPayloadV1, decode_spec};
use blockwright_verify::{SignatureError, SpecChain, check_signature, compare_pair};

use crate::finding::of_spec;
use crate::read::Read;
use crate::{Finding, FindingKind};

/// Who may have signed the flashblocks of a JSON dialect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SignerRule {
    /// Anybody or nobody: signatures are not compared with anything.
    #[default]
    Unchecked,
    /// Anybody, but always the same.
    Constant,
    /// One of these addresses.
    OneOf(Vec<Address>),
}

/// Who may sign, and what was seen beside the stream.
#[derive(Debug)]
pub(crate) struct Signers {
    expected: Vec<Address>,
    /// Whoever signs first is the one expected.
    takes_first: bool,
    /// Whether the JSON dialect has what needs the state trie.
    has_roots: bool,
    chain: SpecChain,
}

impl Signers {
    /// `None` where nothing is to be checked.
    pub(crate) fn new(rule: SignerRule, dialect: Dialect) -> Option<Self> {
        let (expected, takes_first) = match rule {
            SignerRule::Unchecked => return None,
            SignerRule::Constant => (Vec::new(), true),
            SignerRule::OneOf(expected) => (expected, false),
        };
        Some(Self {
            expected,
            takes_first,
            has_roots: dialect != Dialect::Subblocks,
            chain: SpecChain::default(),
        })
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
            // Whose frame contradicts itself is not taken at his word.
            Err(SignatureError::Signer { signer })
                if self.takes_first && self.expected.is_empty() && findings.is_empty() =>
            {
                self.expected.push(signer);
                Some(signer)
            }
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

/// Whether a signature could be anybody's at all, whatever it is over.
pub(crate) fn malformed(signature: Option<&BuilderSignature>) -> Option<Finding> {
    let signature = signature?;
    // `r`, `s` and the recovery id make a point of the curve or do not, under any hash.
    match check_signature(B256::repeat_byte(1), Some(signature), &[]) {
        Err(error @ SignatureError::Invalid(_)) => Some(Finding::new(FindingKind::Signer, &error)),
        _ => None,
    }
}
