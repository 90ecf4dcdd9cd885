//! The meter on this very builder, judged by correctness alone: times say nothing on a busy machine.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::net::TcpListener;

use serde_json::Value;
use support::process::binary;

#[test]
fn the_builder_keeps_its_promises_under_every_load() {
    let folder = tempfile::tempdir().unwrap();
    let output = binary()
        .args(["bench", "set", "quick", "--out"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let mut runs = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        let report: Value = serde_json::from_slice(&text).unwrap();
        let transactions = &report["transactions"];
        assert!(transactions["sealed"].as_u64().unwrap() > 0, "{report}");
        assert_eq!(transactions["sealed"], transactions["accepted"], "{report}");
        assert!(report["usage"]["builder"]["cpu_s"].as_f64().unwrap() > 0.0);
        runs += 1;
    }
    assert!(runs >= 5, "{runs} reports");
}

#[test]
fn a_builder_that_does_not_answer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("jwt.hex");
    std::fs::write(&secret, "ab".repeat(32)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let output = binary()
        .args([
            "bench",
            "run",
            "--senders",
            "1",
            "--blocks",
            "1",
            "--engine",
        ])
        .arg(&url)
        .arg("--jwt")
        .arg(&secret)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&url), "{said}");
}
