use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use alloy_primitives::hex;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;
use crate::testing::on_ci;

const MODULE: &str = "github.com/ethereum-optimism/optimism@v1.19.6";

/// The built-in files, their path in the module and their digest.
const FILES: [(DataFile, &str, &str); 3] = [
    (
        JOVIAN_PREDEPLOYS,
        "op-core/nuts/state/jovian_state.json",
        "32c27eb93054837bcdcee91498d1befc542692a3db9427a90477444870b31a16",
    ),
    (
        KARST_PREDEPLOYS,
        "op-core/nuts/state/karst_state.json",
        "f616fc4e089051b59f95db7216e7f6438c94bcfdcade79ee8c93ea5e5239ad02",
    ),
    (
        KARST_UPGRADE,
        "op-core/nuts/bundles/karst_nut_bundle.json",
        "08f5df36f7ff29a9421ab84beebe96684a7455df9a5d234a2468613a4008ad91",
    ),
];

#[test]
fn data_has_the_documented_digests() {
    let readme = include_str!("../../data/README.md");
    for (file, path, digest) in FILES {
        let bytes = file.bytes().unwrap();
        assert_eq!(hex::encode(Sha256::digest(&bytes)), digest, "{}", file.name);
        assert!(
            readme.contains(digest) && readme.contains(path),
            "{}",
            file.name
        );
        assert!((bytes.len() as u64) < SIZE_BYTES_MAX);
    }
}

/// Where the Go toolchain keeps the module, after downloading it where it is missing; `None`
/// without Go.
fn module_folder() -> Option<PathBuf> {
    let download = Command::new("go")
        .args(["mod", "download", "-json", MODULE])
        .env("GOFLAGS", "-mod=mod")
        .current_dir(std::env::temp_dir())
        .output();
    match download {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("go cannot be run: {error}"),
        Ok(output) => {
            let answer: Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
            let folder = answer["Dir"]
                .as_str()
                .unwrap_or_else(|| panic!("{MODULE} cannot be downloaded: {answer}"));
            Some(PathBuf::from(folder))
        }
    }
}

#[test]
fn data_is_that_of_the_go_module() {
    let Some(folder) = module_folder() else {
        assert!(!on_ci(), "Go is needed to compare the data with {MODULE}");
        eprintln!("skipped: Go is not installed");
        return;
    };
    for (file, path, _) in FILES {
        let original = std::fs::read(folder.join(path)).unwrap();
        assert!(
            original == file.bytes().unwrap(),
            "{} differs from {path}",
            file.name
        );
    }
}
