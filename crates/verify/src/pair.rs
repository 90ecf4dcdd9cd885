//! One flashblock in two dialects.

use alloy_eips::eip4895;
use alloy_primitives::{Address, B256, Bloom, U256};
use blockwright_flashblocks::{
    FlashblocksPayloadV1, OpFlashblockPayload, OpFlashblockPayloadDelta,
};
use blockwright_types::PayloadId;

/// What a JSON frame and the frame of dialect `spec` beside it say differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairDifference {
    /// They are not of one flashblock.
    #[error("flashblock {} of payload {} in JSON, {} of {} in spec", .json.1, .json.0, .spec.1, .spec.0)]
    Place {
        /// Payload id and index in JSON.
        json: (PayloadId, u64),
        /// Payload id and index in `spec`.
        spec: (PayloadId, u64),
    },
    /// `base` (`static` in `spec`), `logs_bloom` or `withdrawals` differ.
    #[error("{field} differs from that of spec")]
    Field {
        /// Name of the field.
        field: &'static str,
    },
    /// Two hashes.
    #[error("{field} {json} in JSON, {spec} in spec")]
    Hash {
        /// Name of the field.
        field: &'static str,
        /// Value in JSON.
        json: B256,
        /// Value in `spec`.
        spec: B256,
    },
    /// Two numbers.
    #[error("{field} {json} in JSON, {spec} in spec")]
    Number {
        /// Name of the field.
        field: &'static str,
        /// Value in JSON.
        json: u64,
        /// Value in `spec`.
        spec: u64,
    },
    /// A transaction differs, or one side has more of them.
    #[error("transaction {position} differs from that of spec")]
    Transaction {
        /// Position of the first that differs, from 0.
        position: usize,
    },
    /// An account that the flashblock changed has another balance.
    #[error("balance of {address} {} in JSON, {spec} in spec", balance(*.json))]
    Balance {
        /// The account.
        address: Address,
        /// Value in JSON; `None` where it does not name the account.
        json: Option<U256>,
        /// Value in `spec`.
        spec: U256,
    },
}

/// Whether both are the same flashblock: `base`, everything in `diff` that both dialects have, and,
/// where the JSON has any, the balances of the accounts that this flashblock changed. `blob_gas_used` is
/// in JSON alone; receipts and outcomes are both bound to `receipts_root` and gas. `has_roots` is false
/// for dialect `subblocks`, in which what needs the state trie is left zero.
///
/// # Errors
/// The first [`PairDifference`].
pub fn compare_pair(
    json: &OpFlashblockPayload,
    spec: &FlashblocksPayloadV1,
    has_roots: bool,
) -> Result<(), PairDifference> {
    let place = (json.payload_id, json.index);
    let spec_place = (PayloadId(spec.payload_id), spec.index);
    if place != spec_place {
        return Err(PairDifference::Place {
            json: place,
            spec: spec_place,
        });
    }
    if json.base != spec.json_base() {
        return Err(PairDifference::Field { field: "base" });
    }
    if let Some(base) = spec.base.as_ref() {
        let number = json.metadata.block_number;
        same_number("block_number", number, base.block_number)?;
    }
    compare_diff(&json.diff, spec, has_roots)?;
    compare_balances(json, spec)
}

fn compare_diff(
    json: &OpFlashblockPayloadDelta,
    spec: &FlashblocksPayloadV1,
    has_roots: bool,
) -> Result<(), PairDifference> {
    let diff = &spec.diff;
    let (ours, theirs) = (&json.transactions, &diff.transactions);
    let mut pairs = ours.iter().zip(theirs.iter());
    let position = pairs.position(|(ours, theirs)| ours != theirs.bytes());
    let uneven = (ours.len() != theirs.len()).then_some(ours.len().min(theirs.len()));
    if let Some(position) = position.or(uneven) {
        return Err(PairDifference::Transaction { position });
    }
    same_number("gas_used", json.gas_used, diff.gas_used)?;
    same_hash("receipts_root", json.receipts_root, diff.receipts_root)?;
    if json.logs_bloom != Bloom::from(diff.logs_bloom) {
        return Err(PairDifference::Field {
            field: "logs_bloom",
        });
    }
    let withdrawals = diff.withdrawals.iter().copied();
    if !withdrawals
        .map(eip4895::Withdrawal::from)
        .eq(json.withdrawals.iter().copied())
    {
        return Err(PairDifference::Field {
            field: "withdrawals",
        });
    }
    for (field, json, spec) in [
        ("state_root", json.state_root, diff.state_root),
        ("block_hash", json.block_hash, diff.block_hash),
        (
            "withdrawals_root",
            json.withdrawals_root,
            diff.withdrawals_root,
        ),
    ] {
        let spec = if has_roots { spec } else { B256::ZERO };
        same_hash(field, json, spec)?;
    }
    Ok(())
}

fn compare_balances(
    json: &OpFlashblockPayload,
    spec: &FlashblocksPayloadV1,
) -> Result<(), PairDifference> {
    let balances = &json.metadata.new_account_balances;
    if balances.is_empty() {
        return Ok(());
    }
    for account in &spec.metadata.accounts {
        let Some(spec) = account.balance.as_ref().copied() else {
            continue;
        };
        let json = balances.get(&account.address).copied();
        if json != Some(spec) {
            return Err(PairDifference::Balance {
                address: account.address,
                json,
                spec,
            });
        }
    }
    Ok(())
}

fn same_number(field: &'static str, json: u64, spec: u64) -> Result<(), PairDifference> {
    if json == spec {
        return Ok(());
    }
    Err(PairDifference::Number { field, json, spec })
}

fn same_hash(field: &'static str, json: B256, spec: B256) -> Result<(), PairDifference> {
    if json == spec {
        return Ok(());
    }
    Err(PairDifference::Hash { field, json, spec })
}

fn balance(balance: Option<U256>) -> String {
    balance.map_or_else(|| "absent".to_owned(), |balance| balance.to_string())
}
