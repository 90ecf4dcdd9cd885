//! Two contents for one place, as they are shown.

use alloy_primitives::B256;
use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_verify::Equivocation;
use serde::Serialize;
use serde_json::Value;

/// Longest content that is shown as it is, in bytes of JSON. Of a longer one its JSON text is shown, cut
/// to as much.
const CONTENT_BYTES_MAX: usize = 256 * 1024;
/// Longest value that is repeated where two differ, in bytes of JSON.
const VALUE_BYTES_MAX: usize = 80;

/// Both contents that a stream had for one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// Digest of the first content (payload id, index, block number, `base` and `diff`).
    pub first_digest: B256,
    /// Digest of the second one; the same where only metadata differ.
    pub second_digest: B256,
    /// Fields that differ, each with both values where they are short; empty where the first content was
    /// let go for want of memory.
    pub differs: Vec<String>,
    /// The first content in JSON: an object, or a string with the first 256 KiB of its text where that is
    /// longer; `null` where it was let go.
    pub first: Value,
    /// The second content, likewise.
    pub second: Value,
}

impl Contents {
    pub(crate) fn of(proof: &Equivocation) -> Self {
        let first = proof.first.as_deref().map_or(Value::Null, json);
        let second = json(&proof.second);
        Self {
            first_digest: proof.first_digest,
            second_digest: proof.second_digest,
            differs: if proof.first.is_some() {
                differences(&first, &second)
            } else {
                Vec::new()
            },
            first: bounded(first),
            second: bounded(second),
        }
    }

    /// Digests and differences in words.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("first {}, second {}", self.first_digest, self.second_digest);
        if self.first.is_null() {
            text.push_str("; the first one was let go");
        } else {
            text.push_str("; they differ in ");
            text.push_str(&self.differs.join(", "));
        }
        text
    }
}

fn json(flashblock: &OpFlashblockPayload) -> Value {
    serde_json::to_value(flashblock).unwrap_or_else(|error| Value::String(error.to_string()))
}

fn bounded(content: Value) -> Value {
    let mut text = content.to_string();
    if text.len() <= CONTENT_BYTES_MAX {
        return content;
    }
    let cut = (0..=CONTENT_BYTES_MAX).rev();
    let cut = cut.into_iter().find(|at| text.is_char_boundary(*at));
    text.truncate(cut.unwrap_or_default());
    Value::String(text)
}

/// Fields that differ, two levels deep: `diff.gas_used 0x1 / 0x2`.
fn differences(first: &Value, second: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for key in keys(first, second) {
        let (one, two) = (&first[&key], &second[&key]);
        if one == two {
            continue;
        }
        if !one.is_object() || !two.is_object() {
            found.push(difference(&key, one, two));
            continue;
        }
        for inner in keys(one, two) {
            let (one, two) = (&one[&inner], &two[&inner]);
            if one != two {
                found.push(difference(&format!("{key}.{inner}"), one, two));
            }
        }
    }
    found
}

/// Keys of either, in the order of their names.
fn keys(first: &Value, second: &Value) -> std::collections::BTreeSet<String> {
    let maps = [first, second].into_iter().filter_map(Value::as_object);
    maps.flat_map(|map| map.keys().cloned()).collect()
}

fn difference(name: &str, first: &Value, second: &Value) -> String {
    let (first, second) = (short(first), short(second));
    match (first, second) {
        (Some(first), Some(second)) => format!("{name} {first} / {second}"),
        _ => name.to_owned(),
    }
}

fn short(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => "absent".to_owned(),
        other => other.to_string(),
    };
    (text.len() <= VALUE_BYTES_MAX).then_some(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_that_differ_are_named_with_short_values() {
        let long = "0".repeat(200);
        let first = json!({"diff": {"gas": "0x1", "txs": [long]}, "base": {"a": 1}, "same": 1});
        let second = json!({"diff": {"gas": "0x2", "txs": []}, "same": 1});
        let expected = ["base {\"a\":1} / absent", "diff.gas 0x1 / 0x2", "diff.txs"];
        assert_eq!(differences(&first, &second), expected);
        assert!(differences(&first, &first).is_empty());
    }

    #[test]
    fn a_long_content_is_cut_and_a_short_one_whole() {
        let short = json!({"a": 1});
        assert_eq!(bounded(short.clone()), short);
        let long = Value::String("ä".repeat(CONTENT_BYTES_MAX));
        let cut = bounded(long);
        let cut = cut.as_str().unwrap();
        assert!(cut.len() <= CONTENT_BYTES_MAX && cut.len() > CONTENT_BYTES_MAX - 4);
    }
}
