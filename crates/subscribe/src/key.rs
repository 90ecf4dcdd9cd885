//! The key of a guarded stream.

use core::fmt;

use http::HeaderValue;

/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// A key that a stream asks for. It is sent as `Authorization: Bearer KEY` and shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamKey(Option<HeaderValue>);

impl StreamKey {
    /// The key with this text: 1 to 256 visible ASCII characters. Another text is refused where the key is to
    /// be used, without being repeated.
    pub fn new(text: &str) -> Self {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let usable = visible && (1..=KEY_BYTES_MAX).contains(&text.len());
        let value = usable.then(|| HeaderValue::from_str(&format!("Bearer {text}")));
        let mut value = value.and_then(Result::ok);
        if let Some(value) = &mut value {
            value.set_sensitive(true);
        }
        Self(value)
    }

    /// The value of the header `Authorization`; `None` where the key cannot be sent.
    pub(crate) const fn authorization(&self) -> Option<&HeaderValue> {
        self.0.as_ref()
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
        let key = StreamKey::new("s+cret/=");
        let sent = key.authorization().unwrap();
        assert_eq!(sent.to_str().unwrap(), "Bearer s+cret/=");
        assert_eq!(format!("{key:?} {sent:?}"), "StreamKey(…) Sensitive");
        for bad in ["", "two words", "ä", &"x".repeat(257)] {
            assert_eq!(StreamKey::new(bad).authorization(), None, "{bad}");
        }
    }
}
