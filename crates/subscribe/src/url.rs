//! Where a stream is, and what it is asked.

use core::fmt;
use core::str::FromStr;

use blockwright_flashblocks::{Dialect, Form, MetadataDetail};
use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use crate::{FrameHeader, SubscribeError};

/// What stands unescaped in a query string.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The URL of a stream, `ws://HOST[:PORT][/PATH][?QUERY]` or `wss://…`. A query string may hold a key, so
/// it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamUrl {
    uri: Uri,
    host: String,
    port: u16,
    is_tls: bool,
}

/// What is asked of the server beyond what the URL says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) form: Form,
    /// `brotli` or `zstd`.
    pub(crate) encoding: Option<&'a str>,
    /// The last flashblock taken.
    pub(crate) after: Option<FrameHeader>,
}

impl StreamUrl {
    /// Host without brackets, for connecting and for its certificate.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Whether its query string has a parameter of this name.
    pub fn asks(&self, name: &str) -> bool {
        let query = self.uri.query().unwrap_or_default();
        let keys = query.split('&').filter_map(|part| part.split('=').next());
        keys.map(|key| percent_encoding::percent_decode_str(key).decode_utf8_lossy())
            .any(|key| key == name)
    }

    /// The request's URI. What is the server's default is not said, so that servers that know nothing of it
    /// are asked nothing.
    pub(crate) fn request(&self, asked: &Asked<'_>) -> String {
        let mut query: Vec<String> = Vec::new();
        query.extend(self.uri.query().map(str::to_owned));
        let mut ask = |key: &str, value: &str| {
            let value = percent_encoding::utf8_percent_encode(value, QUERY);
            query.push(format!("{key}={value}"));
        };
        let dialect = asked.form.dialect();
        if dialect != Dialect::V1 {
            ask("dialect", dialect.name());
        }
        match asked.form {
            Form::V1(detail) | Form::Subblocks(detail) if detail != MetadataDetail::Full => {
                ask("metadata", detail.name());
            }
            _ => {}
        }
        if let Some(encoding) = asked.encoding {
            ask("encoding", encoding);
        }
        if let Some(FrameHeader {
            payload_id,
            index,
            block_number: Some(number),
        }) = asked.after
        {
            ask("block_number", &number.to_string());
            ask("flashblock_index", &index.to_string());
            ask("payload_id", &payload_id.to_string());
        }
        let path = self.uri.path();
        let (scheme, authority) = (self.uri.scheme_str(), self.uri.authority());
        let base = format!(
            "{}://{}{path}",
            scheme.unwrap_or("ws"),
            authority.map_or(self.host.as_str(), http::uri::Authority::as_str)
        );
        if query.is_empty() {
            base
        } else {
            format!("{base}?{}", query.join("&"))
        }
    }
}

impl FromStr for StreamUrl {
    type Err = SubscribeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |cause| SubscribeError::Url {
            url: text.split('?').next().unwrap_or_default().to_owned(),
            cause,
        };
        let uri: Uri = text.parse().map_err(|_| bad("not a URL"))?;
        let is_tls = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            _ => return Err(bad("a stream's URL begins with ws:// or wss://")),
        };
        let authority = uri.authority().ok_or_else(|| bad("no host"))?;
        if authority.as_str().contains('@') {
            // Not repeated: it may be a password.
            return Err(SubscribeError::Url {
                url: authority.host().to_owned(),
                cause: "user names and passwords are not spoken here",
            });
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(bad("no host"));
        }
        let port = authority.port_u16();
        let port = port.unwrap_or(if is_tls { 443 } else { 80 });
        Ok(Self {
            uri,
            host,
            port,
            is_tls,
        })
    }
}

impl fmt::Display for StreamUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "wss" } else { "ws" };
        let authority = self.uri.authority().map(http::uri::Authority::as_str);
        let authority = authority.unwrap_or(&self.host);
        let path = self.uri.path().trim_end_matches('/');
        write!(formatter, "{scheme}://{authority}{path}")
    }
}

impl fmt::Debug for StreamUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StreamUrl({self})")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use blockwright_types::PayloadId;

    use super::*;

    fn url(text: &str) -> StreamUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_bare_subscription_asks_nothing_and_keeps_what_the_url_says() {
        let plain = url("ws://127.0.0.1:1111");
        let asked = Asked::default();
        assert_eq!(plain.request(&asked), "ws://127.0.0.1:1111/");
        let keyed = url("wss://example.org/ws?api_key=secret");
        assert_eq!(keyed.request(&asked), "wss://example.org/ws?api_key=secret");
        assert_eq!(keyed.to_string(), "wss://example.org/ws");
        assert!(!format!("{keyed:?}").contains("secret"));
        assert_eq!((keyed.port(), plain.port()), (443, 1111));
        let v6 = url("ws://[::1]:7");
        assert_eq!((v6.host(), v6.port()), ("::1", 7));
    }

    #[test]
    fn form_encoding_and_position_are_asked_for() {
        let asked = Asked {
            form: Form::Subblocks(MetadataDetail::Minimal),
            encoding: Some("zstd"),
            after: Some(FrameHeader {
                payload_id: PayloadId::new([3; 8]),
                index: 4,
                block_number: Some(100),
            }),
        };
        assert_eq!(
            url("ws://h/?a=b").request(&asked),
            "ws://h/?a=b&dialect=subblocks&metadata=minimal&encoding=zstd&block_number=100\
             &flashblock_index=4&payload_id=0x0303030303030303"
        );
        // Without a number there is no position to name.
        let unknown = Asked {
            after: asked.after.map(|after| FrameHeader {
                block_number: None,
                ..after
            }),
            form: Form::Spec,
            encoding: None,
        };
        assert_eq!(url("ws://h").request(&unknown), "ws://h/?dialect=spec");
    }

    #[test]
    fn the_parameters_of_a_query_are_known_by_name() {
        let url: StreamUrl = "ws://h/?api_key=dialect&d%69alect=spec&encoding"
            .parse()
            .unwrap();
        assert!(url.asks("dialect") && url.asks("encoding") && url.asks("api_key"));
        assert!(!url.asks("metadata") && !url.asks("spec"));
    }

    #[test]
    fn other_urls_are_refused_without_their_secrets() {
        for (text, cause) in [
            ("http://h", "ws:// or wss://"),
            ("h:1", "ws:// or wss://"),
            ("ws://", "not a URL"),
            ("ws://u:hunter2@h", "passwords"),
        ] {
            let error = text.parse::<StreamUrl>().unwrap_err().to_string();
            assert!(error.contains(cause), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
