//! A builder's URL.

use alloy_primitives::Address;
use blockwright_builder_codec::PAYLOAD_PATH;
use http::Uri;

use crate::ClientError;

/// Where a builder is, and who it is where the URL says so.
#[derive(Clone, Debug)]
pub(crate) struct BuilderUrl {
    /// With the request's path.
    pub(crate) endpoint: Uri,
    /// The user part.
    pub(crate) builder: Option<Address>,
}

impl BuilderUrl {
    /// Reads `http[s]://[ADDRESS@]host:port[/]`.
    pub(crate) fn parse(url: &str) -> Result<Self, ClientError> {
        let bad = |reason: &str| ClientError::Url {
            url: url.to_owned(),
            reason: reason.to_owned(),
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("not a URL"))?;
        if !["http", "https"].contains(&scheme) {
            return Err(bad("only http:// and https:// are spoken here"));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, host) = rest
            .rsplit_once('@')
            .map_or((None, rest), |(user, host)| (Some(user), host));
        if host.is_empty() || host.contains(['/', '?', '#']) {
            return Err(bad("expected a host, and no path"));
        }
        let builder = user
            .map(|user| user.parse::<Address>())
            .transpose()
            .map_err(|_| bad("the user part must be the builder's address"))?;
        let endpoint = format!("{scheme}://{host}{PAYLOAD_PATH}").parse();
        let endpoint = endpoint.map_err(|_| bad("the host is malformed"))?;
        Ok(Self { endpoint, builder })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_user_part_is_the_builder() {
        let address = Address::repeat_byte(0x51);
        let url = BuilderUrl::parse(&format!("http://{address}@127.0.0.1:28545/")).unwrap();
        assert_eq!(url.builder, Some(address));
        assert_eq!(
            url.endpoint.to_string(),
            "http://127.0.0.1:28545/eth/v1/builder/payload"
        );
        let url = BuilderUrl::parse("https://[::1]:1").unwrap();
        assert_eq!(url.builder, None);
        assert_eq!(url.endpoint.host(), Some("[::1]"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, reason) in [
            ("127.0.0.1:28545", "not a URL"),
            ("ws://127.0.0.1", "only http:// and https://"),
            ("http://builder@127.0.0.1", "builder's address"),
            ("http://", "expected a host"),
            ("http://host/path", "no path"),
            ("http://ho st", "malformed"),
        ] {
            let said = BuilderUrl::parse(url).unwrap_err().to_string();
            assert!(said.contains(reason), "{url}: {said}");
        }
    }
}
