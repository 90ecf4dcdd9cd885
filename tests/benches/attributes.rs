//! How long a builder takes from an event of the attributes stream to flashblock 0, both measured at the other
//! end of a connection, and until it follows a stream again that was away. `ATTRIBUTES_BLOCKS` sets the number
//! of blocks (100), a second each.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B64, B256};
use alloy_rpc_types_engine::PayloadAttributes;
use blockwright_attributes::{
    AttributesEvent, AttributesFeed, AttributesServer, EventServerConfig, SubscriberLimits,
};
use blockwright_chain::dev::{default_l1_attributes, l1_info_deposit};
use blockwright_types::OpFork;
use op_alloy_consensus::OpTxEnvelope;
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use serde_json::json;
use support::feeder::{Feeder, ask};
use support::process::Blockwright;
use support::rpc::{Rpc, quantity};
use support::stream::Subscriber;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const BLOCKS: usize = 100;
const BREAKS: usize = 10;

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// What a sequencer would ask for on this block.
fn event(number: u64, parent_hash: B256, timestamp: u64) -> AttributesEvent {
    let deposit = l1_info_deposit(OpFork::Karst, &default_l1_attributes(), number);
    AttributesEvent {
        slot: number,
        parent_hash,
        attributes: OpPayloadAttributes {
            payload_attributes: PayloadAttributes {
                timestamp,
                suggested_fee_recipient: Address::repeat_byte(0x42),
                withdrawals: Some(Vec::new()),
                parent_beacon_block_root: Some(B256::ZERO),
                ..PayloadAttributes::default()
            },
            transactions: Some(vec![OpTxEnvelope::from(deposit).encoded_2718().into()]),
            no_tx_pool: None,
            gas_limit: Some(60_000_000),
            eip_1559_params: Some(B64::ZERO),
            min_base_fee: Some(0),
        },
    }
}

/// A stream that can be ended.
struct Stream {
    addr: SocketAddr,
    feed: AttributesFeed,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Stream {
    async fn at(addr: SocketAddr) -> Self {
        let config = EventServerConfig {
            addr,
            limits: SubscriberLimits::default(),
            tls: None,
        };
        let (server, feed) = AttributesServer::bind(config).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        Self {
            addr: server.local_addr(),
            feed,
            stop,
            serving: tokio::spawn(server.run_until(async move {
                let _ = stopped.await;
            })),
        }
    }

    /// How long it takes until somebody is there.
    async fn followed(&self) -> Duration {
        let started = Instant::now();
        while self.feed.subscribers() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        started.elapsed()
    }

    async fn end(self) {
        let _ = self.stop.send(());
        self.serving.await.unwrap();
    }
}

/// A builder with nobody who asks it to build, but the stream it follows.
struct Driven {
    builder: Blockwright,
    stream: Stream,
    flashblocks: Subscriber,
    feeder: Feeder,
    _folder: tempfile::TempDir,
}

impl Driven {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        assert!(Blockwright::start(&["dev", "--datadir", &path("dev")]).stop());
        let stream = Stream::at("127.0.0.1:0".parse().unwrap()).await;
        let url = format!("http://{}", stream.addr);
        let builder = Blockwright::start(&[
            "node",
            "--chain",
            &path("dev/genesis.json"),
            "--datadir",
            &path("builder"),
            "--builder-api.secp-key",
            support::feeder::key_file(folder.path()).to_str().unwrap(),
            "--builder-api.attributes-url",
            &url,
        ]);
        stream.followed().await;
        Self {
            flashblocks: Subscriber::connect(&builder.endpoints.flashblocks).await,
            feeder: Feeder::new(&builder, &builder),
            builder,
            stream,
            _folder: folder,
        }
    }

    /// From the event to flashblock 0.
    async fn begin(&mut self, event: &AttributesEvent) -> Duration {
        let told = Instant::now();
        self.stream.feed.publish(event);
        loop {
            let flashblock = self.flashblocks.next().await;
            if flashblock["base"]["parent_hash"] == json!(event.parent_hash) {
                return told.elapsed();
            }
        }
    }

    /// Ends the stream, has it away for so long, and says how long it is back before it is followed.
    async fn cut(&mut self, away: Duration) -> Duration {
        // A connection that was none is not opened again so soon.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let addr = self.stream.addr;
        let other = Stream::at("127.0.0.1:0".parse().unwrap()).await;
        std::mem::replace(&mut self.stream, other).end().await;
        tokio::time::sleep(away).await;
        let back = Stream::at(addr).await;
        std::mem::replace(&mut self.stream, back).end().await;
        self.stream.followed().await
    }

    /// Takes the block as a proposer, and brings it back as a consensus client.
    async fn end(&self, event: &AttributesEvent) -> B256 {
        let url = &self.builder.endpoints.builder_api;
        let (status, answer) = ask(url, event.slot, event.parent_hash);
        assert_eq!(status, 200, "{answer}");
        let payload = answer["executionPayload"].clone();
        let hash = serde_json::from_value(payload["blockHash"].clone()).unwrap();
        self.feeder.new_payload(payload, json!(B256::ZERO)).await;
        self.feeder.choose(hash).await;
        hash
    }
}

#[tokio::main]
async fn main() {
    let blocks = std::env::var("ATTRIBUTES_BLOCKS").ok();
    let blocks = blocks.and_then(|text| text.parse().ok()).unwrap_or(BLOCKS);
    let mut driven = Driven::start().await;
    let rpc = Rpc::new(&driven.builder.endpoints.http);
    let genesis = rpc
        .call("eth_getBlockByNumber", json!(["0x0", false]))
        .await;
    let mut parent: B256 = serde_json::from_value(genesis["hash"].clone()).unwrap();
    let mut timestamp = quantity(&genesis["timestamp"]).max(now().as_secs());
    let mut times = Vec::new();
    for number in 1.. {
        timestamp += 1;
        // As a sequencer does: once the block before has had its time.
        let due = Duration::from_secs(timestamp - 1).saturating_sub(now());
        tokio::time::sleep(due).await;
        let event = event(number, parent, timestamp);
        times.push(driven.begin(&event).await);
        if times.len() == blocks {
            break;
        }
        // The time for requests: shortly before the block's own.
        let due = Duration::from_secs(timestamp).saturating_sub(Duration::from_millis(100));
        tokio::time::sleep(due.saturating_sub(now())).await;
        parent = driven.end(&event).await;
    }
    print(
        &format!("attributes event to flashblock 0, {blocks} blocks"),
        times,
    );
    for away_s in [0, 1, 3] {
        let mut times = Vec::new();
        for _ in 0..BREAKS {
            times.push(driven.cut(Duration::from_secs(away_s)).await);
        }
        print(&format!("back after {away_s} s to followed again"), times);
    }
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let ms = |share: f64| {
        let place = ((times.len() - 1) as f64 * share).round() as usize;
        times[place].as_secs_f64() * 1e3
    };
    println!(
        "{what}: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        ms(0.5),
        ms(0.99),
        ms(1.0)
    );
}
