//! Bad input at every door: each gets the standard code and a message that names the cause.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use support::process::{Blockwright, binary};

/// Runs the binary with arguments it must refuse; returns what it says.
fn refused(args: &[&str], env: &[(&str, &str)]) -> String {
    let output = binary()
        .args(args)
        .envs(env.iter().copied())
        .output()
        .unwrap();
    assert!(!output.status.success(), "{args:?} was accepted");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains("panicked"), "{text}");
    text
}

#[test]
fn flags_are_refused_by_name() {
    let cases: [(&[&str], &str); 20] = [
        (&["dev", "--block-time", "0.5"], "0.5"),
        (&["dev", "--block-time", "0"], "at least 1s"),
        (&["dev", "--flashblocks.block-time", "10"], "50ms"),
        (
            &[
                "dev",
                "--block-time",
                "1s",
                "--flashblocks.block-time",
                "1500ms",
            ],
            "flashblocks.block-time",
        ),
        (
            &["dev", "--flashblocks.end-margin", "2s"],
            "--flashblocks.end-margin",
        ),
        (
            &["dev", "--flashblocks.tls-cert", "cert.pem"],
            "--flashblocks.tls-key",
        ),
        (
            &["dev", "--flashblocks.tls-key", "key.pem"],
            "--flashblocks.tls-cert",
        ),
        (
            &[
                "dev",
                "--flashblocks.tls-cert",
                "no-such-cert.pem",
                "--flashblocks.tls-key",
                "key.pem",
            ],
            "--flashblocks.tls-cert: certificate chain no-such-cert.pem",
        ),
        (
            &["dev", "--flashblocks.ring-time", "0"],
            "--flashblocks.ring-time",
        ),
        (&["dev", "--gas-limit", "21000"], "--gas-limit"),
        (&["dev", "--rpc.max-batch", "0"], "--rpc.max-batch"),
        (&["dev", "--rpc.pending", "soon"], "--rpc.pending"),
        (
            &["dev", "--rpc.pending-placeholders", "none"],
            "expected standard or spec",
        ),
        (
            &["dev", "--rpc.sync-timeout", "11s"],
            "--rpc.sync-timeout: 11s is not between 1ms and --rpc.sync-timeout-max, 10s",
        ),
        (
            &["dev", "--rpc.sync-timeout-max", "30s"],
            "--rpc.sync-timeout-max",
        ),
        (&["dev", "--fork", "london"], "london"),
        (&["dev", "--http.port", "70000"], "70000"),
        (&["node"], "--chain"),
        (
            &["dev", "--flashblocks.url", "ws://127.0.0.1:1"],
            "--flashblocks.url",
        ),
        (
            &["node", "--chain", "no-such-genesis.json"],
            "no-such-genesis.json",
        ),
    ];
    for (args, text) in cases {
        let said = refused(args, &[]);
        assert!(said.contains(text), "{args:?} said {said:?}");
    }
}

