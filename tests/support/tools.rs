//! Foreign programs that judge the node.

use std::path::PathBuf;
use std::process::Command;

/// The repository's root, as cargo says it now: a kept build may come from a checkout elsewhere.
pub fn root() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Whether a missing tool fails the test in place of skipping it.
pub fn must_have_everything() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Whether `tool` can be run. With `CI=true` a missing tool fails the test.
pub fn have(tool: &str, version_argument: &str) -> bool {
    let found = Command::new(tool)
        .arg(version_argument)
        .output()
        .is_ok_and(|out| out.status.success());
    assert!(
        found || !must_have_everything(),
        "{tool} is missing and CI=true"
    );
    if !found {
        eprintln!("skipped: {tool} is not installed");
    }
    found
}

/// Runs a command to its end; panics with its whole output unless it succeeds.
pub fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?} failed\n{text}\n{errors}"
    );
    text
}
