//! The key of a guarded stream.

use core::fmt;

use http::HeaderValue;

use crate::SubscribeError;

/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// A key that a stream asks for. It is sent as `Authorization: Bearer KEY` and shown nowhere.
#[derive(Clone)]
pub struct StreamKey(HeaderValue);

impl StreamKey {
    /// The key with this text.
    ///
    /// # Errors
    /// [`SubscribeError::Key`] where it is not 1 to 256 visible ASCII characters.
    pub fn new(text: &str) -> Result<Self, SubscribeError> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || !(1..=KEY_BYTES_MAX).contains(&text.len()) {
            return Err(SubscribeError::Key);
        }
        let value = HeaderValue::from_str(&format!("Bearer {text}"));
        let mut value = value.map_err(|_| SubscribeError::Key)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The value of the header `Authorization`.
    pub(crate) fn authorization(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StreamKey(…)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sent_and_never_shown() {
        let key = StreamKey::new("s+cret/=").unwrap();
        assert_eq!(key.authorization().to_str().unwrap(), "Bearer s+cret/=");
        assert_eq!(format!("{key:?}"), "StreamKey(…)");
        for bad in ["", "two words", "ä", &"x".repeat(257)] {
            let error = StreamKey::new(bad).unwrap_err().to_string();
            assert!(bad.is_empty() || !error.contains(bad), "{error}");
        }
    }
}