#[test]
fn environment_and_file_are_checked_like_flags() {
    let said = refused(&["dev"], &[("BLOCKWRIGHT_BLOCK_TIME", "0.5")]);
    assert!(said.contains("0.5"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let config = format!("--config={}", file.display());
    for (text, expected) in [
        ("block-time = 0.5", "0.5"),
        ("[http]\nprot = 1", "http.prot"),
        ("block-time = [1]", "block-time"),
        ("block-time = ", "not TOML"),
    ] {
        std::fs::write(&file, text).unwrap();
        let said = refused(&["dev", &config], &[]);
        assert!(said.contains(expected), "{text:?}: {said}");
    }
    // A list is for flags that may be repeated; what is wrong with a key is said without the key.
    std::fs::write(&file, "flashblocks.api-key = [\"good\", \"two words\"]").unwrap();
    let said = refused(&["dev", &config], &[]);
    assert!(said.contains("--flashblocks.api-key: API key 2"), "{said}");
    assert!(!said.contains("two words"), "{said}");
    let said = refused(&["dev", "--config", "no-such-file.toml"], &[]);
    assert!(said.contains("no-such-file.toml"), "{said}");
}

#[test]
fn a_malformed_genesis_names_the_field() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("genesis.json");
    let data = folder.path().join("data");
    let args = [
        "node",
        "--chain",
        file.to_str().unwrap(),
        "--datadir",
        data.to_str().unwrap(),
    ];
    for (genesis, expected) in [
        ("{", "genesis"),
        (r#"{"config":{"chainId":901},"alloc":{}}"#, "optimism"),
        (r#"{"config":{"chainId":"x"},"alloc":{}}"#, "chainId"),
    ] {
        std::fs::write(&file, genesis).unwrap();
        let said = refused(&args, &[]);
        assert!(said.contains(expected), "{genesis}: {said}");
    }
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for flag in [
        "--http.port",
        "--ws.port",
        "--authrpc.port",
        "--flashblocks.port",
        "--metrics.port",
        "--builder-api.port",
        "--builder-api.events-port",
    ] {
        let mut args = vec!["dev"];
        for other in [
            "--http.port",
            "--ws.port",
            "--authrpc.port",
            "--flashblocks.port",
            "--metrics.port",
            "--builder-api.port",
            "--builder-api.events-port",
        ] {
            args.extend([other, if other == flag { port.as_str() } else { "0" }]);
        }
        let said = refused(&args, &[]);
        assert!(said.contains(&port), "{flag}: {said}");
    }
}

#[test]
fn a_second_node_on_the_same_data_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().to_str().unwrap();
    let _first = Blockwright::start(&["dev", "--datadir", path]);
    let said = refused(
        &[
            "dev",
            "--datadir",
            path,
            "--http.port",
            "0",
            "--ws.port",
            "0",
            "--authrpc.port",
            "0",
            "--flashblocks.port",
            "0",
            "--metrics.port",
            "0",
            "--builder-api.port",
            "0",
            "--builder-api.events-port",
            "0",
        ],
        &[],
    );
    assert!(said.contains("in use") || said.contains("lock"), "{said}");
}

/// One raw HTTP exchange with the Engine API port.
fn post(url: &str, token: Option<&str>, body: &str) -> (u16, String) {
    use std::io::{Read, Write};
    let host = url.strip_prefix("http://").unwrap();
    let mut socket = std::net::TcpStream::connect(host).unwrap();
    let bearer = token
        .map(|token| format!("Authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    write!(
        socket,
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{bearer}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    let status = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    let body = text
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
        .unwrap_or_default();
    (status, body)
}

fn token(secret: &[u8], issued_at: u64) -> String {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    encode(
        &Header::new(Algorithm::HS256),
        &json!({ "iat": issued_at }),
        &EncodingKey::from_secret(secret),
    )
    .unwrap()
}

#[test]
fn the_engine_port_asks_for_a_valid_token_and_well_formed_json() {
    let node = Blockwright::start(&["dev"]);
    let url = node.endpoints.authrpc.as_str();
    let text = std::fs::read_to_string(&node.endpoints.jwt).unwrap();
    let secret = hex::decode(text.trim().trim_start_matches("0x")).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let chain_id = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;

    assert_eq!(post(url, None, chain_id).0, 401);
    assert_eq!(post(url, Some(&token(&[1; 32], now)), chain_id).0, 401);
    assert_eq!(
        post(url, Some(&token(&secret, now - 3600)), chain_id).0,
        401
    );
    assert_eq!(post(url, Some("garbage"), chain_id).0, 401);
    let good = token(&secret, now);
    let (status, body) = post(url, Some(&good), chain_id);
    assert_eq!(status, 200);
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap()["result"],
        "0x385"
    );

    let code = |body: &str| serde_json::from_str::<Value>(body).unwrap()["error"]["code"].clone();
    let (_, truncated) = post(
        url,
        Some(&good),
        r#"{"jsonrpc":"2.0","id":1,"method":"eth_ch"#,
    );
    assert_eq!(code(&truncated), -32700, "{truncated}");
    let unknown = r#"{"jsonrpc":"2.0","id":1,"method":"engine_getPayloadV5","params":["0x0000000000000001"]}"#;
    let (_, unknown) = post(url, Some(&good), unknown);
    assert_eq!(code(&unknown), -38001, "{unknown}");
    let malformed = r#"{"jsonrpc":"2.0","id":1,"method":"engine_getPayloadV4","params":["0x01"]}"#;
    let (_, malformed) = post(url, Some(&good), malformed);
    assert_eq!(code(&malformed), -32602, "{malformed}");
    assert!(node.stop());
}
