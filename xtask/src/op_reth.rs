//! The op-reth host's own workspace: its sources, its size, and that the shared crates fit its versions.

use std::path::Path;

use eyre::{OptionExt as _, WrapErr as _};
use semver::{Version, VersionReq};
use toml::{Table, Value};

use crate::Finding;
use crate::form::code_lines;
use crate::sources::SourceFile;

mod lock;

const FOLDER: &str = "bin/op-reth";

/// Where git dependencies may come from, and what pins them.
const SOURCES: &[(&str, &str)] = &[
    ("https://github.com/ethereum-optimism/optimism", "tag"),
    ("https://github.com/paradigmxyz/reth", "rev"),
];

/// What both hosts must have from one place, or types of the same name would differ.
const UNIFIED: &[&str] = &[
    "alloy-op-hardforks",
    "op-alloy-consensus",
    "op-alloy-rpc-types",
    "op-alloy-rpc-types-engine",
    "op-revm",
];

/// Families of crates whose versions the shared crates and op-reth have to agree on.
const SHARED: &[&str] = &[
    "alloy-",
    "op-alloy-",
    "op-revm",
    "revm",
    "nybbles",
    "jsonrpsee",
];

/// An adapter is small.
const LINES_MAX: usize = 1_500;

/// Checks the manifest, the lock file and the sources, none of which this workspace compiles.
pub(crate) fn check(root: &Path, files: &[SourceFile]) -> eyre::Result<Vec<Finding>> {
    let folder = root.join(FOLDER);
    let manifest = table(&folder.join("Cargo.toml"))?;
    let mut findings = git_sources(&manifest);
    findings.extend(unified(&manifest));
    let workspace = table(&root.join("Cargo.toml"))?;
    let locked = table(&folder.join("Cargo.lock"))?;
    findings.extend(versions(&workspace, &locked)?);
    findings.extend(lock::check(root, &workspace, &locked)?);
    findings.extend(size(files));
    Ok(findings)
}

/// What the workspace's crates have in common, by name.
fn shared(workspace: &Table) -> Option<&Table> {
    workspace.get("workspace")?.get("dependencies")?.as_table()
}

fn table(path: &Path) -> eyre::Result<Table> {
    let text = std::fs::read_to_string(path).wrap_err_with(|| path.display().to_string())?;
    text.parse().wrap_err_with(|| path.display().to_string())
}

/// Every git dependency comes from a known place, and from each place at one point.
fn git_sources(manifest: &Table) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut pins: Vec<(&str, &str)> = Vec::new();
    for (name, dependency) in dependencies(manifest) {
        let Some(git) = dependency.get("git").and_then(Value::as_str) else {
            continue;
        };
        let place = format!("{FOLDER}: {name}");
        let Some((_, pin)) = SOURCES.iter().find(|(source, _)| *source == git) else {
            findings.push(Finding::new(
                place,
                format!("{git} is no source of this host"),
            ));
            continue;
        };
        let Some(at) = dependency.get(*pin).and_then(Value::as_str) else {
            findings.push(Finding::new(place, format!("needs a {pin}")));
            continue;
        };
        match pins.iter().find(|(source, _)| *source == git) {
            Some((_, other)) if *other != at => {
                findings.push(Finding::new(
                    place,
                    format!("is at {at}, others are at {other}"),
                ));
            }
            Some(_) => {}
            None => pins.push((git, at)),
        }
    }
    findings
}

/// Dependencies, of the tests too, and patches.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (&String, &Value)> {
    let kinds = ["dependencies", "dev-dependencies"];
    let tables = kinds.map(|kind| manifest.get(kind).and_then(Value::as_table));
    tables
        .into_iter()
        .chain([patches(manifest)])
        .flatten()
        .flatten()
}

fn patches(manifest: &Table) -> Option<&Table> {
    manifest.get("patch")?.get("crates-io")?.as_table()
}

fn unified(manifest: &Table) -> Vec<Finding> {
    let patched = |name: &str| patches(manifest).is_some_and(|patches| patches.contains_key(name));
    let missing = UNIFIED.iter().filter(|name| !patched(name));
    missing
        .map(|name| Finding::new(FOLDER, format!("{name} is not patched to the tag's")))
        .collect()
}

/// What the shared crates ask for is what the host's lock file has.
fn versions(workspace: &Table, lock: &Table) -> eyre::Result<Vec<Finding>> {
    let asked = shared(workspace).ok_or_eyre("Cargo.toml has no workspace.dependencies")?;
    let locked: Vec<(&str, &str)> = lock
        .get("package")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|package| {
            Some((
                package.get("name")?.as_str()?,
                package.get("version")?.as_str()?,
            ))
        })
        .collect();
    let mut findings = Vec::new();
    for (name, dependency) in asked {
        let shared = SHARED.iter().any(|family| name.starts_with(family));
        let wanted = dependency
            .as_str()
            .or_else(|| dependency.get("version").and_then(Value::as_str));
        let (true, Some(wanted)) = (shared, wanted) else {
            continue;
        };
        let wanted = VersionReq::parse(wanted).wrap_err_with(|| name.clone())?;
        let mut found = locked
            .iter()
            .filter(|(locked, _)| locked == name)
            .peekable();
        if found.peek().is_none() {
            // The host does not have it, so nothing can differ.
            continue;
        }
        let fits =
            |version: &str| Version::parse(version).is_ok_and(|version| wanted.matches(&version));
        if !found.any(|(_, version)| fits(version)) {
            let rule = format!("{name} {wanted} is not what {FOLDER}/Cargo.lock has");
            findings.push(Finding::new("Cargo.toml", rule));
        }
    }
    Ok(findings)
}

fn size(files: &[SourceFile]) -> Option<Finding> {
    let ours = files
        .iter()
        .filter(|file| file.is_in(FOLDER) && file.is_production());
    let lines: usize = ours.map(|file| code_lines(&file.text)).sum();
    let rule = format!("{lines} production lines; an adapter has at most {LINES_MAX}");
    (lines > LINES_MAX).then(|| Finding::new(FOLDER, rule))
}
