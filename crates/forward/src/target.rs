//! Where transactions go.

use core::fmt;

use http::Uri;

use crate::ForwardError;

/// A target's URL, `http://` or `https://`. It may hold a password or a key, so it is never shown; its
/// label is.
#[derive(Clone, PartialEq, Eq)]
pub struct TargetUrl(String);

impl TargetUrl {
    /// Takes any text; it is read when a target is made of it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// `host:port`, for metrics and logs.
    ///
    /// # Errors
    /// [`ForwardError::Url`] where it is no URL of a server.
    pub fn label(&self) -> Result<String, ForwardError> {
        let bad = ForwardError::Url;
        let uri: Uri = self
            .0
            .parse()
            .map_err(|_| bad("is not a URL of the form http://host:port"))?;
        let port = match uri.scheme_str() {
            Some("http") => 80,
            Some("https") => 443,
            _ => return Err(bad("must begin with http:// or https://")),
        };
        match uri.host() {
            Some(host) if !host.is_empty() => {
                Ok(format!("{host}:{}", uri.port_u16().unwrap_or(port)))
            }
            _ => Err(bad("names no host")),
        }
    }
}

impl fmt::Debug for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.label() {
            Ok(label) => write!(f, "TargetUrl({label})"),
            Err(_) => f.write_str("TargetUrl(…)"),
        }
    }
}

/// Labels of targets; those that share host and port are numbered.
pub(crate) fn labels(urls: &[TargetUrl]) -> Result<Vec<String>, ForwardError> {
    let mut labels: Vec<String> = Vec::with_capacity(urls.len());
    for (place, url) in urls.iter().enumerate() {
        let plain = url.label()?;
        if urls[..place].contains(url) {
            return Err(ForwardError::Twice(plain));
        }
        let mut label = plain.clone();
        let mut number = 1;
        while labels.contains(&label) {
            number += 1;
            label = format!("{plain}#{number}");
        }
        labels.push(label);
    }
    Ok(labels)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn labels_say_where_without_saying_secrets() {
        for (url, label) in [
            ("http://127.0.0.1:8545", "127.0.0.1:8545"),
            (
                "https://user:secret@example.org/v1/secret",
                "example.org:443",
            ),
            ("http://[::1]/secret", "[::1]:80"),
        ] {
            let url = TargetUrl::new(url);
            assert_eq!(url.label().unwrap(), label);
            assert!(!format!("{url:?}").contains("secret"));
        }
        for bad in ["", "127.0.0.1:8545", "ws://secret:1", "http://", "/secret"] {
            let error = TargetUrl::new(bad).label().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn targets_at_one_server_are_told_apart_and_none_is_named_twice() {
        let urls = ["http://a/1", "http://a/2", "http://b"].map(TargetUrl::new);
        assert_eq!(labels(&urls).unwrap(), ["a:80", "a:80#2", "b:80"]);
        let twice = ["http://a/1", "http://a/1"].map(TargetUrl::new);
        assert_eq!(labels(&twice), Err(ForwardError::Twice("a:80".to_owned())));
    }
}
