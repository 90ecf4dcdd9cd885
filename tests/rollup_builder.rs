//! A proposer's node that asks a builder for blocks, and a wire between them that lies.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use alloy_primitives::{B256, U256, hex};
use blockwright_attributes::{AttributesUrl, ClientConfig, Subscription};
use blockwright_builder_codec::{BidTrace, signing_digest};
use blockwright_engine::ExecutionPayload;
use blockwright_launch::dev_accounts;
use blockwright_signer::{LocalSigner, SecretText, Signer};
use blockwright_types::OpFork;
use serde_json::{Value, json};
use support::feeder::{Feeder, exchange, key_file};
use support::process::{Blockwright, refused_start};
use support::rpc::Rpc;
use support::tx::transfer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the wire does to answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    /// The payload is changed, its hash is not.
    Gas,
    /// Everything agrees and is signed; the state root is wrong.
    StateRoot,
    /// Everything agrees and is signed; the value is wrong.
    Value,
    /// The answer comes after the proposer's time.
    Late,
}

struct Wire {
    lie: Mutex<Lie>,
    /// Of the attributes of the block that is being built.
    beacon_root: Mutex<B256>,
    /// Where it leads, once there is a builder.
    builder: OnceLock<String>,
}

impl Wire {
    async fn start() -> (Arc<Self>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let wire = Arc::new(Self {
            lie: Mutex::new(Lie::Gas),
            beacon_root: Mutex::default(),
            builder: OnceLock::new(),
        });
        let served = Arc::clone(&wire);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&served).serve(stream));
            }
        });
        (wire, addr)
    }

    fn tell(&self, lie: Lie) {
        *self.lie.lock().unwrap() = lie;
    }

    /// One request of a connection.
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let Some(body) = request_body(&mut stream).await else {
            return;
        };
        let length = body.len();
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            blockwright_builder_codec::PAYLOAD_PATH
        );
        let Some(url) = self.builder.get().cloned() else {
            return;
        };
        let text = tokio::task::spawn_blocking(move || exchange(&url, &request));
        let text = text.await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.lines().next().unwrap().to_owned();
        let mut answer: Value = serde_json::from_str(body).unwrap();
        if status.contains("200") {
            self.twist(&mut answer).await;
        }
        let body = answer.to_string();
        let length = body.len();
        let answer =
            format!("{status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        let _ = stream.write_all(answer.as_bytes()).await;
    }

    async fn twist(&self, answer: &mut Value) {
        let lie = *self.lie.lock().unwrap();
        match lie {
            Lie::None => {}
            Lie::Gas => {
                let gas = answer["executionPayload"]["gasUsed"].as_str().unwrap();
                let gas = u64::from_str_radix(gas.trim_start_matches("0x"), 16).unwrap() + 1;
                answer["executionPayload"]["gasUsed"] = json!(format!("{gas:#x}"));
                answer["message"]["gasUsed"] = json!(format!("{gas:#x}"));
                sign(answer);
            }
            Lie::StateRoot => {
                answer["executionPayload"]["stateRoot"] = json!(B256::repeat_byte(7));
                let payload = answer["executionPayload"].clone();
                let payload: ExecutionPayload = serde_json::from_value(payload).unwrap();
                let beacon_root = *self.beacon_root.lock().unwrap();
                let hash = payload.header(OpFork::Karst, Some(beacon_root)).hash_slow();
                answer["executionPayload"]["blockHash"] = json!(hash);
                answer["message"]["blockHash"] = json!(hash);
                sign(answer);
            }
            Lie::Value => {
                answer["message"]["value"] = json!(U256::MAX);
                sign(answer);
            }
            Lie::Late => tokio::time::sleep(Duration::from_secs(3)).await,
        }
    }
}

/// Signs the bid anew, as another builder.
fn sign(answer: &mut Value) {
    let key = hex::encode(dev_accounts()[8].signer.to_bytes());
    let key = LocalSigner::from_hex(&SecretText::new(key)).unwrap();
    answer["message"]["builderAddress"] = json!(key.address());
    let bid: BidTrace = serde_json::from_value(answer["message"].clone()).unwrap();
    answer["signature"] = json!(key.sign(signing_digest(901, &bid)).unwrap());
}

