//! Requests and bids as the proposers of today sign them, to the byte.
#![allow(clippy::unwrap_used)]

use alloy_primitives::{Address, B256, Bytes, hex};
use blockwright_builder_codec::{BidTrace, PayloadRequest, signing_digest};
use blockwright_signer::{LocalSigner, SecretText, Signature, Signer, recover};
use serde_json::Value;

/// The sixth of the well-known development keys: the vectors' proposer.
const PROPOSER_KEY: &str = "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba";

fn vectors() -> Option<Value> {
    let Some(folder) = std::env::var_os("BLOCKWRIGHT_BLOCKS") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "BLOCKWRIGHT_BLOCKS must name the folder with recorded data"
        );
        println!("skipped: BLOCKWRIGHT_BLOCKS is not set");
        return None;
    };
    let path = std::path::Path::new(&folder).join("builder-api/vectors.json");
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn text<'a>(vectors: &'a Value, field: &str) -> &'a str {
    vectors[field].as_str().unwrap()
}

fn signature(vectors: &Value, field: &str) -> Signature {
    text(vectors, field).parse().unwrap()
}

#[test]
fn requests_are_those_of_the_vectors() {
    let Some(vectors) = vectors() else { return };
    let chain_id = vectors["chain_id"].as_u64().unwrap();
    let json = vectors["request_json"].to_string();
    let request = PayloadRequest::from_json(json.as_bytes()).unwrap();
    let rlp = alloy_rlp::encode(&request.message);
    assert_eq!(hex::encode(rlp), text(&vectors, "request_rlp"));
    let digest = signing_digest(chain_id, &request.message);
    assert_eq!(
        digest,
        text(&vectors, "request_hash").parse::<B256>().unwrap()
    );
    assert_eq!(request.signature, signature(&vectors, "request_sig"));
    let proposer: Address = text(&vectors, "proposer").parse().unwrap();
    assert_eq!(recover(digest, &request.signature).unwrap(), proposer);
    // And the other way: we sign what they sign.
    let signer = LocalSigner::from_hex(&SecretText::new(PROPOSER_KEY.to_owned())).unwrap();
    assert_eq!(signer.sign(digest).unwrap(), request.signature);
    assert_ne!(
        recover(
            signing_digest(chain_id + 1, &request.message),
            &request.signature
        ),
        Ok(proposer),
        "another chain"
    );
}

#[test]
fn bids_are_those_of_the_vectors() {
    let Some(vectors) = vectors() else { return };
    let chain_id = vectors["chain_id"].as_u64().unwrap();
    let bid: BidTrace = serde_json::from_value(vectors["bid_json"].clone()).unwrap();
    assert_eq!(serde_json::to_value(&bid).unwrap(), vectors["bid_json"]);
    assert_eq!(
        Bytes::from(alloy_rlp::encode(&bid)).to_string(),
        format!("0x{}", text(&vectors, "bid_rlp"))
    );
    let digest = signing_digest(chain_id, &bid);
    assert_eq!(digest, text(&vectors, "bid_hash").parse::<B256>().unwrap());
    let builder: Address = text(&vectors, "builder").parse().unwrap();
    assert_eq!(bid.builder_address, builder);
    assert_eq!(
        recover(digest, &signature(&vectors, "bid_sig")).unwrap(),
        builder
    );
    let zero = alloy_rlp::encode(BidTrace::default());
    assert_eq!(hex::encode(zero), text(&vectors, "zero_bid_rlp"));
}
