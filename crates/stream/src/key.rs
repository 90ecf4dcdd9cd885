//! API keys.

use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use tokio_tungstenite::tungstenite::handshake::server::Request;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;

/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// A key that lets its holder subscribe. Only its digest is kept, so nothing can print it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    digest: [u8; 32],
    usable: bool,
}

impl ApiKey {
    /// The key with this text: 1 to 256 visible ASCII characters. Another text is refused when the
    /// server starts, without being repeated.
    pub fn new(text: &str) -> Self {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        Self {
            digest: Sha256::digest(text).into(),
            usable: visible && (1..=KEY_BYTES_MAX).contains(&text.len()),
        }
    }

    /// Whether a client can send it.
    pub(crate) const fn is_usable(&self) -> bool {
        self.usable
    }
}

impl core::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// What the key of a request lets its sender do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// There are no keys: everybody may come.
    Anybody,
    /// It shows the key of this number.
    Holder(usize),
    /// It shows none of them.
    Stranger,
}

/// Which of `keys` is shown by `request`, in the header `Authorization: Bearer KEY` or as `api_key` in the
/// query string.
///
/// Digests are compared, all of them, bit by bit to the end: the time says nothing of a key.
pub(crate) fn admitted(keys: &[ApiKey], request: &Request) -> Admitted {
    if keys.is_empty() {
        return Admitted::Anybody;
    }
    let shown = [bearer(request), in_query(request)];
    // The number of the key, counted from 1.
    let mut found = 0_u64;
    for text in shown.into_iter().flatten() {
        let digest: [u8; 32] = Sha256::digest(text).into();
        for (number, key) in (1_u64..).zip(keys) {
            found.conditional_assign(&number, key.digest[..].ct_eq(&digest[..]));
        }
    }
    let number = usize::try_from(found).ok();
    number
        .and_then(|number| number.checked_sub(1))
        .map_or(Admitted::Stranger, Admitted::Holder)
}

fn bearer(request: &Request) -> Option<Vec<u8>> {
    let value = request.headers().get(AUTHORIZATION)?.as_bytes();
    let (scheme, key) = value.split_at_checked(b"Bearer ".len())?;
    let trimmed = key.trim_ascii();
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| trimmed.to_vec())
}

fn in_query(request: &Request) -> Option<Vec<u8>> {
    let query = request.uri().query()?;
    let value = query
        .split('&')
        .rev()
        .find_map(|pair| pair.strip_prefix("api_key="))?;
    Some(percent_encoding::percent_decode_str(value).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn request(uri: &str, authorization: Option<&str>) -> Request {
        let mut request = Request::new(());
        *request.uri_mut() = uri.parse().unwrap();
        if let Some(value) = authorization {
            let headers = request.headers_mut();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn a_key_is_taken_from_the_header_or_the_query() {
        let keys = [ApiKey::new("one"), ApiKey::new("t+w/o=")];
        let shown = [
            request("/", Some("Bearer one")),
            request("/", Some("bearer t+w/o=")),
            request("/x?dialect=v1&api_key=one", None),
            request("/?api_key=t%2Bw%2Fo%3D", None),
            request("/?api_key=t+w/o=", None),
            request("/?api_key=wrong", Some("Bearer one")),
            request("/?api_key=wrong&api_key=one", None),
        ];
        for (request, number) in shown.into_iter().zip([0, 1, 0, 1, 1, 0, 0]) {
            let found = admitted(&keys, &request);
            assert_eq!(found, Admitted::Holder(number), "{request:?}");
        }
        let strangers = [
            request("/", None),
            request("/", Some("Basic one")),
            request("/", Some("Bearer ")),
            request("/?api_key=", None),
            request("/?api_key=on", None),
            request("/?api_key=onee", None),
            request("/?xapi_key=one", None),
        ];
        for request in strangers {
            assert_eq!(admitted(&keys, &request), Admitted::Stranger, "{request:?}");
        }
        assert_eq!(admitted(&[], &request("/", None)), Admitted::Anybody);
    }

    #[test]
    fn a_key_is_not_printed_and_an_unusable_one_is_known() {
        assert_eq!(format!("{:?}", ApiKey::new("secret")), "ApiKey(…)");
        for text in ["", "two words", "umlaut-ä", &"x".repeat(257)] {
            assert!(!ApiKey::new(text).is_usable(), "{text}");
        }
        assert!(ApiKey::new("a-Z_9.~+/=").is_usable());
    }
}
