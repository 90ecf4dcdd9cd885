//! Where the blocks lie.

use std::io::Read as _;
use std::path::PathBuf;

use serde_json::Value;

/// All files of `BLOCKWRIGHT_BLOCKS/<network>`, sorted by name and parsed. `None` (with a notice)
/// where the variable is not set, except in CI, where it must be.
pub(crate) fn load(network: &str) -> Option<Vec<(String, Value)>> {
    let Ok(folder) = std::env::var("BLOCKWRIGHT_BLOCKS") else {
        assert!(
            std::env::var("CI").is_err(),
            "BLOCKWRIGHT_BLOCKS must be set in CI"
        );
        println!("skipped: BLOCKWRIGHT_BLOCKS is not set");
        return None;
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(PathBuf::from(folder).join(network))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "gz"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no blocks of {network}");
    Some(paths.iter().map(parse).collect())
}

fn parse(path: &PathBuf) -> (String, Value) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut json = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_end(&mut json)
        .unwrap();
    (name, serde_json::from_slice(&json).unwrap())
}
