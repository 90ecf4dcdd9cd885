//! Signed flashblocks.

use std::sync::Arc;

use alloy_primitives::{Address, B256};
use blockwright_flashblocks::Form;
use blockwright_seams::FlashblockSink;
use blockwright_signer::{LocalSigner, SecretText, SignError, Signature, Signer, recover};
use blockwright_stream::StreamConfig;
use tokio_tungstenite::tungstenite::Message;

use crate::fixture::{Running, config, start_with};
use crate::forms::{Decoded, query, read, read_spec, without_spec_form};

fn key() -> Arc<LocalSigner> {
    let text = SecretText::new("11".repeat(32));
    Arc::new(LocalSigner::from_hex(&text).unwrap())
}

async fn signed_by(signer: Arc<dyn Signer>) -> Running {
    start_with(StreamConfig {
        signer: Some(signer),
        ..config()
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_json_frame_carries_a_signature_of_the_flash_hash() {
    let signer = key();
    let server = signed_by(Arc::clone(&signer) as _).await;
    let positions = [(1, 0), (1, 1), (1, 2), (2, 0)];
    let mut live = server.client().await;
    for (payload, index) in positions {
        server.publish(payload, index);
        assert_eq!(live.next().await, (payload, index));
    }
    let behind = "block_number=1&flashblock_index=0";
    let mut spec = server.client_at(&format!("/?dialect=spec&{behind}")).await;
    let mut hashes = Vec::new();
    for _ in &positions[1..] {
        hashes.push(read_spec(&mut spec).await.flash_hash());
    }
    for form in Form::ALL.into_iter().filter(|form| form.is_text()) {
        let path = format!("/?{}&{behind}", query(form));
        let mut client = server.client_at(&path).await;
        for hash in &hashes {
            let Decoded::Json(read) = read(&mut client, form).await else {
                panic!("{form:?} is JSON");
            };
            let signature = read.builder_signature.expect("a signed frame");
            assert_eq!(recover(*hash, &signature), Ok(signer.address()), "{form:?}");
        }
    }
}

/// A key that somebody else holds and does not use.
#[derive(Debug)]
struct Unwilling;

impl Signer for Unwilling {
    fn address(&self) -> Address {
        Address::ZERO
    }

    fn sign(&self, _: B256) -> Result<Signature, SignError> {
        Err(SignError::Refused {
            address: Address::ZERO,
            source: "locked".into(),
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_signed_is_sent_all_the_same() {
    let unwilling = signed_by(Arc::new(Unwilling)).await;
    let mut client = unwilling.client().await;
    unwilling.publish(1, 0);
    let server = signed_by(key()).await;
    let mut other = server.client().await;
    server.publish(1, 0);
    server.publisher.publish(without_spec_form(1, 1));
    let signed = other.message().await;
    assert!(signed.to_text().unwrap().contains("builder_signature"));
    for message in [client.message().await, other.message().await] {
        let Message::Text(text) = message else {
            panic!("JSON is text");
        };
        assert!(!text.contains("builder_signature"), "{text}");
    }
}
