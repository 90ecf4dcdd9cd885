//! What must hold whatever a stream brings.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_flashblocks::{OpFlashblockPayload, decode_v1};
use blockwright_types::OpFork;
use blockwright_verify::{Outcome, Verifier, VerifierRules};

/// Feeds `input`, frames of dialect `v1` one a line, to a verifier under rules that the sum of its
/// bytes chooses. Returns how many frames were accepted and how many were found to be clean.
///
/// # Panics
/// Where something does not hold, which is what a fuzzer looks for.
pub fn feed(input: &[u8]) -> (u64, u64) {
    let sum: usize = input.iter().map(|byte| usize::from(*byte)).sum();
    let fork = OpFork::ALL[sum % OpFork::ALL.len()];
    let rules = match sum / 10 % 3 {
        0 => VerifierRules::v1(),
        1 => VerifierRules::subblocks(),
        _ => VerifierRules::spec(),
    };
    // A fuzzer finds no hashes: without roots and receipts it comes further.
    let bare = sum / 30 % 2 == 1;
    let mut verifier = Verifier::new(rules);
    let (mut accepted, mut clean) = (0, 0);
    for frame in input.split(|byte| *byte == b'\n') {
        let Ok(mut flashblock) = decode_v1(frame) else {
            continue;
        };
        if bare {
            flashblock.diff.state_root = B256::ZERO;
            flashblock.diff.block_hash = B256::ZERO;
            flashblock.metadata.receipts.clear();
        }
        let is_clean = check(&mut verifier, &Arc::new(flashblock), fork);
        accepted = verifier.sequence().counters().accepted;
        clean += u64::from(is_clean);
    }
    (accepted, clean)
}

fn check(verifier: &mut Verifier, flashblock: &Arc<OpFlashblockPayload>, fork: OpFork) -> bool {
    let expected = verifier.sequence().expected();
    let here = (flashblock.payload_id, flashblock.index);
    let report = verifier.check(flashblock, |_| fork);
    match &report.outcome {
        Outcome::Accepted => {
            assert!(flashblock.index == 0 || expected == Some(here));
            let next = (flashblock.payload_id, flashblock.index.saturating_add(1));
            assert_eq!(verifier.sequence().expected(), Some(next));
        }
        Outcome::Equivocation(found) => {
            assert_eq!(found.second, *flashblock);
            assert_ne!(found.first.as_ref(), Some(flashblock));
        }
        _ => assert!(report.block.is_none() && report.order.is_none()),
    }
    let (Some(Ok(prefix)), Some(block)) = (&report.block, verifier.block()) else {
        return false;
    };
    assert_eq!(prefix.transactions, block.encoded_transactions().len());
    assert_eq!(prefix.gas_used, flashblock.diff.gas_used);
    assert_eq!(prefix.block_hash, block.block_hash());
    if let Some(data) = block.execution_data() {
        assert_eq!(data.payload.block_hash(), flashblock.diff.block_hash);
        assert_eq!(block.header().hash_slow(), flashblock.diff.block_hash);
        assert_eq!(data.payload.transactions().len(), prefix.transactions);
    }
    report.is_clean()
}
