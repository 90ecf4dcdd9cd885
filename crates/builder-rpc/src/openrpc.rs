//! The OpenRPC document, made of the table of methods.

use serde_json::{Map, Value, json};

use crate::methods::Content;
use crate::{ErrorCode, Method};

/// The namespace as an OpenRPC document.
pub fn openrpc_document() -> Value {
    let methods: Vec<Value> = Method::ALL.into_iter().map(method).collect();
    json!({
        "openrpc": "1.3.2",
        "info": {
            "title": "Blockwright builder_ namespace",
            "version": "0.2",
            "description": "How a proposer gets blocks from the builder; see docs/builder-rpc.md.",
        },
        "methods": methods,
        "components": {"schemas": schemas(), "errors": errors()},
    })
}

fn method(method: Method) -> Value {
    let params: Vec<Value> = method.params().iter().map(content).collect();
    let errors: Vec<Value> = method
        .errors()
        .iter()
        .map(|code| json!({"$ref": format!("#/components/errors/{}", code.label())}))
        .collect();
    json!({
        "name": method.name(),
        "summary": method.summary(),
        "paramStructure": "by-position",
        "params": params,
        "result": content(&method.result()),
        "errors": errors,
    })
}

fn content(content: &Content) -> Value {
    json!({"name": content.name, "required": content.is_required, "schema": content.schema})
}

fn errors() -> Value {
    let errors = ErrorCode::ALL.into_iter().map(|code| {
        let error = json!({"code": code.code(), "message": code.message()});
        (code.label().to_owned(), error)
    });
    Value::Object(errors.collect())
}

fn hex(bytes: usize) -> Value {
    json!({"type": "string", "pattern": format!("^0x[0-9a-fA-F]{{{}}}$", 2 * bytes)})
}

fn object(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> = required
        .iter()
        .chain(optional)
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    let required: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    json!({"type": "object", "required": required, "properties": properties})
}

/// The fields that a payload and its header share.
fn payload(last: (&'static str, Value), newer: &[(&'static str, Value)]) -> Value {
    let (hash, quantity) = (hex(32), quantity());
    let mut fields = vec![
        ("parentHash", hash.clone()),
        ("feeRecipient", hex(20)),
        ("stateRoot", hash.clone()),
        ("receiptsRoot", hash.clone()),
        ("logsBloom", hex(256)),
        ("prevRandao", hash.clone()),
        ("blockNumber", quantity.clone()),
        ("gasLimit", quantity.clone()),
        ("gasUsed", quantity.clone()),
        ("timestamp", quantity.clone()),
        ("extraData", bytes()),
        ("baseFeePerGas", quantity.clone()),
        ("blockHash", hash.clone()),
    ];
    fields.push(last);
    let mut newer = newer.to_vec();
    newer.extend([
        ("withdrawalsRoot", hash),
        ("blobGasUsed", quantity.clone()),
        ("excessBlobGas", quantity),
    ]);
    object(&fields, &newer)
}

fn quantity() -> Value {
    json!({"type": "string", "pattern": "^0x(0|[1-9a-f][0-9a-f]*)$"})
}

fn bytes() -> Value {
    json!({"type": "string", "pattern": "^0x([0-9a-fA-F]{2})*$"})
}

fn schemas() -> Value {
    json!({
        "Address": hex(20),
        "Hash": hex(32),
        "BlsPublicKey": hex(48),
        "BlsSignature": hex(96),
        "Bytes": bytes(),
        "ExecutionPayload": payload(
            ("transactions", json!({"type": "array", "items": bytes()})),
            &[("withdrawals", json!({"type": "array", "maxItems": 0}))],
        ),
        "BlindExecutionPayload": payload(("transactionsRoot", hex(32)), &[]),
        "BlindAnswer": object(&[
            ("payload", json!({"$ref": "#/components/schemas/BlindExecutionPayload"})),
            ("value", hex(32)),
            ("signature", hex(96)),
        ], &[]),
        "PayloadRequest": object(&[
            ("message", object(&[("slot", quantity()), ("parentHash", hex(32))], &[])),
            ("signature", hex(65)),
        ], &[]),
        "SignedPayload": object(&[
            ("version", json!({"type": "string"})),
            ("message", bid_trace()),
            ("executionPayload", json!({"$ref": "#/components/schemas/ExecutionPayload"})),
            ("signature", hex(65)),
        ], &[]),
        "Bid": object(&[
            ("payloadId", hex(8)),
            ("flashblockIndex", quantity()),
            ("slot", quantity()),
            ("parentHash", hex(32)),
            ("proposerFeeRecipient", hex(20)),
            ("gasLimit", quantity()),
            ("gasUsed", quantity()),
            ("value", quantity()),
        ], &[("blockHash", hex(32))]),
        "Status": status(),
    })
}

fn bid_trace() -> Value {
    object(
        &[
            ("slot", quantity()),
            ("parentHash", hex(32)),
            ("blockHash", hex(32)),
            ("builderAddress", hex(20)),
            ("proposerAddress", hex(20)),
            ("proposerFeeRecipient", hex(20)),
            ("gasLimit", quantity()),
            ("gasUsed", quantity()),
            ("value", quantity()),
        ],
        &[],
    )
}

fn status() -> Value {
    let or_null = |schema: Value| json!({"oneOf": [schema, {"type": "null"}]});
    let last = object(
        &[
            ("payloadId", hex(8)),
            ("blockNumber", quantity()),
            ("index", quantity()),
            ("ageMs", quantity()),
        ],
        &[],
    );
    let keys = object(
        &[
            ("secp256k1Address", or_null(hex(20))),
            ("blsPublicKey", or_null(hex(48))),
        ],
        &[],
    );
    let expected = object(&[("publicKey", hex(48)), ("feeRecipient", hex(20))], &[]);
    let problems = json!({"type": "array", "items": {"type": "string"}});
    let health = object(
        &[("ok", json!({"type": "boolean"})), ("problems", problems)],
        &[],
    );
    object(
        &[
            (
                "head",
                object(&[("number", quantity()), ("hash", hex(32))], &[]),
            ),
            ("jobs", quantity()),
            ("lastFlashblock", or_null(last)),
            ("keys", keys),
            ("expectedProposer", or_null(expected)),
            ("health", health),
        ],
        &[],
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::path::Path;

    use super::*;

    /// `UPDATE_DOCS=1 cargo test -p blockwright-builder-rpc openrpc` writes it anew.
    #[test]
    fn the_committed_document_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openrpc/builder.json");
        let mut text = serde_json::to_string_pretty(&openrpc_document()).unwrap();
        text.push('\n');
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap_or_default() == text,
            "{} is not what the methods are: see this test",
            path.display()
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, document: &Value, count: &mut usize) {
            match value {
                Value::Object(fields) => {
                    if let Some(reference) = fields.get("$ref") {
                        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{pointer}");
                        *count += 1;
                    }
                    fields
                        .values()
                        .for_each(|field| walk(field, document, count));
                }
                Value::Array(items) => items.iter().for_each(|item| walk(item, document, count)),
                _ => {}
            }
        }
        let document = openrpc_document();
        let mut count = 0;
        walk(&document, &document, &mut count);
        assert!(count > 30, "{count}");
    }
}
