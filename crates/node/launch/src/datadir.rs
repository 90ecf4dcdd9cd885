//! Where a node keeps its data.

use std::path::{Path, PathBuf};

use crate::LaunchError;

/// A data directory, temporary or lasting.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// Removed with the process where no directory was asked for.
    _temporary: Option<tempfile::TempDir>,
}

impl DataDir {
    /// Opens `wanted`, or makes a temporary directory.
    pub(crate) fn open(wanted: Option<&Path>) -> Result<Self, LaunchError> {
        let Some(path) = wanted else {
            let temporary = tempfile::Builder::new()
                .prefix("blockwright-")
                .tempdir()
                .map_err(|source| LaunchError::DataDir {
                    path: std::env::temp_dir(),
                    source,
                })?;
            return Ok(Self {
                path: temporary.path().to_path_buf(),
                _temporary: Some(temporary),
            });
        };
        std::fs::create_dir_all(path).map_err(|source| LaunchError::DataDir {
            path: path.to_path_buf(),
            source,
        })?;
        let path = path.canonicalize().map_err(|source| LaunchError::DataDir {
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self {
            path,
            _temporary: None,
        })
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The state's log segments.
    pub(crate) fn state(&self) -> PathBuf {
        self.path.join("state")
    }

    /// The JWT secret made where none was given.
    pub(crate) fn jwt(&self) -> PathBuf {
        self.path.join("jwt.hex")
    }

    /// What the `builder_` namespace keeps.
    pub(crate) fn builder(&self) -> PathBuf {
        self.path.join("builder")
    }

    /// A development chain's genesis.
    pub(crate) fn genesis(&self) -> PathBuf {
        self.path.join("genesis.json")
    }
}
