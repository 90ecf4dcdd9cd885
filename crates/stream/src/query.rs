//! What a subscriber may ask for in the query string.

/// Keys of the protocol with the one value served. Other keys are ignored, like the path: consumers
/// append what their operators need. A known key with another value is refused, so that nobody
/// reads one format as another.
const SERVED: [(&str, &str); 4] = [
    ("dialect", "v1"),
    ("encoding", "json"),
    ("metadata", "full"),
    ("replay", "block"),
];

/// Checks a query string.
///
/// # Errors
/// The text for the HTTP answer, naming the key.
pub(crate) fn check(query: &str) -> Result<(), String> {
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        for (known, served) in SERVED {
            if key == known && value != served {
                return Err(format!("{known}: only \"{served}\" is served here\n"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn served_values_and_foreign_keys_pass() {
        for query in [
            "",
            "dialect=v1&encoding=json",
            "token=abc",
            "replay=block&x",
        ] {
            assert_eq!(check(query), Ok(()), "{query}");
        }
    }

    #[test]
    fn other_values_are_refused_by_name() {
        assert!(check("dialect=spec").unwrap_err().starts_with("dialect:"));
        assert!(
            check("a=b&encoding=brotli")
                .unwrap_err()
                .starts_with("encoding:")
        );
        assert!(check("replay").unwrap_err().starts_with("replay:"));
    }
}
