use super::*;

#[test]
fn frames_differ_by_their_digest() {
    assert_eq!(digest(b"{}"), digest(b"{}"));
    assert_ne!(digest(b"{}"), digest(b"{} "));
}

#[tokio::test]
async fn nobody_subscribes_where_nothing_is_cut() {
    let resuming = Resuming::start("ws://127.0.0.1:1", Duration::ZERO).await;
    assert_eq!(resuming.unwrap().finish(), None);
}

#[tokio::test]
async fn an_address_that_cannot_be_relayed_is_named() {
    let error = Resuming::start("wss://127.0.0.1:1", Duration::from_secs(1)).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("wss://127.0.0.1:1"), "{error}");
}
