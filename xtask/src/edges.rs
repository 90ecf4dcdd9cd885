//! Which crate may depend on which.

use std::path::Path;
use std::process::Command;

use eyre::{WrapErr, ensure};
use serde_json::Value;

use crate::Finding;

/// Our crates and the crates of ours they may use in production code. ARCHITECTURE.md gives the
/// reasons; both change together.
const EDGES: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("seams", &["types"]),
    ("core", &["types", "seams"]),
    ("keccak", &[]),
    ("ordered-trie", &["keccak"]),
    ("exec", &["types", "seams", "ordered-trie"]),
    ("service", &["types", "seams", "core"]),
    ("flashblocks", &["types"]),
    ("forward", &["types"]),
    (
        "verify",
        &["types", "flashblocks", "chain", "ordered-trie", "signer"],
    ),
    ("testkit", &["types", "seams", "core", "service", "verify"]),
    ("builder-codec", &["types"]),
    ("flags", &["outlets"]),
    ("signer", &["types"]),
    ("listen", &["types"]),
    ("trust", &["types"]),
    (
        "stream",
        &[
            "types",
            "seams",
            "flashblocks",
            "listen",
            "signer",
            "threads",
        ],
    ),
    ("payload", &["types", "chain"]),
    ("payment", &["types", "seams", "signer"]),
    (
        "requests",
        &["types", "seams", "service", "chain", "payload"],
    ),
    (
        "builder-api",
        &["types", "builder-codec", "listen", "signer"],
    ),
    (
        "builder-rpc",
        &["types", "builder-api", "builder-codec", "signer"],
    ),
    ("attributes", &["types", "listen", "trust"]),
    (
        "outlets",
        &[
            "types",
            "seams",
            "service",
            "requests",
            "attributes",
            "builder-api",
            "builder-codec",
            "builder-rpc",
            "flashblocks",
            "listen",
            "payment",
            "signer",
            "stream",
            "threads",
            "trust",
        ],
    ),
    (
        "builder-client",
        &["types", "builder-codec", "payload", "signer", "trust"],
    ),
    ("bench", &["types", "chain", "flashblocks", "subscribe"]),
    ("subscribe", &["types", "flashblocks", "trust"]),
    ("mirror", &["types", "stream", "subscribe"]),
    (
        "watch",
        &["types", "flashblocks", "subscribe", "trust", "verify"],
    ),
    ("chain", &["types"]),
    ("threads", &[]),
    ("root-thread", &["types", "seams"]),
    (
        "state",
        &["types", "seams", "keccak", "root-thread", "threads"],
    ),
    ("pool", &["types", "seams", "threads"]),
    (
        "engine",
        &[
            "types", "seams", "service", "exec", "chain", "payload", "requests", "state", "pool",
            "threads",
        ],
    ),
    (
        "pending",
        &[
            "types",
            "seams",
            "exec",
            "chain",
            "ordered-trie",
            "state",
            "threads",
        ],
    ),
    (
        "follow",
        &[
            "types",
            "seams",
            "exec",
            "flashblocks",
            "verify",
            "chain",
            "state",
            "engine",
            "pending",
            "pool",
            "subscribe",
            "threads",
        ],
    ),
    (
        "rpc",
        &[
            "types", "seams", "exec", "chain", "state", "pool", "pending", "forward",
        ],
    ),
    (
        "launch",
        &[
            "types",
            "seams",
            "core",
            "service",
            "exec",
            "chain",
            "state",
            "pool",
            "pending",
            "engine",
            "follow",
            "rpc",
            "builder-client",
            "builder-rpc",
            "outlets",
            "trust",
            "mirror",
            "subscribe",
            "stream",
            "flashblocks",
            "forward",
            "signer",
            "threads",
        ],
    ),
];

/// Foreign crates and the only crates of ours that may name them; `reth-` is a prefix.
const FOREIGN: &[(&str, &[&str])] = &[
    ("alloy-evm", &["judge"]),
    ("alloy-op-evm", &["judge"]),
    ("clap", &["blockwright", "flags"]),
    ("op-revm", &["exec"]),
    ("revm", &["exec"]),
];

const CORE_FORBIDDEN: &[&str] = &["tokio", "rand", "metrics", "tracing", "parking_lot"];

/// Checks the workspace's dependency graph.
pub(crate) fn check(root: &Path) -> eyre::Result<Vec<Finding>> {
    let metadata = metadata(root)?;
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = short(package["name"].as_str().unwrap_or_default());
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"].is_null() {
                let used = dependency["name"].as_str().unwrap_or_default();
                findings.extend(edge(name, used));
            }
        }
        findings.extend(lints(package)?);
    }
    Ok(findings)
}

fn metadata(root: &Path) -> eyre::Result<Value> {
    let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root)
        .output()
        .wrap_err("cargo metadata did not start")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).wrap_err("cargo metadata printed no JSON")
}

fn short(name: &str) -> &str {
    name.strip_prefix("blockwright-").unwrap_or(name)
}

fn edge(from: &str, to: &str) -> Option<Finding> {
    if let Some(ours) = to.strip_prefix("blockwright-") {
        let allowed = EDGES
            .iter()
            .find(|(name, _)| *name == from)
            .map(|(_, uses)| *uses);
        // The binary and the whole-system tests stand on top of everything.
        let on_top = matches!(from, "blockwright" | "tests");
        if !on_top && !allowed.is_some_and(|uses| uses.contains(&ours)) {
            return Some(Finding::new(from, format!("may not depend on {ours}")));
        }
    }
    if to.starts_with("reth-") {
        return Some(Finding::new(
            from,
            format!("{to}: no crate here knows reth"),
        ));
    }
    if from == "core" && CORE_FORBIDDEN.contains(&to) {
        return Some(Finding::new(from, format!("core may not know {to}")));
    }
    let (_, owners) = FOREIGN.iter().find(|(name, _)| *name == to)?;
    (!owners.contains(&from)).then(|| Finding::new(from, format!("may not name {to}")))
}

fn lints(package: &Value) -> eyre::Result<Option<Finding>> {
    let manifest = package["manifest_path"].as_str().unwrap_or_default();
    let text = std::fs::read_to_string(manifest)?;
    let takes_part = text.contains("[lints]\nworkspace = true");
    Ok((!takes_part).then(|| Finding::new(manifest, "[lints] workspace = true is missing")))
}
