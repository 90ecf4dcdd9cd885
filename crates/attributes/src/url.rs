//! Where an upstream is.

use core::fmt;

use hyper::Uri;
use hyper::http::uri::Scheme;

use crate::AttributesError;

/// The path that streams are served at.
pub const STREAM_PATH: &str = "/events";
/// The one stream there is.
pub(crate) const STREAM_NAME: &str = "payload_attributes";

/// The URL of an upstream, as the operator gave it. A secret may be part of its path or query, so it is
/// never shown whole.
#[derive(Clone, PartialEq, Eq)]
pub struct AttributesUrl(String);

impl AttributesUrl {
    /// Takes any text; [`Self::label`] and whoever connects say what is wrong with it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Host and port.
    ///
    /// # Errors
    /// [`AttributesError::Url`] where it is no URL of a stream.
    pub fn label(&self) -> Result<String, AttributesError> {
        self.parse().map(|upstream| upstream.label())
    }

    /// The URL's parts.
    pub(crate) fn parse(&self) -> Result<Upstream, AttributesError> {
        let uri: Uri = self
            .0
            .parse()
            .map_err(|_| AttributesError::Url("is malformed"))?;
        let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
        if !is_tls && uri.scheme() != Some(&Scheme::HTTP) {
            let problem = "must begin with http:// or https://";
            return Err(AttributesError::Url(problem));
        }
        let authority = uri
            .authority()
            .ok_or(AttributesError::Url("names no host"))?;
        if authority.as_str().contains('@') {
            let problem = "must not name a user: nobody is asked for one";
            return Err(AttributesError::Url(problem));
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(AttributesError::Url("names no host"));
        }
        let target = match (uri.path(), uri.query()) {
            ("" | "/", None) => format!("{STREAM_PATH}?stream={STREAM_NAME}"),
            (path, None) => format!("{path}?stream={STREAM_NAME}"),
            (path, Some(query)) => format!("{path}?{query}"),
        };
        Ok(Upstream {
            host: host.to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if is_tls { 443 } else { 80 }),
            is_tls,
            target,
        })
    }
}

impl fmt::Debug for AttributesUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.label();
        f.write_str(label.as_deref().unwrap_or("AttributesUrl(…)"))
    }
}

/// A URL's parts.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Upstream {
    /// With brackets where it is an IPv6 address.
    host: String,
    port: u16,
    pub(crate) is_tls: bool,
    /// Path and query.
    pub(crate) target: String,
}

impl Upstream {
    /// Host and port, as logs, metrics and the request's `Host` have them.
    pub(crate) fn label(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// What to connect to.
    pub(crate) fn address(&self) -> (&str, u16) {
        let host = self.host.as_str();
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        (bare.unwrap_or(host), self.port)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_host_alone_will_do() {
        let stream = "/events?stream=payload_attributes";
        for (text, label, target) in [
            ("http://127.0.0.1:9546", "127.0.0.1:9546", stream),
            ("http://[::1]:9546/", "[::1]:9546", stream),
            ("http://host", "host:80", stream),
            ("https://host/", "host:443", stream),
            (
                "http://host:1/a/events",
                "host:1",
                "/a/events?stream=payload_attributes",
            ),
            ("http://host:1/x?key=secret", "host:1", "/x?key=secret"),
        ] {
            let upstream = AttributesUrl::new(text).parse().unwrap();
            assert_eq!(upstream.label(), label, "{text}");
            assert_eq!(upstream.target, target, "{text}");
        }
        let v6 = AttributesUrl::new("http://[::1]:9").parse().unwrap();
        assert_eq!(v6.address(), ("::1", 9));
    }

    #[test]
    fn what_is_wrong_is_said_and_nothing_repeated() {
        for (text, said) in [
            ("", "the URL is malformed"),
            ("host:9546", "the URL must begin with http:// or https://"),
            ("wss://host", "the URL must begin with http:// or https://"),
            (
                "http://u:secret@host",
                "the URL must not name a user: nobody is asked for one",
            ),
        ] {
            let url = AttributesUrl::new(text);
            assert_eq!(url.label().unwrap_err().to_string(), said, "{text}");
            assert_eq!(format!("{url:?}"), "AttributesUrl(…)");
        }
        let secret = AttributesUrl::new("http://host/x?key=secret");
        assert_eq!(format!("{secret:?}"), "host:80");
    }
}
