//! What to do about certificates that the TLS library refuses in words of its own.

/// How the TLS library calls a certificate authority's certificate that a server shows as its own, which
/// `openssl req -x509` makes unless it is told otherwise.
const AUTHORITY_AS_SERVER: &str = "CaUsedAsEndEntity";

/// Why a server is not believed, as the TLS library says it, with what to do about it where that is known.
pub fn with_remedy(said: String) -> String {
    if !said.contains(AUTHORITY_AS_SERVER) {
        return said;
    }
    said + ": the server shows the certificate of a certificate authority as its own; `openssl req -x509` makes \
            one that vouches for itself with `-addext basicConstraints=critical,CA:FALSE`"
}
