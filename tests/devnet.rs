//! A real op-node drives the binary, and real op-geth and check-karst judge it. The scenarios are Go
//! tests in modules of their own; these wrappers run them with everything else.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::process::Command;

use support::tools::{have, root};

/// Runs `go test` in `module`, its output passed through; panics unless it succeeds.
fn go_test(module: &str, timeout: &str) {
    if !have("go", "version") {
        return;
    }
    let status = Command::new("go")
        .args(["test", "-count=1", "-v", "-timeout", timeout, "./..."])
        .current_dir(root().join(module))
        .env("BLOCKWRIGHT_BIN", env!("CARGO_BIN_EXE_blockwright"))
        .status()
        .unwrap();
    assert!(status.success(), "go test in {module} failed");
}

#[test]
fn op_node_sequences_and_derives_on_our_node() {
    go_test("tests/devnet", "20m");
}

#[test]
fn check_karst_passes() {
    go_test("tests/judges/karst", "15m");
}
