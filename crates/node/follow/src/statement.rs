//! What a flashblock states against what execution gives.

use core::fmt::Display;

use alloy_consensus::Header;
use blockwright_flashblocks::OpFlashblockPayloadDelta;
use blockwright_types::SealedBlock;

use crate::Refutation;

/// Whether the flashblock carries roots.
pub(crate) fn has_roots(diff: &OpFlashblockPayloadDelta) -> bool {
    !diff.state_root.is_zero()
}

/// Compares all that needs no root of the state. Gas comes first: a wrong execution shows there, and
/// in everything after it.
pub(crate) fn check_totals(
    diff: &OpFlashblockPayloadDelta,
    header: &Header,
) -> Result<(), Refutation> {
    compare("gas_used", &diff.gas_used, &header.gas_used)?;
    if diff.blob_gas_used != header.blob_gas_used {
        let text =
            |value: Option<u64>| value.map_or_else(|| "absent".to_owned(), |it| it.to_string());
        return Err(Refutation::Field {
            field: "blob_gas_used",
            stated: text(diff.blob_gas_used),
            executed: text(header.blob_gas_used),
        });
    }
    compare("withdrawals", &diff.withdrawals.len(), &0)?;
    compare("receipts_root", &diff.receipts_root, &header.receipts_root)?;
    compare("logs_bloom", &diff.logs_bloom, &header.logs_bloom)
}

/// Compares the roots and the hash over everything.
pub(crate) fn check_roots(
    diff: &OpFlashblockPayloadDelta,
    block: &SealedBlock,
) -> Result<(), Refutation> {
    let header = &block.header;
    compare("state_root", &diff.state_root, &header.state_root)?;
    let withdrawals_root = header.withdrawals_root.unwrap_or_default();
    compare(
        "withdrawals_root",
        &diff.withdrawals_root,
        &withdrawals_root,
    )?;
    compare("block_hash", &diff.block_hash, &block.hash)
}

fn compare<T: PartialEq + Display>(
    field: &'static str,
    stated: &T,
    executed: &T,
) -> Result<(), Refutation> {
    if stated == executed {
        return Ok(());
    }
    Err(Refutation::Field {
        field,
        stated: stated.to_string(),
        executed: executed.to_string(),
    })
}
