//! `blockwright mirror` between real processes, over wires that are cut and blocked.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use blockwright_subscribe::{Event, Subscriber, SubscriberConfig};
use bytes::Bytes;
use futures_util::StreamExt as _;
use support::process::{Blockwright, binary};
use support::proxy::Proxy;
use tokio::sync::mpsc;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Longest time between two frames; far more than any of these streams takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A development chain with a flashblock every 100 ms.
fn chain(args: &[&str]) -> Blockwright {
    let fixed = [
        "dev",
        "--block-time",
        "1s",
        "--flashblocks.block-time",
        "100ms",
    ];
    Blockwright::start(&[&fixed, args].concat())
}

fn mirror(upstreams: &[&str], args: &[&str]) -> Blockwright {
    let upstreams = upstreams.iter().flat_map(|url| ["--upstream", *url]);
    let args: Vec<&str> = upstreams.chain(args.iter().copied()).collect();
    Blockwright::start_mirror(&args)
}

/// A flashblock: payload id, index, frame.
type Seen = (String, u64, Bytes);

/// A subscriber that resumes.
struct Reader(mpsc::Receiver<Event>);

impl Reader {
    fn start(url: &str) -> Self {
        let config = SubscriberConfig {
            pauses: (Duration::from_millis(5), Duration::from_millis(100)),
            ..SubscriberConfig::new(url.parse().unwrap())
        };
        let (subscriber, events) = Subscriber::new(config).unwrap();
        tokio::spawn(subscriber.run());
        Self(events)
    }

