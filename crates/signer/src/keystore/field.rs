//! Fields of a keystore's JSON by their path. What is in a field that is not as it should be is never
//! told: it may be a secret in the wrong place.

use alloy_primitives::hex;
use serde_json::Value;

use super::KeystoreError;

/// The field at `path`, whose names are joined by dots.
fn at<'a>(json: &'a Value, path: &'static str) -> Result<&'a Value, KeystoreError> {
    path.split('.')
        .try_fold(json, |value, name| value.get(name))
        .ok_or(KeystoreError::Field(path))
}

pub(super) fn number(json: &Value, path: &'static str) -> Result<u64, KeystoreError> {
    at(json, path)?.as_u64().ok_or(KeystoreError::Field(path))
}

pub(super) fn text<'a>(json: &'a Value, path: &'static str) -> Result<&'a str, KeystoreError> {
    at(json, path)?.as_str().ok_or(KeystoreError::Field(path))
}

/// Any number of bytes in hex.
pub(super) fn bytes(json: &Value, path: &'static str) -> Result<Vec<u8>, KeystoreError> {
    hex::decode(text(json, path)?).map_err(|_| KeystoreError::Field(path))
}

/// `N` bytes in hex.
pub(super) fn array<const N: usize>(
    json: &Value,
    path: &'static str,
) -> Result<[u8; N], KeystoreError> {
    let bytes = bytes(json, path)?;
    bytes.try_into().map_err(|_| KeystoreError::Field(path))
}

/// The same where the field may be missing or empty.
pub(super) fn optional<const N: usize>(
    json: &Value,
    path: &'static str,
) -> Result<Option<[u8; N]>, KeystoreError> {
    match at(json, path) {
        Err(_) => Ok(None),
        Ok(value) if value.is_null() || value.as_str() == Some("") => Ok(None),
        Ok(_) => array(json, path).map(Some),
    }
}

/// Checks that the field names the one function there is.
pub(super) fn function(json: &Value, path: &'static str, only: &str) -> Result<(), KeystoreError> {
    if text(json, path)? == only {
        Ok(())
    } else {
        Err(KeystoreError::Function(path))
    }
}
