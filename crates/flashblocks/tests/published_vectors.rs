//! The book shows the vectors that the codec's tests pin.
//!
//! `BLOCKWRIGHT_BLESS=1 cargo test -p blockwright-flashblocks --test published_vectors` writes
//! docs/vectors.md anew.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write;
use std::path::{Path, PathBuf};

const INTRODUCTION: &str = "\
# Vectors of dialect `spec`

What each one shows stands in [Wire formats](wire-formats.md). The first five are one payload. Each has its
description, whose `hash_tree_root` is what the next one of its payload names as `parent_flash_hash`, and the
bytes of the frame in hex. Another implementation of SSZ (remerkleable) gives the same bytes and roots:
`crates/flashblocks/tests/vectors/spec_vectors.py`.
";

fn package() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap())
}

fn page(golden: &Path) -> String {
    let mut names: Vec<String> = std::fs::read_dir(golden)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".ssz.hex").map(str::to_owned))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    let mut page = INTRODUCTION.to_owned();
    for name in names {
        let read = |ending: &str| std::fs::read_to_string(golden.join(format!("{name}{ending}")));
        let (description, frame) = (read(".json").unwrap(), read(".ssz.hex").unwrap());
        write!(
            page,
            "\n## `{name}`\n\n```json\n{}\n```\n\n```text\n{}\n```\n",
            description.trim_end(),
            frame.trim_end(),
        )
        .unwrap();
    }
    page
}

#[test]
fn the_book_shows_every_vector() {
    let expected = page(&package().join("tests/golden"));
    let book = package().join("../../docs/vectors.md");
    if std::env::var_os("BLOCKWRIGHT_BLESS").is_some() {
        std::fs::write(&book, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&book).unwrap(), expected);
}