    /// The next flashblock. A gap fails the test.
    async fn next(&mut self) -> Seen {
        loop {
            let event = tokio::time::timeout(PATIENCE, self.0.recv()).await;
            match event.expect("no flashblock in time").unwrap() {
                Event::Frame(frame) => {
                    let header = frame.header;
                    return (header.payload_id.to_string(), header.index, frame.frame);
                }
                Event::Gap(gap) => panic!("{gap:?}"),
                Event::Unreadable { cause, .. } => panic!("{cause}"),
                _ => {}
            }
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Seen> {
        let mut seen = Vec::new();
        while seen.len() < count {
            seen.push(self.next().await);
        }
        seen
    }
}

/// `seen` is a piece of what `direct` goes on to bring, without a hole and without a repetition.
async fn assert_same(direct: &mut Reader, seen: &[Seen]) {
    let mut expected = Vec::new();
    while expected.len() < seen.len() {
        let next = direct.next().await;
        if !expected.is_empty() || next == seen[0] {
            expected.push(next);
        }
    }
    for (place, (got, wanted)) in seen.iter().zip(&expected).enumerate() {
        let (payload_id, index, _) = wanted;
        assert_eq!((&got.0, got.1), (payload_id, *index), "place {place}");
        assert_eq!(got.2, wanted.2, "place {place}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_mirror_of_mirrors_on_cut_wires_loses_and_repeats_nothing() {
    let node = chain(&[]);
    let mut direct = Reader::start(&node.endpoints.flashblocks);
    let first = direct.next().await;
    let wires = [
        Proxy::start(&node.endpoints.flashblocks).await,
        Proxy::start(&node.endpoints.flashblocks).await,
    ];
    let left = mirror(&[&wires[0].url()], &[]);
    let right = mirror(&[&wires[1].url()], &[]);
    let (left_url, right_url) = (&left.endpoints.flashblocks, &right.endpoints.flashblocks);
    let last = mirror(&[left_url, right_url], &[]);
    let wire = Proxy::start(&last.endpoints.flashblocks).await;
    let mut reader = Reader::start(&wire.url());
    let mut seen = vec![reader.next().await];
    let mut cutting = tokio::time::interval(Duration::from_millis(170));
    let mut cuts = 0;
    while seen.len() < 60 {
        tokio::select! {
            next = reader.next() => seen.push(next),
            _ = cutting.tick() => {
                wire.cut();
                wires[cuts % 2].cut();
                cuts += 1;
            }
        }
    }
    assert!(cuts > 15, "{cuts} cuts");
    if first.1 == 0 && first == seen[0] {
        seen.remove(0);
    }
    assert_same(&mut direct, &seen).await;
    let resumed = last.metric("blockwright_stream_resumed_total", &[]);
    assert!(resumed > 10.0, "{resumed}");
    for cut in [&left, &right] {
        let connects = "blockwright_mirror_connects_total";
        let resumed = cut.metric(connects, &["resumed=\"yes\""]);
        assert!(resumed > 3.0, "{resumed}");
        assert_eq!(cut.metric("blockwright_mirror_gaps_total", &[]), 0.0);
    }
    for process in [last, left, right, node] {
        assert!(process.stop());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stalled_upstream_is_noticed_and_the_other_carries_on() {
    let node = chain(&[]);
    let mut direct = Reader::start(&node.endpoints.flashblocks);
    let wire = Proxy::start(&node.endpoints.flashblocks).await;
    let proxied = wire.url();
    let both = mirror(
        &[&proxied, &node.endpoints.flashblocks],
        &["--mirror.interval", "300ms"],
    );
    let mut reader = Reader::start(&both.endpoints.flashblocks);
    let mut seen = reader.take(5).await;
    wire.block(true);
    let stalled = both.wait_for_log("upstream stalled", PATIENCE);
    assert_eq!(stalled["fields"]["upstream"], proxied);
    let silent_ms = stalled["fields"]["silent_ms"].as_u64().unwrap();
    assert!((600..1_200).contains(&silent_ms), "{silent_ms} ms");
    // Nothing comes through, so the connection is given up as well.
    let ended = both.wait_for_log("upstream disconnected", PATIENCE);
    assert_eq!(ended["fields"]["upstream"], proxied);
    seen.extend(reader.take(20).await);
    wire.block(false);
    both.wait_for_log("upstream connected", PATIENCE);
    seen.extend(reader.take(10).await);
    assert_same(&mut direct, &seen).await;
    let stalls = both.metric("blockwright_mirror_stalls_total", &[]);
    assert!(stalls >= 1.0, "{stalls}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_upstream_is_not_missed() {
    let node = chain(&[]);
    let mut direct = Reader::start(&node.endpoints.flashblocks);
    let killed = mirror(&[&node.endpoints.flashblocks], &[]);
    let both = mirror(
        &[&killed.endpoints.flashblocks, &node.endpoints.flashblocks],
        &[],
    );
    let mut reader = Reader::start(&both.endpoints.flashblocks);
    let mut seen = reader.take(8).await;
    killed.kill();
    seen.extend(reader.take(25).await);
    assert_same(&mut direct, &seen).await;
    let frames = "blockwright_mirror_frames_total";
    let first = both.metric(frames, &["kind=\"first\""]);
    // Until it is known how long payloads are, the next one waits for both upstreams.
    let held = both.metric(frames, &["kind=\"held\""]);
    assert!(first + held >= seen.len() as f64, "{first} and {held}");
    assert!(both.metric(frames, &["kind=\"duplicate\""]) > 0.0);
    assert_eq!(both.metric(frames, &["kind=\"different\""]), 0.0);
}

/// The next frame of a plain subscriber, unpacked.
async fn frame(url: &str) -> Vec<u8> {
    let (mut socket, _) = connect_async(url).await.unwrap();
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return text.as_bytes().to_vec(),
            Message::Binary(packed) if packed.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) => {
                return zstd::decode_all(&packed[..]).unwrap();
            }
            Message::Binary(packed) if packed.starts_with(&[0, 0, 0, 1]) => return packed.to_vec(),
            Message::Binary(packed) => {
                let mut plain = Vec::new();
                brotli::BrotliDecompress(&mut &packed[..], &mut plain).unwrap();
                return plain;
            }
            _ => {}
        }
    }
}

async fn refused(url: &str) -> u16 {
    match connect_async(url).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_limits_and_encodings_are_served_downstream() {
    let node = chain(&["--flashblocks.api-key", "above"]);
    let upstream = node.endpoints.flashblocks.as_str();
    let guarded = mirror(
        &[upstream],
        &[
            "--mirror.upstream-key",
            "above",
            "--mirror.encoding",
            "zstd",
            "--flashblocks.api-key",
            "below,other",
            "--flashblocks.max-per-key",
            "8",
        ],
    );
    let url = guarded.endpoints.flashblocks.as_str();
    assert_eq!(refused(url).await, 401);
    assert_eq!(refused(&format!("{url}/?api_key=above")).await, 401);
    let mut held = Vec::new();
    for _ in 0..8 {
        let below = format!("{url}/?api_key=below");
        held.push(connect_async(below).await.unwrap());
    }
    assert_eq!(refused(&format!("{url}/?api_key=below")).await, 429);
    let keyed = format!("{url}/?api_key=other");
    assert_eq!(refused(&format!("{keyed}&dialect=spec")).await, 400);

    // One flashblock, by its position: behind index 0 comes index 1, in every encoding.
    let opening = frame(&format!("{upstream}/?api_key=above")).await;
    let opening: serde_json::Value = serde_json::from_slice(&opening).unwrap();
    let number = &opening["metadata"]["block_number"];
    let place = format!("block_number={number}&flashblock_index=0");
    let direct = frame(&format!("{upstream}/?api_key=above&{place}")).await;
    // The mirror may be a moment behind: with replay it has the position as soon as it has the block.
    let mut follower = connect_async(format!("{keyed}&replay=block"))
        .await
        .unwrap()
        .0;
    while !follower
        .next()
        .await
        .unwrap()
        .unwrap()
        .into_data()
        .starts_with(b"{")
    {}
    for encoding in ["json", "brotli", "zstd"] {
        let asked = format!("{keyed}&{place}&encoding={encoding}");
        assert_eq!(frame(&asked).await, direct, "{encoding}");
    }
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_dialect_spec_is_mirrored_byte_for_byte() {
    let node = chain(&[]);
    let upstream = node.endpoints.flashblocks.as_str();
    let spec = mirror(&[upstream], &["--mirror.dialect", "spec"]);
    let url = spec.endpoints.flashblocks.as_str();
    assert_eq!(refused(&format!("{url}/?dialect=v1")).await, 400);
    let mirrored = frame(url).await;
    let header = blockwright_subscribe::peek(blockwright_launch::Form::Spec, &mirrored).unwrap();
    assert_eq!(header.index, 0);
    let number = header.block_number.unwrap();
    let place = format!("block_number={number}&flashblock_index=0");
    let direct = frame(&format!("{upstream}/?dialect=spec&{place}")).await;
    assert_eq!(frame(&format!("{url}/?{place}")).await, direct);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn health_follows_the_upstreams_and_counters_begin_at_zero() {
    let node = chain(&[]);
    let only = mirror(&[&node.endpoints.flashblocks], &[]);
    let mut reader = Reader::start(&only.endpoints.flashblocks);
    reader.take(3).await;
    assert!(only.monitoring("/health").contains(" 200 "));
    let text = only.monitoring("/metrics");
    for name in ["lost", "gaps", "stalls", "disconnects"] {
        let name = format!("blockwright_mirror_{name}_total");
        let is_it = |line: &str| line.starts_with(&name) && line.ends_with(" 0");
        assert!(text.lines().any(is_it), "{name}");
    }
    node.kill();
    only.wait_for_log("upstream disconnected", PATIENCE);
    let health = only.monitoring("/health");
    assert!(health.contains(" 503 "), "{health}");
    assert!(health.ends_with("no upstream is connected\n"), "{health}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lists_in_the_file_are_taken_as_they_stand() {
    let node = chain(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mirror.toml");
    let upstream = format!("{}/?note=1,2", node.endpoints.flashblocks);
    let text =
        format!("upstream = [\"{upstream}\"]\nflashblocks.api-key = [\"be,ta\", \"gamma\"]\n");
    std::fs::write(&file, text).unwrap();
    let from_file = Blockwright::start_mirror(&["--config", file.to_str().unwrap()]);
    let url = from_file.endpoints.flashblocks.as_str();
    for part in ["be", "ta"] {
        assert_eq!(refused(&format!("{url}/?api_key={part}")).await, 401);
    }
    frame(&format!("{url}/?api_key=be%2Cta&replay=block")).await;
    frame(&format!("{url}/?api_key=gamma")).await;
}

#[test]
fn what_cannot_be_mirrored_is_named() {
    let run = |args: &[&str]| {
        let ports = ["--flashblocks.port", "0", "--metrics.port", "0"];
        let output = binary().arg("mirror").args(ports).args(args).output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    let (status, said) = run(&[]);
    assert_eq!(status, Some(2), "{said}");
    let url = ["--upstream", "ws://127.0.0.1:1"];
    for (args, flag) in [
        (&["--upstream", "http://127.0.0.1:1"][..], "--upstream:"),
        (
            &[
                "--upstream",
                "ws://127.0.0.1:1/?api_key=secret&dialect=spec",
            ],
            "--mirror.dialect",
        ),
        (
            &[&url[..], &["--mirror.upstream-key", "s e c"]].concat(),
            "--mirror.upstream-key:",
        ),
        (
            &[&url[..], &["--mirror.upstream-key", "secret,other"]].concat(),
            "--mirror.upstream-key:",
        ),
        (
            &[&url[..], &["--mirror.upstream-ca", "/nonexistent"]].concat(),
            "--mirror.upstream-ca:",
        ),
        (
            &[&url[..], &["--flashblocks.max-per-key", "0"]].concat(),
            "--flashblocks.max-per-key:",
        ),
    ] {
        let (status, said) = run(args);
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains(flag), "{said}");
        assert!(
            !said.contains("s e c") && !said.contains("secret"),
            "{said}"
        );
    }
}
