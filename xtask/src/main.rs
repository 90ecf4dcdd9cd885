//! Project tasks: `cargo xtask tidy` checks the rules that neither rustc nor clippy knows.

mod edges;
mod form;
mod metric_names;
mod op_reth;
mod sources;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use eyre::WrapErr as _;

/// One broken rule.
struct Finding {
    place: String,
    rule: String,
}

impl Finding {
    fn new(place: impl Into<String>, rule: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            rule: rule.into(),
        }
    }
}

fn main() -> eyre::Result<ExitCode> {
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => tidy(&root()?),
        _ => {
            eprintln!("usage: cargo xtask tidy");
            Ok(ExitCode::from(2))
        }
    }
}

fn root() -> eyre::Result<PathBuf> {
    // Not as compiled: a kept build may come from a checkout that lay elsewhere.
    let manifest = std::env::var("CARGO_MANIFEST_DIR").wrap_err("start it with `cargo xtask`")?;
    let manifest = PathBuf::from(manifest);
    Ok(manifest.parent().unwrap_or(&manifest).to_path_buf())
}

fn tidy(root: &Path) -> eyre::Result<ExitCode> {
    let files = sources::rust_files(root)?;
    let mut findings = edges::check(root)?;
    findings.extend(metric_names::check(root, &files)?);
    findings.extend(op_reth::check(root, &files)?);
    for file in &files {
        findings.extend(words::check(file));
        findings.extend(form::check(file)?);
    }
    for finding in &findings {
        println!("tidy: {}: {}", finding.place, finding.rule);
    }
    println!("tidy: {} files, {} findings", files.len(), findings.len());
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
