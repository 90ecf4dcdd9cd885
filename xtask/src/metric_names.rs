//! Every metric stands in the book.

use std::path::Path;

use crate::Finding;
use crate::sources::SourceFile;

const PREFIX: &str = "\"blockwright_";
const BOOK: &str = "docs/metrics.md";

/// Compares the names in the sources with the book.
pub(crate) fn check(root: &Path, files: &[SourceFile]) -> eyre::Result<Vec<Finding>> {
    let book = std::fs::read_to_string(root.join(BOOK))?;
    let mut findings = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.is_production() && !file.is_in("xtask/"))
    {
        for name in names(&file.text) {
            if !book.contains(&format!("`{name}`")) {
                findings.push(Finding::new(&file.path, format!("{name} is not in {BOOK}")));
            }
        }
    }
    Ok(findings)
}

/// Names of metrics have at least three words; module names in log filters have two.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(PREFIX).skip(1).filter_map(|rest| {
        let end = rest.find('"')?;
        let start = rest.as_ptr() as usize - text.as_ptr() as usize;
        let name = &text[start + 1 - PREFIX.len()..start + end];
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        (plain && name.matches('_').count() >= 2).then_some(name)
    })
}
