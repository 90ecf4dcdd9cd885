//! A builder that no consensus client asks to build: it builds by another node's payload attributes.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use alloy_primitives::B256;
use blockwright_attributes::{AttributesEvent, AttributesUrl, ClientConfig, Subscription};
use blockwright_trust::TlsTrust;
use serde_json::{Value, json};
use support::feeder::{Feeder, ask, exchange, key_file};
use support::host::Host;
use support::process::{Blockwright, binary};
use support::rpc::{Rpc, quantity};
use support::stream::Subscriber;
use support::tx::transfer;

/// The round in which the builder has a transaction of its own.
const LAST: usize = 3;

async fn next(events: &mut Subscription) -> AttributesEvent {
    let next = tokio::time::timeout(Duration::from_secs(30), events.next());
    next.await.unwrap().unwrap().unwrap()
}

/// The beginning of the block on `parent`.
async fn beginning(stream: &mut Subscriber, parent: B256) -> Value {
    loop {
        let flashblock = stream.next().await;
        if flashblock["index"] == 0 && flashblock["base"]["parent_hash"] == json!(parent) {
            return flashblock;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_builder_is_driven_by_another_nodes_attributes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let a = Blockwright::start(&["dev", "--block-time", "2s", "--datadir", &path("a")]);
    let key = key_file(folder.path());
    let b = Blockwright::start(&[
        "node",
        "--chain",
        &path("a/genesis.json"),
        "--datadir",
        &path("b"),
        "--builder-api.secp-key",
        key.to_str().unwrap(),
        "--builder-api.attributes-url",
        &a.endpoints.builder_events,
    ]);
    let url = AttributesUrl::new(&*a.endpoints.builder_events);
    let config = ClientConfig::new(Vec::new());
    let mut events = Subscription::open(&url, &config).await.unwrap();
    let mut of_a = Subscriber::connect(&a.endpoints.flashblocks).await;
    let mut of_b = Subscriber::connect(&b.endpoints.flashblocks).await;
    let feeder = Feeder::new(&a, &b);
    let (raw, hash) = transfer(1, 0);

    let mut built = Vec::new();
    for round in 0..=LAST {
        let event = next(&mut events).await;
        let parent = event.parent_hash;
        if round == 0 {
            feeder.bring_ancestors(parent).await;
        }
        feeder.bring(parent).await;
        // The consensus client may choose its blocks later, or not at all.
        if round > 1 || Host::under_test().builds_on_chosen_blocks_alone() {
            feeder.choose(parent).await;
        }
        let first = beginning(&mut of_b, parent).await;
        let same = beginning(&mut of_a, parent).await;
        assert_eq!(first["payload_id"], same["payload_id"]);
        assert_eq!(first["base"], same["base"]);
        if round == LAST {
            let rpc = Rpc::new(&b.endpoints.http);
            rpc.call("eth_sendRawTransaction", json!([raw])).await;
            of_b.flashblock_with(&hash.to_string()).await;
        }
        let (status, answer) = ask(&b.endpoints.builder_api, event.slot, parent);
        assert_eq!(status, 200, "{answer}");
        let payload = &answer["executionPayload"];
        assert_eq!(payload["parentHash"], json!(parent));
        assert_eq!(quantity(&payload["timestamp"]), event.timestamp());
        let transactions = payload["transactions"].as_array().unwrap();
        let forced = event.attributes.transactions.as_deref().unwrap();
        assert_eq!(
            transactions[..forced.len()],
            json!(forced).as_array().unwrap()[..]
        );
        assert_eq!(transactions.contains(&json!(raw)), round == LAST);
        built.push((parent, payload["blockHash"].clone()));
    }
    // Where neither had a transaction of its own, both built the very same block.
    for pair in built.windows(2) {
        let [(_, block), (next, _)] = pair else {
            panic!("windows of two")
        };
        assert_eq!(*block, json!(next));
    }
    let built = |outcome: &str| b.metric("blockwright_attributes_builds_total", &[outcome]);
    assert!(built("started") > LAST as f64);
    assert_eq!(built("refused") + built("overruled"), 0.0);
    let subscribers = a.metric("blockwright_attributes_subscribers_count", &[]);
    assert_eq!(subscribers, 2.0);
    assert!(b.stop(), "while it follows");
    assert!(a.stop(), "while it is followed");
}

/// Files of a server on 127.0.0.1: its certificate, which is its own authority, and its key.
fn certificate(folder: &Path) -> [String; 2] {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = made.signing_key.serialize_pem();
    [("cert.pem", made.cert.pem()), ("key.pem", key)].map(|(name, pem)| {
        let path = folder.join(name);
        std::fs::write(&path, pem).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_come_by_tls_from_whom_the_authority_vouches_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let [cert, key] = certificate(folder.path());
    let serving = [
        "dev",
        "--block-time",
        "2s",
        "--datadir",
        &path("a"),
        "--builder-api.tls-cert",
        &cert,
        "--builder-api.tls-key",
        &key,
    ];
    let a = Blockwright::start(&serving);
    let url = a.endpoints.builder_events.clone();
    assert!(url.starts_with("https://"), "{url}");
    let follow = |data: &str, more: &[&str]| {
        let (genesis, data) = (path("a/genesis.json"), path(data));
        let base = ["node", "--chain", &genesis, "--datadir", &data];
        let follow = ["--builder-api.attributes-url", &*url];
        Blockwright::start(&[&base[..], &follow, more].concat())
    };
    let believing = follow("b", &["--builder-api.attributes-ca", &cert]);
    let doubting = follow("c", &[]);

    let config = ClientConfig {
        trust: Some(TlsTrust::load(Some(Path::new(&cert))).unwrap()),
        ..ClientConfig::new(Vec::new())
    };
    let mut events = Subscription::open(&AttributesUrl::new(&*url), &config)
        .await
        .unwrap();
    let mut built = Subscriber::connect(&believing.endpoints.flashblocks).await;
    let event = next(&mut events).await;
    let feeder = Feeder::new(&a, &believing);
    feeder.bring_ancestors(event.parent_hash).await;
    feeder.bring(event.parent_hash).await;
    if Host::under_test().builds_on_chosen_blocks_alone() {
        feeder.choose(event.parent_hash).await;
    }
    let first = beginning(&mut built, event.parent_hash).await;
    let timestamp = quantity(&first["base"]["timestamp"]);
    assert_eq!(timestamp, event.timestamp());

    let told = doubting.wait_for_early_log("no payload attributes", Duration::from_secs(30));
    let reason = told["fields"]["reason"].as_str().unwrap();
    assert_eq!(reason, "no TLS: invalid peer certificate: UnknownIssuer");
    let disconnects = "blockwright_attributes_disconnects_total";
    assert!(doubting.metric(disconnects, &["cause=\"tls\""]) > 0.0);
    let taken = ["kind=\"taken\""];
    assert_eq!(
        doubting.metric("blockwright_attributes_events_total", &taken),
        0.0
    );

    for (ca, is_done, said) in [
        (None, false, "no TLS: invalid peer certificate"),
        (Some(&cert), true, ""),
    ] {
        let mut command = binary();
        command.args(["builder", "watch-attributes", &url, "--count", "1"]);
        command.args(ca.iter().flat_map(|ca| ["--ca", ca]));
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), is_done, "{text}");
        assert!(text.contains(said), "{text}");
    }
    for node in [believing, doubting, a] {
        assert!(node.stop());
    }
}

#[test]
fn what_is_wrong_is_said_by_its_flag() {
    const URL: &str = "--builder-api.attributes-url";
    const CA: &str = "--builder-api.attributes-ca";
    for (args, said) in [
        (
            vec![URL, "wss://host/secret"],
            "the URL must begin with http:// or https://",
        ),
        (
            vec![URL, "https://secret@host"],
            "the URL must not name a user",
        ),
        (
            vec![URL, "http://host:1", URL, "http://host:1/events"],
            "host:1 is named twice",
        ),
        (
            vec![URL, "https://host:1", CA, "no-such.pem"],
            "certificate authorities in no-such.pem: ",
        ),
        (
            vec![CA, "x.pem"],
            "there is no --builder-api.attributes-url",
        ),
    ] {
        let flag = if args.contains(&CA) { CA } else { URL };
        let mut command = binary();
        command.arg("dev");
        for flag in [
            "http.port",
            "ws.port",
            "authrpc.port",
            "flashblocks.port",
            "metrics.port",
            "builder-api.port",
            "builder-api.events-port",
        ] {
            command.args([format!("--{flag}"), "0".to_owned()]);
        }
        let output = command.args(args).output().unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr);
        let expected = format!("{flag}: {said}");
        assert!(text.contains(&expected), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn a_node_serves_its_attributes_where_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let dev = folder.path().join("dev");
    let first = Blockwright::start(&["dev", "--datadir", dev.to_str().unwrap()]);
    assert!(first.stop());
    let (genesis, data) = (dev.join("genesis.json"), folder.path().join("node"));
    let args = [
        "node",
        "--chain",
        genesis.to_str().unwrap(),
        "--datadir",
        data.to_str().unwrap(),
    ];
    let without = Blockwright::start(&args);
    assert_eq!(without.endpoints.builder_events, "");
    assert!(without.stop());
    let with = Blockwright::start(&[&args[..], &["--builder-api.events-port", "0"]].concat());
    assert_eq!(with.endpoints.builder_api, "");
    let request = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = exchange(&with.endpoints.builder_events, request);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(with.stop());
}

#[test]
fn a_stream_is_watched_by_hand() {
    let node = Blockwright::start(&["dev", "--block-time", "1s"]);
    let url = node.endpoints.builder_events.clone();
    let watch = |more: &[&str]| {
        let mut command = binary();
        command.args(["builder", "watch-attributes", &url]);
        let output = command.args(more).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.success(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (is_done, lines, _) = watch(&["--json", "--count", "2"]);
    assert!(is_done);
    let events: Vec<_> = lines
        .lines()
        .map(|line| AttributesEvent::from_json(line.as_bytes()).unwrap())
        .collect();
    assert_eq!(events[1].slot, events[0].slot + 1);
    assert_eq!(events[1].timestamp(), events[0].timestamp() + 1);
    let (is_done, line, _) = watch(&["--count", "1"]);
    assert!(is_done);
    assert!(
        line.contains("gas limit 60000000, transactions 1\n"),
        "{line}"
    );
    assert!(node.stop());
    let (is_done, _, said) = watch(&[]);
    assert!(!is_done);
    assert!(said.contains("cannot connect"), "{said}");
}
