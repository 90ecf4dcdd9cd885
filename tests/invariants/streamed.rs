//! The stream: what consumers can prove from the frames of a block, they find proved.

use std::sync::Arc;

use alloy_primitives::B256;
use blockwright_core::RootsRule;
use blockwright_flashblocks::{V1Encoder, decode_v1};
use blockwright_testkit::Transcript;
use blockwright_types::OpFork;
use blockwright_verify::{Accumulator, BlockRules, Prefix, Sequence, check_order, priority};

use super::rules::require;

/// The frames of a block, as a subscriber reads them, are accepted one by one, accumulate to the
/// hash of each sealed block, and stand in the declared order.
///
/// Scripts have placeholder signatures, so the senders are not recovered from the frames.
pub fn check_streamed<A>(
    fork: OpFork,
    rule: RootsRule,
    transcript: &Transcript<A>,
) -> Result<(), String> {
    let rules = BlockRules {
        receipts_required: true,
        roots_required: rule == RootsRule::Every,
        ..BlockRules::new(fork)
    };
    let mut encoder = V1Encoder::new();
    let mut sequence = Sequence::default();
    let mut block = None;
    let mut transactions = 0;
    for published in &transcript.published {
        let (flashblock, sealed) = (&published.publication.flashblock, &published.best.block);
        let frame = encoder.encode(flashblock).map_err(|e| e.to_string())?;
        let read = Arc::new(decode_v1(&frame).map_err(|e| e.to_string())?);
        let outcome = sequence.check(&read);
        require(outcome.is_accepted(), || format!("{outcome:?}"))?;
        if let Some(base) = &read.base {
            block = Some(Accumulator::open(rules, base).map_err(|e| e.to_string())?);
        }
        let block = block.as_mut().ok_or("no index 0")?;
        let part = &flashblock.part.transactions;
        let prefix = block.append(&read, part).map_err(|e| e.to_string())?;
        transactions += part.len();
        let has_roots = rule.covers(flashblock.index, transcript.plan.len());
        let wanted = Prefix {
            index: flashblock.index,
            block_hash: has_roots.then_some(sealed.hash),
            transactions,
            gas_used: sealed.header.gas_used,
            receipts_verified: true,
            footprint_verified: fork >= OpFork::Jovian,
        };
        require(prefix == wanted, || format!("{prefix:?}, not {wanted:?}"))?;
        let mut expected = sealed.header.clone();
        if !has_roots {
            expected.state_root = B256::ZERO;
            expected.withdrawals_root = expected.withdrawals_root.map(|_| B256::ZERO);
        }
        require(*block.header() == expected, || {
            format!("{:?}, not {expected:?}", block.header())
        })?;
        let base_fee = sealed.header.base_fee_per_gas.unwrap_or_default();
        check_order(flashblock.index, part, |tx| priority(tx, base_fee))
            .map_err(|e| e.to_string())?;
    }
    Ok(())
}
