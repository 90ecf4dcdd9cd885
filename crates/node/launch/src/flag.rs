//! Complaints about a flag.

use crate::LaunchError;

/// What is wrong with `flag`.
pub(crate) fn flag(flag: &'static str, reason: &dyn core::fmt::Display) -> LaunchError {
    LaunchError::Config {
        flag,
        reason: reason.to_string(),
    }
}
