//! The Rust files of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file with what the rules need to know about its place.
pub(crate) struct SourceFile {
    /// Path relative to the workspace root, with forward slashes.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl SourceFile {
    /// Whether the file is production code (not a test, bench or example).
    pub(crate) fn is_production(&self) -> bool {
        let is_test_file = self.path.ends_with("/tests.rs") || self.path.ends_with("_tests.rs");
        let in_test_dir = ["/tests/", "/benches/", "/examples/"]
            .iter()
            .any(|dir| self.path.contains(dir));
        !is_test_file && !in_test_dir && !self.path.starts_with("tests/")
    }

    /// Whether the file lies below `folder`.
    pub(crate) fn is_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }
}

/// All Rust files below the folders that hold our code.
pub(crate) fn rust_files(root: &Path) -> eyre::Result<Vec<SourceFile>> {
    let mut found = Vec::new();
    for top in ["bin", "crates", "tests", "xtask"] {
        walk(&root.join(top), &mut found)?;
    }
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path)?;
            let relative = path.strip_prefix(root).unwrap_or(&path);
            Ok(SourceFile {
                path: relative.to_string_lossy().replace('\\', "/"),
                text,
            })
        })
        .collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> eyre::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if name != "target" && name != "node_modules" {
                walk(&path, found)?;
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    Ok(())
}
