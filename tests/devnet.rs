//! A real op-node drives the binary, and real op-geth and check-karst judge it. The scenarios are Go
//! tests in modules of their own; these wrappers run them with everything else.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::process::Command;

use support::tools::{have, root};

#[test]
fn op_node_op_geth_and_check_karst_agree() {
    if !have("go", "version") {
        return;
    }
    let status = Command::new("go")
        .args(["test", "-count=1", "-v", "-timeout", "30m", "./..."])
        .current_dir(root().join("tests/devnet"))
        .env("BLOCKWRIGHT_BIN", env!("CARGO_BIN_EXE_blockwright"))
        .status()
        .unwrap();
    assert!(status.success(), "go test in tests/devnet failed");
}
