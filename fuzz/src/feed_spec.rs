//! What must hold whatever a stream of dialect `spec` brings.

use std::sync::Arc;

use blockwright_flashblocks::{FlashblocksPayloadV1, decode_spec};
use blockwright_types::OpFork;
use blockwright_verify::{
    ChainError, Link, SpecChain, Verifier, VerifierRules, check_signature, compare_pair,
    spec_payload,
};

/// Feeds `input`, frames of dialect `spec` with their lengths (4 bytes, little-endian) before them, to
/// the hash chain, the comparison of pairs, the check of signatures and a verifier. Returns how many
/// frames were read and how many hang on the one before.
///
/// # Panics
/// Where something does not hold, which is what a fuzzer looks for.
pub fn feed(input: &[u8]) -> (u64, u64) {
    let sum: usize = input.iter().map(|byte| usize::from(*byte)).sum();
    let fork = OpFork::ALL[sum % OpFork::ALL.len()];
    let mut chain = SpecChain::default();
    let mut verifier = Verifier::new(VerifierRules::spec());
    let (mut read, mut linked) = (0, 0);
    let mut rest = input;
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let length = (u32::from_le_bytes(*length) as usize).min(behind.len());
        let (frame, next) = behind.split_at(length);
        rest = next;
        let Ok(flashblock) = decode_spec(frame) else {
            continue;
        };
        read += 1;
        linked += u64::from(check(&mut chain, &flashblock, frame));
        let number = chain.check(&flashblock).block_number.unwrap_or_default();
        let payload = Arc::new(spec_payload(&flashblock, number));
        let report = verifier.check(&payload, |_| fork);
        assert!(report.outcome.is_accepted() || report.block.is_none());
    }
    (read, linked)
}

fn check(chain: &mut SpecChain, flashblock: &FlashblocksPayloadV1, frame: &[u8]) -> bool {
    let report = chain.check(flashblock);
    assert_eq!(report.flash_hash, flashblock.flash_hash());
    // Said again it is the same, and still no second content, unless it was one.
    let again = chain.check(flashblock);
    assert_eq!(again.flash_hash, report.flash_hash);
    assert_eq!(again.link, report.link);
    if let Err(ChainError::Second { first, second }) = report.link {
        assert_ne!(first, second);
    }
    let number = flashblock.base.as_ref().map_or(1, |base| base.block_number);
    let mut json = spec_payload(flashblock, number);
    assert_eq!(compare_pair(&json, flashblock, true), Ok(()));
    json.diff.gas_used = !json.diff.gas_used;
    assert!(compare_pair(&json, flashblock, true).is_err());
    if let Some((_, signature)) = frame.split_last_chunk::<65>() {
        let signature = (*signature).into();
        assert!(check_signature(report.flash_hash, Some(&signature), &[]).is_err());
    }
    report.link == Ok(Link::Proved)
}
