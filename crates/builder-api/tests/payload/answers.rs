//! Who gets what.

use alloy_primitives::{Address, B256};
use blockwright_builder_api::bid_of;
use blockwright_builder_codec::{BidTrace, PAYLOAD_PATH, signing_digest};
use blockwright_signer::{Signature, Signer, recover};
use serde_json::{Value, json};

use crate::fixture::{
    CHAIN_ID, Listener, NUMBER, OPENING, PARENT, Setup, block, builder, exchange, good, message,
    post, proposer, signed, signer,
};

/// Checks the bid's signature and returns the bid.
fn checked_bid(answer: &Value) -> BidTrace {
    let bid: BidTrace = serde_json::from_value(answer["message"].clone()).unwrap();
    let signature: Signature = serde_json::from_value(answer["signature"].clone()).unwrap();
    assert_eq!(
        recover(signing_digest(CHAIN_ID, &bid), &signature).unwrap(),
        builder().address()
    );
    bid
}

#[tokio::test]
async fn a_known_proposer_gets_the_block_with_a_signed_bid() {
    let listener = Listener::start(Setup::new()).await;
    let (status, answer) = listener.post(&good()).await;
    assert_eq!(status, 200, "{answer}");
    let fields: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(fields.len(), 4, "{fields:?}");
    assert_eq!(answer["version"], "canyon");
    assert_eq!(
        answer["executionPayload"],
        json!({"transactions": ["0x7e01"]})
    );
    let bid = checked_bid(&answer);
    assert_eq!(
        bid,
        bid_of(&block(), builder().address(), proposer().address())
    );
    assert_eq!(bid.slot, NUMBER);
    assert_eq!(bid.value, block().value);
    let (status, again) = listener.post(&good()).await;
    assert_eq!((status, again), (200, answer), "the same block again");
    listener.stop().await;
}

#[tokio::test]
async fn a_connection_serves_request_after_request() {
    let listener = Listener::start(Setup::new()).await;
    let mut stream = listener.connect().await;
    for _ in 0..3 {
        assert_eq!(exchange(&mut stream, &post(&good())).await.0, 200);
        assert_eq!(exchange(&mut stream, &post("{}")).await.0, 400);
    }
    let query = post(&good()).replace(PAYLOAD_PATH, &format!("{PAYLOAD_PATH}?x=y"));
    assert_eq!(exchange(&mut stream, &query).await.0, 200);
    listener.stop().await;
}

#[tokio::test]
async fn refusals_have_their_code_and_tell_nothing() {
    let listener = Listener::start(Setup::new()).await;
    let request = |slot, parent| signed(&message(slot, parent), CHAIN_ID, &proposer());
    let unknown = B256::repeat_byte(0x99);
    let wanted = message(NUMBER, PARENT);
    let mut tampered = request(NUMBER - 1, PARENT);
    tampered["message"]["slot"] = json!(format!("{NUMBER:#x}"));
    let mut bad_v = request(NUMBER, PARENT);
    let text = bad_v["signature"].as_str().unwrap().to_owned();
    bad_v["signature"] = json!(format!("{}1b", &text[..130]));
    let mut zero = request(NUMBER, PARENT);
    zero["signature"] = json!(Signature::ZERO);
    let mut unsigned = request(NUMBER, PARENT);
    unsigned.as_object_mut().unwrap().remove("signature");
    let cases = [
        (signed(&wanted, CHAIN_ID, &signer(3)), 401, "the signature"),
        (
            signed(&wanted, CHAIN_ID + 1, &proposer()),
            401,
            "the signature",
        ),
        // Strangers are not told what is built.
        (
            signed(&message(NUMBER, unknown), CHAIN_ID, &signer(3)),
            401,
            "the signature",
        ),
        (tampered, 401, "the signature"),
        (bad_v, 401, "the signature"),
        (zero, 401, "the signature"),
        (unsigned, 400, "signature is missing"),
        (json!({}), 400, "message is missing"),
        (request(NUMBER + 1, PARENT), 400, "message.slot is 192, but"),
        (request(NUMBER, unknown), 404, "nothing was built"),
        (request(NUMBER, OPENING), 503, "the payload is not ready"),
    ];
    for (body, code, said) in cases {
        let (status, answer) = listener.post(&body.to_string()).await;
        assert_eq!(status, code, "{body}: {answer}");
        assert_eq!(answer["code"], code);
        let message = answer["message"].as_str().unwrap();
        assert!(message.starts_with(said), "{body}: {message}");
        assert_eq!(answer.as_object().unwrap().len(), 2);
    }
    listener.stop().await;
}

#[tokio::test]
async fn without_listed_proposers_anybody_gets_the_block() {
    let setup = Setup {
        proposers: Vec::new(),
        ..Setup::new()
    };
    let listener = Listener::start(setup).await;
    let mut request = signed(&message(NUMBER, PARENT), CHAIN_ID, &signer(3));
    for signature in [request["signature"].clone(), json!(Signature::ZERO)] {
        request["signature"] = signature;
        let (status, answer) = listener.post(&request.to_string()).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(checked_bid(&answer).proposer_address, Address::ZERO);
    }
    listener.stop().await;
}

#[tokio::test]
async fn other_methods_paths_and_bodies_are_refused() {
    let listener = Listener::start(Setup::new()).await;
    let long = " ".repeat(4_097);
    let chunked = format!(
        "POST {PAYLOAD_PATH} HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n1001\r\n{long}\r\n0\r\n\r\n"
    );
    let cases = [
        (
            format!("GET {PAYLOAD_PATH} HTTP/1.1\r\nHost: b\r\n\r\n"),
            405,
        ),
        (post(&good()).replace("POST", "PUT"), 405),
        (post(&good()).replace(PAYLOAD_PATH, "/"), 404),
        (
            post(&good()).replace(PAYLOAD_PATH, &format!("{PAYLOAD_PATH}/")),
            404,
        ),
        (post(&good()).replace("payload", "Payload"), 404),
        (post(&long), 413),
        (chunked, 413),
        (post("not JSON"), 400),
        (post(""), 400),
    ];
    for (request, code) in cases {
        let (status, answer) = exchange(&mut listener.connect().await, &request).await;
        assert_eq!(status, code, "{request}: {answer}");
        assert_eq!(answer["code"], code);
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
    listener.stop().await;
}
