//! Why certificate authorities cannot be used.

use std::path::PathBuf;

use blockwright_types::Severity;

/// Why certificate authorities cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read, or holds none.
    #[error("certificate authorities in {}: {cause}", path.display())]
    Authorities {
        /// The PEM file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
}

impl TrustError {
    /// What to do about it: the operator has to give another file.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Authorities { .. } => Severity::Fatal,
        }
    }
}
