//! Transactions that go to other nodes as well: from one chain in memory to another.

use std::time::Duration;

use alloy_primitives::TxKind;
use blockwright_forward::{ForwardConfig, Forwarder, Sequencer, SequencerConfig, TargetUrl};
use blockwright_rpc::{Forwarding, RpcLimits, ServerConfig, engine_port_module};
use blockwright_types::SharedTx;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::BatchRequestBuilder;
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use serde_json::{Value, json};

use crate::fixture::{Chain, LOGGER, signed, start, start_forwarding, transaction};

const SEND: &str = "eth_sendRawTransaction";

fn url(chain: &Chain) -> TargetUrl {
    TargetUrl::new(format!("http://{}", chain.http.local_addr()))
}

fn sequencer(url: TargetUrl) -> Forwarding {
    let mut config = SequencerConfig::new(url);
    config.timeout = Duration::from_secs(20);
    Forwarding {
        sequencer: Some(Sequencer::new(config).unwrap()),
        copies: None,
    }
}

/// Copies to these; the service runs until the test's runtime ends.
fn copies(targets: Vec<TargetUrl>) -> Forwarding {
    let (forwarder, service) = Forwarder::new(&ForwardConfig::new(targets)).unwrap();
    tokio::spawn(service.run_until(std::future::pending()));
    Forwarding {
        sequencer: None,
        copies: Some(forwarder),
    }
}

async fn forwarding_to(forwarding: Forwarding) -> Chain {
    start_forwarding(RpcLimits::default(), ServerConfig::default(), forwarding).await
}

fn tx(index: u32, nonce: u64) -> SharedTx {
    signed(index, transaction(nonce, TxKind::Call(LOGGER)))
}

fn batch(txs: &[SharedTx]) -> BatchRequestBuilder<'static> {
    let mut batch = BatchRequestBuilder::new();
    for tx in txs {
        batch.insert(SEND, rpc_params![tx.encoded.clone()]).unwrap();
    }
    batch
}

/// Waits until `chain` has pooled all of `txs`.
async fn pooled(chain: &Chain, txs: &[SharedTx]) {
    let all = async {
        while !txs.iter().all(|tx| chain.pool.get(&tx.hash).is_some()) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(20), all).await;
    within.expect("forwarded transactions are missing");
}

#[tokio::test]
async fn what_is_accepted_over_http_ws_and_in_batches_reaches_the_builders() {
    let (b, c) = (start().await, start().await);
    let a = forwarding_to(copies(vec![url(&b), url(&c)])).await;
    let txs: Vec<_> = (0..12).map(|nonce| tx(0, nonce)).collect();
    a.ask(SEND, rpc_params![txs[0].encoded.clone()]).await;
    let ws = WsClientBuilder::default()
        .build(format!("ws://{}", a.ws.local_addr()))
        .await
        .unwrap();
    let _: Value = ws
        .request(SEND, rpc_params![txs[1].encoded.clone()])
        .await
        .unwrap();
    let answers = a.client.batch_request::<Value>(batch(&txs[2..])).await;
    assert_eq!(answers.unwrap().num_successful_calls(), 10);
    pooled(&b, &txs).await;
    pooled(&c, &txs).await;
}

#[tokio::test]
async fn what_is_refused_or_known_goes_nowhere_and_two_nodes_may_forward_to_each_other() {
    let b = start().await;
    let a = forwarding_to(copies(vec![url(&b)])).await;
    let early = tx(0, 0);
    // Known here before the forwarding: the pool got it on another way.
    a.pool.add_raw(early.encoded.clone()).await.unwrap();
    a.refused(SEND, rpc_params![early.encoded.clone()]).await;
    let mut cheap = transaction(0, TxKind::Call(LOGGER));
    cheap.gas_limit = 20_000;
    a.refused(SEND, rpc_params![signed(1, cheap).encoded.clone()])
        .await;
    // Later ones get there, so those before would have.
    let later = [tx(2, 0)];
    a.ask(SEND, rpc_params![later[0].encoded.clone()]).await;
    pooled(&b, &later).await;
    assert_eq!(b.pool.status().executable, 1);
}

#[tokio::test]
async fn the_engine_port_forwards_nothing() {
    let b = start().await;
    let a = forwarding_to(sequencer(url(&b))).await;
    let sent = tx(0, 0);
    let module = engine_port_module(&a.api);
    let hash: Value = module.call(SEND, [json!(sent.encoded)]).await.unwrap();
    assert_eq!(hash, json!(sent.hash));
    assert!(a.pool.get(&sent.hash).is_some());
    assert!(b.pool.get(&sent.hash).is_none());
}

#[tokio::test]
async fn the_sequencer_is_asked_first_and_its_refusal_is_the_answer() {
    let b = start().await;
    b.pool.set_min_tip(2_000_000_000);
    let a = forwarding_to(sequencer(url(&b))).await;
    let low = tx(0, 0);
    let mut paying = transaction(0, TxKind::Call(LOGGER));
    paying.max_priority_fee_per_gas = 3_000_000_000;
    let high = signed(1, paying);

    let refusal = a.refused(SEND, rpc_params![low.encoded.clone()]).await;
    let own = b.refused(SEND, rpc_params![low.encoded.clone()]).await;
    assert_eq!(refusal, own, "word for word");
    assert!(a.pool.get(&low.hash).is_none(), "pooled all the same");

    let answers = a
        .client
        .batch_request::<Value>(batch(&[low.clone(), high.clone()]))
        .await
        .unwrap();
    let answers: Vec<_> = answers.into_iter().collect();
    assert!(answers[0].is_err());
    assert_eq!(answers[1].as_ref().unwrap(), &json!(high.hash));
    for chain in [&a, &b] {
        assert!(chain.pool.get(&high.hash).is_some());
    }

    // Known here: the sequencer is not asked again.
    let known = a.refused(SEND, rpc_params![high.encoded.clone()]).await;
    assert_eq!(known.message(), "already known");
}

#[tokio::test]
async fn what_the_sequencer_took_is_accepted_although_the_pool_refuses_it() {
    let b = start().await;
    let a = forwarding_to(sequencer(url(&b))).await;
    a.pool.set_min_tip(2_000_000_000);
    let sent = tx(0, 0);
    let hash = a.ask(SEND, rpc_params![sent.encoded.clone()]).await;
    assert_eq!(hash, json!(sent.hash));
    assert!(a.pool.get(&sent.hash).is_none());
    assert!(b.pool.get(&sent.hash).is_some());
}

#[tokio::test]
async fn a_sequencer_that_is_gone_is_said_so_and_nothing_is_pooled() {
    let b = start().await;
    let gone = url(&b);
    b.http.stop().await;
    let mut config = SequencerConfig::new(gone);
    config.timeout = Duration::from_millis(200);
    let a = forwarding_to(Forwarding {
        sequencer: Some(Sequencer::new(config).unwrap()),
        copies: None,
    })
    .await;
    let sent = tx(0, 0);
    let error = a.refused(SEND, rpc_params![sent.encoded.clone()]).await;
    assert_eq!(error.code(), -32_000, "{error}");
    assert!(
        error.message().starts_with("sequencer cannot be reached"),
        "{error}"
    );
    assert!(a.pool.get(&sent.hash).is_none());
}
