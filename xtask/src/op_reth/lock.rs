//! Whether the host's lock file knows the shared crates as they are. Nothing but a build with the git sources
//! would notice, and there it looks as if a source were missing.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use super::{FOLDER, shared, table};
use crate::Finding;

/// Every dependency that a locked crate of ours has is in the lock file under its name.
pub(super) fn check(root: &Path, workspace: &Table, lock: &Table) -> eyre::Result<Vec<Finding>> {
    let folders = folders(workspace);
    let mut findings = Vec::new();
    for package in array(lock, "package").filter(|package| !package.contains_key("source")) {
        let name = text(package, "name");
        let folder = folders.iter().find(|(ours, _)| *ours == name);
        let Some((_, folder)) = folder else { continue };
        let manifest = table(&root.join(folder).join("Cargo.toml"))?;
        let known = locked_dependencies(package);
        for missing in needed(&manifest).difference(&known) {
            let rule = format!("{name} needs {missing}; run `cargo metadata` in {FOLDER}");
            findings.push(Finding::new(format!("{FOLDER}/Cargo.lock"), rule));
        }
    }
    Ok(findings)
}

/// Names and folders of our crates.
fn folders(workspace: &Table) -> Vec<(&str, &str)> {
    let paths = shared(workspace)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| {
            let path = value.get("path")?.as_str()?;
            Some((name.as_str(), path))
        });
    paths.collect()
}

/// Dependencies that are always there; optional ones only with a feature.
fn needed(manifest: &Table) -> BTreeSet<&str> {
    let dependencies = manifest.get("dependencies").and_then(Value::as_table);
    let always = dependencies.into_iter().flatten().filter(|(_, value)| {
        let optional = value.get("optional").and_then(Value::as_bool);
        optional != Some(true)
    });
    always.map(|(name, _)| name.as_str()).collect()
}

/// An entry is a name, where several versions are there with the version behind it.
fn locked_dependencies(package: &Table) -> BTreeSet<&str> {
    let dependencies = package.get("dependencies").and_then(Value::as_array);
    let entries = dependencies.into_iter().flatten().filter_map(Value::as_str);
    entries
        .filter_map(|entry| entry.split_whitespace().next())
        .collect()
}

fn array<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = &'a Table> {
    let all = table.get(key).and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_table)
}

fn text<'a>(table: &'a Table, key: &str) -> &'a str {
    table.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_the_lock_file_lacks_is_found() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("crates/x");
        std::fs::create_dir_all(&folder).unwrap();
        let manifest = "[dependencies]\na = \"1\"\nb.workspace = true\nc = { version = \"1\", optional = true }";
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        let workspace: Table = "[workspace.dependencies]\nx = { path = \"crates/x\" }"
            .parse()
            .unwrap();
        let found = |dependencies: &str| {
            let lock = format!("[[package]]\nname = \"x\"\ndependencies = [{dependencies}]");
            check(root.path(), &workspace, &lock.parse().unwrap()).unwrap()
        };
        assert_eq!(found("\"a 1.0.0\", \"b\"").len(), 0);
        assert_eq!(found("\"a\"").len(), 1);
    }
}
