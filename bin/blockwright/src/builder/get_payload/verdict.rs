//! What is printed of an answer.

use std::io::{self, Write as _};

use alloy_primitives::Address;
use blockwright_builder_client::{ClientError, Offer, Wanted};
use serde_json::json;

/// What is true of every offer.
const CHECKED: [&str; 5] = [
    "the bid's signature",
    "the bid against the request",
    "the bid against the payload",
    "the payload's fields against the fork",
    "the payload's hash",
];

/// What nobody knows before the block is executed.
const NOT_CHECKED: &str = "state root, receipts and value: they need an execution";

/// The bid, a line a field, and what was checked.
pub(super) fn print(offer: &Offer, expected: Option<Address>, wanted: &Wanted) -> eyre::Result<()> {
    let (bid, payload) = (&offer.bid, &offer.payload);
    let whose = match expected {
        Some(_) => "as expected",
        None => "nobody in particular was expected",
    };
    let mut lines = vec![
        format!("version: {}", offer.version),
        format!("slot: {}", bid.slot),
        format!("parent_hash: {}", bid.parent_hash),
        format!("block_hash: {}", bid.block_hash),
        format!("builder_address: {} ({whose})", bid.builder_address),
        format!("proposer_address: {}", bid.proposer_address),
        format!("proposer_fee_recipient: {}", bid.proposer_fee_recipient),
        format!("gas_limit: {}", bid.gas_limit),
        format!("gas_used: {}", bid.gas_used),
        format!("value: {} wei", bid.value),
        format!("timestamp: {}", payload.timestamp),
        format!("transactions: {}", payload.transactions.len()),
        format!("verdict: true as a block of {}", wanted.fork),
        format!("checked: {}", CHECKED.join(", ")),
        format!("not checked: {NOT_CHECKED}"),
    ];
    lines.extend(note(offer, wanted).map(|note| format!("note: {note}")));
    written(&lines.join("\n"))
}

/// What is odd about an offer that is true.
fn note(offer: &Offer, wanted: &Wanted) -> Option<String> {
    (!offer.has_version_of(wanted.fork)).then(|| {
        format!(
            "version {} is neither that of a parent of {} nor of the fork before, so some proposers refuse it",
            offer.version, wanted.fork
        )
    })
}

/// The same as one JSON object, with the block.
pub(super) fn print_json(offer: &Offer, wanted: &Wanted) -> eyre::Result<()> {
    let report = json!({
        "verdict": "true",
        "version": offer.version,
        "note": note(offer, wanted),
        "checked": CHECKED,
        "notChecked": NOT_CHECKED,
        "message": offer.bid,
        "executionPayload": offer.payload,
    });
    written(&report.to_string())
}

/// Why there is no offer, as one JSON object.
pub(super) fn print_failure(error: &ClientError, hint: Option<&str>) -> eyre::Result<()> {
    let verdict = match error {
        ClientError::Lie(_) => "lie",
        _ => "none",
    };
    let report = json!({
        "verdict": verdict,
        "name": error.name(),
        "reason": error.to_string(),
        "hint": hint,
    });
    written(&report.to_string())
}

fn written(text: &str) -> eyre::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        // Whoever read has enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