async fn request_body(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            });
            if body.len() >= length? {
                return Some(body.to_owned());
            }
        }
        let read = stream.read(&mut buffer).await.ok()?;
        if read == 0 {
            return None;
        }
        text.push_str(std::str::from_utf8(&buffer[..read]).ok()?);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_better_valid_block_is_proposed_and_no_lie_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (wire, addr) = Wire::start().await;
    let proposer = Blockwright::start(&[
        "dev",
        "--block-time",
        "2s",
        "--datadir",
        &path("proposer"),
        "--rollup.builder-url",
        &format!("http://{addr}"),
        "--rollup.builder-timeout",
        "1s",
    ]);
    let key = key_file(folder.path());
    let builder = Blockwright::start(&[
        "node",
        "--chain",
        &path("proposer/genesis.json"),
        "--datadir",
        &path("builder"),
        "--builder-api.secp-key",
        key.to_str().unwrap(),
        "--builder-api.disable-get-payload",
        "--builder-api.attributes-url",
        &proposer.endpoints.builder_events,
    ]);
    wire.builder
        .set(builder.endpoints.builder_api.clone())
        .unwrap();
    let url = AttributesUrl::new(&*proposer.endpoints.builder_events);
    let config = ClientConfig::new(Vec::new());
    let mut events = Subscription::open(&url, &config).await.unwrap();
    let feeder = Feeder::new(&proposer, &builder);
    let of_builder = Rpc::new(&builder.endpoints.http);
    let chain = Rpc::new(&proposer.endpoints.http);
    let outcome = |outcome: &str| {
        let label = format!("outcome=\"{outcome}\"");
        proposer.metric("blockwright_engine_rival_total", &[&label])
    };

    let (raw, hash) = transfer(1, 0);
    of_builder
        .call("eth_sendRawTransaction", json!([raw]))
        .await;
    let lies = [
        (Lie::Gas, "lie"),
        (Lie::StateRoot, "invalid"),
        (Lie::Value, "value"),
        (Lie::Late, "too_late"),
        (Lie::None, "taken"),
    ];
    let mut has_begun = false;
    for (lie, expected) in lies {
        wire.tell(lie);
        let before = outcome(expected);
        let mut rounds = 0;
        while outcome(expected) == before {
            rounds += 1;
            assert!(rounds < 15, "{lie:?} never led to {expected}");
            if lie != Lie::None {
                let params = json!([hash]);
                let receipt = chain.call("eth_getTransactionReceipt", params).await;
                assert!(receipt.is_null(), "{lie:?}: the builder's block was taken");
            }
            let next = tokio::time::timeout(Duration::from_secs(30), events.next());
            let event = next.await.unwrap().unwrap().unwrap();
            let root = event.attributes.payload_attributes.parent_beacon_block_root;
            *wire.beacon_root.lock().unwrap() = root.unwrap();
            if !has_begun {
                feeder.bring_ancestors(event.parent_hash).await;
                has_begun = true;
            }
            feeder.bring(event.parent_hash).await;
            feeder.choose(event.parent_hash).await;
        }
    }
    // Only the builder had it, and the proposer's chain has it now.
    let receipt = chain
        .receipt(&hash.to_string(), Duration::from_secs(20))
        .await;
    assert_eq!(receipt["status"], "0x1");
    assert!(proposer.stop());
    assert!(builder.stop());
}

#[test]
fn what_is_wrong_is_said_by_its_flag() {
    let key = hex::encode([0x46; 32]);
    let url = ["--rollup.builder-url", "http://127.0.0.1:1"];
    let cases: [(&[&str], &str); 4] = [
        (
            &["--rollup.builder-url", "ws://127.0.0.1:1"],
            "only http:// and https://",
        ),
        (
            &["--rollup.builder-key-hex", &key],
            "--rollup.builder-key: there is no --rollup.builder-url",
        ),
        (
            &[url[0], url[1], "--rollup.builder-key-hex", "4646"],
            "32 bytes in hex",
        ),
        (
            &[url[0], url[1], "--builder-api.disable-get-payload"],
            "--rollup.builder-url: with --builder-api.disable-get-payload",
        ),
    ];
    for (args, said) in cases {
        let text = refused_start(&[&["dev"], args].concat());
        assert!(text.contains(said), "{args:?}: {text}");
    }
}
