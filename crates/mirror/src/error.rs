//! Why a mirror cannot start.

use blockwright_subscribe::SubscribeError;
use blockwright_types::Severity;

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// There is nothing to mirror.
    #[error("no upstream is given")]
    NoUpstream,
    /// An upstream's settings cannot be used.
    #[error("upstream {number}: {source}")]
    Upstream {
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong.
        #[source]
        source: SubscribeError,
    },
}

impl MirrorError {
    /// What to do about it: the operator has to give other settings.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::NoUpstream | Self::Upstream { .. } => Severity::Fatal,
        }
    }
}
