//! A real op-node drives the binary, and real op-geth and check-karst judge it. The scenarios are Go
//! tests in modules of their own; these wrappers run them with everything else.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::tools::{have, root};

/// The example proposer of `blockwright-builder-client`. It is built with the workspace's tests; whoever runs this
/// file alone has to build it.
fn proposer() -> PathBuf {
    if let Some(path) = std::env::var_os("PROPOSER_BIN") {
        return path.into();
    }
    let builds = Path::new(env!("CARGO_BIN_EXE_blockwright")).with_file_name("examples");
    let path = builds.join("proposer");
    let make = "cargo build -p blockwright-builder-client --example proposer";
    assert!(
        path.exists(),
        "{} is missing: `{make}` makes it",
        path.display()
    );
    path
}

#[test]
fn op_node_op_geth_and_check_karst_agree() {
    if !have("go", "version") {
        return;
    }
    let status = Command::new("go")
        .args(["test", "-count=1", "-v", "-timeout", "30m", "./..."])
        .current_dir(root().join("tests/devnet"))
        .env("BLOCKWRIGHT_BIN", env!("CARGO_BIN_EXE_blockwright"))
        .env("PROPOSER_BIN", proposer())
        .status()
        .unwrap();
    assert!(status.success(), "go test in tests/devnet failed");
}
