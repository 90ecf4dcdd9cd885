//! The pinned files.
//!
//! `BLOCKWRIGHT_BLESS=1 cargo test -p blockwright-flashblocks` rewrites them; do that on purpose
//! only, in its own commit, with the reason.

use std::path::PathBuf;

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(place(path)).unwrap()
}

/// Compares `text` with the pinned file.
pub(crate) fn check(path: &str, text: &str) {
    let file = place(path);
    let pinned = std::fs::read_to_string(&file).unwrap_or_default();
    if pinned != text && std::env::var_os("BLOCKWRIGHT_BLESS").is_some() {
        std::fs::write(&file, text).unwrap();
        return;
    }
    assert_eq!(text, pinned, "{path}");
}

fn place(path: &str) -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("tests")
        .join(path)
}
