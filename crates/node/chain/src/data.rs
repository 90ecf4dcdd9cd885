//! Data files of the optimism Go module, compressed into the binary (see `data/README.md`).

use std::io::Read;

use blockwright_types::OpFork;
use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;

/// Predeploy state as of Jovian.
const JOVIAN_STATE: &[u8] = include_bytes!("../data/jovian_state.json.gz");
/// Predeploy state as of Karst.
const KARST_STATE: &[u8] = include_bytes!("../data/karst_state.json.gz");
/// Upgrade transactions of Karst.
const KARST_BUNDLE: &[u8] = include_bytes!("../data/karst_nut_bundle.json.gz");

/// Largest decompressed file accepted, in bytes.
const SIZE_BYTES_MAX: u64 = 16 << 20;

/// Why built-in data cannot be read: the binary is damaged.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Decompression failed.
    #[error("built-in {file} cannot be decompressed")]
    Decompress {
        /// Name of the file.
        file: &'static str,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The JSON is not what it should be.
    #[error("built-in {file} cannot be read")]
    Parse {
        /// Name of the file.
        file: &'static str,
        /// Cause.
        #[source]
        source: serde_json::Error,
    },
}

/// A built-in file.
#[derive(Clone, Copy)]
pub(crate) struct DataFile {
    pub(crate) name: &'static str,
    compressed: &'static [u8],
}

/// Predeploy state of Jovian.
pub(crate) const JOVIAN_PREDEPLOYS: DataFile = DataFile {
    name: "jovian_state.json",
    compressed: JOVIAN_STATE,
};

/// Predeploy state of Karst.
pub(crate) const KARST_PREDEPLOYS: DataFile = DataFile {
    name: "karst_state.json",
    compressed: KARST_STATE,
};

/// Upgrade transactions of Karst.
pub(crate) const KARST_UPGRADE: DataFile = DataFile {
    name: "karst_nut_bundle.json",
    compressed: KARST_BUNDLE,
};

/// The predeploy state for a chain with `fork` active at genesis. There is none before Jovian;
/// Jovian's contracts serve all earlier forks too.
pub(crate) fn predeploys(fork: OpFork) -> DataFile {
    if fork >= OpFork::Karst {
        KARST_PREDEPLOYS
    } else {
        JOVIAN_PREDEPLOYS
    }
}

impl DataFile {
    /// The original file.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        GzDecoder::new(self.compressed)
            .take(SIZE_BYTES_MAX)
            .read_to_end(&mut bytes)
            .map_err(|source| DataError::Decompress {
                file: self.name,
                source,
            })?;
        Ok(bytes)
    }

    /// The original file's JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, DataError> {
        serde_json::from_slice(&self.bytes()?).map_err(|source| DataError::Parse {
            file: self.name,
            source,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
