//! JSON web tokens of the Engine API (execution-apis, "authentication"): HS256 over a shared secret,
//! `iat` within 60 seconds.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rand::RngCore;
use serde::{Deserialize, Serialize};

/// Largest distance of `iat` from now, in seconds.
const ISSUED_WITHIN_S: f64 = 60.0;

/// The secret shared with the consensus client. Never shown.
#[derive(Clone)]
pub struct JwtSecret([u8; 32]);

impl core::fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("JwtSecret(..)")
    }
}

/// Why a secret or a token was refused. Never contains either.
#[derive(Debug, thiserror::Error)]
pub enum JwtError {
    /// The file cannot be read or written.
    #[error("JWT secret file {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The file does not hold 32 bytes in hex.
    #[error("JWT secret file {}: expected 64 hex digits, found {found} characters", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Length of what it holds.
        found: usize,
    },
    /// The request has no bearer token.
    #[error("missing token: send `Authorization: Bearer <JWT>`")]
    MissingToken,
    /// The token is not an HS256 JWT signed with the shared secret.
    #[error("invalid token: {0}")]
    InvalidToken(String),
    /// The token's `iat` is too far from now.
    #[error("stale token: iat is {0} s away from this machine's clock, at most 60 are allowed")]
    Stale(u64),
}

/// What our own tokens say.
#[derive(Serialize)]
struct Issued {
    iat: u64,
}

/// What is read of a token. `iat` is a NumericDate, which may have a fraction.
#[derive(Deserialize)]
struct Claims {
    iat: f64,
}

impl JwtSecret {
    /// A secret from its bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the secret at `path`, or makes one there (mode 0600) where there is no file.
    pub fn read_or_create(path: &Path) -> Result<Self, JwtError> {
        if path.exists() {
            Self::read(path)
        } else {
            Self::create(path)
        }
    }

    /// Reads 32 bytes of hex, with or without `0x`.
    pub fn read(path: &Path) -> Result<Self, JwtError> {
        let failed = |source| JwtError::File {
            path: path.to_path_buf(),
            source,
        };
        let text = fs::read_to_string(path).map_err(failed)?;
        warn_if_shared(path);
        let text = text.trim();
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let mut bytes = [0; 32];
        alloy_primitives::hex::decode_to_slice(digits, &mut bytes).map_err(|_| {
            JwtError::Malformed {
                path: path.to_path_buf(),
                found: digits.len(),
            }
        })?;
        Ok(Self(bytes))
    }

    fn create(path: &Path) -> Result<Self, JwtError> {
        let failed = |source| JwtError::File {
            path: path.to_path_buf(),
            source,
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut bytes = [0; 32];
        rand::rng().fill_bytes(&mut bytes);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        file.write_all(alloy_primitives::hex::encode(bytes).as_bytes())
            .map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok(Self(bytes))
    }

    /// A token issued at `now_s` (seconds since the epoch).
    pub fn sign(&self, now_s: u64) -> Result<String, JwtError> {
        let key = EncodingKey::from_secret(&self.0);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &Issued { iat: now_s }, &key)
            .map_err(|error| JwtError::InvalidToken(error.to_string()))
    }

    /// Checks the value of an `Authorization` header at `now_s`.
    pub fn check(&self, authorization: Option<&str>, now_s: u64) -> Result<(), JwtError> {
        let token = authorization
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token)
            .ok_or(JwtError::MissingToken)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        // The API asks for `iat` alone; what else a token claims is none of our business.
        validation.validate_exp = false;
        validation.validate_aud = false;
        let key = DecodingKey::from_secret(&self.0);
        let claims = jsonwebtoken::decode::<Claims>(token.trim(), &key, &validation)
            .map_err(|error| JwtError::InvalidToken(error.to_string()))?
            .claims;
        let away_s = (claims.iat - now_s as f64).abs();
        if away_s <= ISSUED_WITHIN_S {
            Ok(())
        } else {
            Err(JwtError::Stale(away_s as u64))
        }
    }
}

/// Others on the machine could read the secret. Only a warning: it may be the consensus client's file.
fn warn_if_shared(path: &Path) {
    if let Ok(metadata) = fs::metadata(path)
        && metadata.permissions().mode() & 0o077 != 0
    {
        let mode = format!("{:o}", metadata.permissions().mode() & 0o777);
        tracing::warn!(path = %path.display(), mode, "JWT secret file should have mode 600");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: u64 = 1_750_000_000;

    #[test]
    fn its_own_tokens_pass_and_all_others_do_not() {
        let secret = JwtSecret::new([7; 32]);
        let check = |token: &str| secret.check(Some(&format!("Bearer {token}")), NOW);
        check(&secret.sign(NOW).unwrap()).unwrap();
        check(&secret.sign(NOW - 60).unwrap()).unwrap();
        check(&secret.sign(NOW + 60).unwrap()).unwrap();
        assert!(matches!(
            check(&secret.sign(NOW - 61).unwrap()),
            Err(JwtError::Stale(61))
        ));
        assert!(matches!(
            check(&secret.sign(NOW + 61).unwrap()),
            Err(JwtError::Stale(61))
        ));
        let stranger = JwtSecret::new([8; 32]).sign(NOW).unwrap();
        assert!(matches!(check(&stranger), Err(JwtError::InvalidToken(_))));
        assert!(matches!(check("x.y.z"), Err(JwtError::InvalidToken(_))));
        assert!(matches!(
            secret.check(None, NOW),
            Err(JwtError::MissingToken)
        ));
        assert!(matches!(
            secret.check(Some("Basic abc"), NOW),
            Err(JwtError::MissingToken)
        ));
    }

    #[test]
    fn a_made_secret_is_private_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwt.hex");
        let made = JwtSecret::read_or_create(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(JwtSecret::read_or_create(&path).unwrap().0, made.0);
        fs::write(&path, format!("0x{}\n", "ab".repeat(32))).unwrap();
        assert_eq!(JwtSecret::read(&path).unwrap().0, [0xab; 32]);
    }

    #[test]
    fn a_malformed_secret_names_the_file_and_does_not_show_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwt.hex");
        for text in ["", "abcd", &"zz".repeat(32), &"ab".repeat(33)] {
            fs::write(&path, text).unwrap();
            let error = JwtSecret::read(&path).unwrap_err().to_string();
            assert!(error.contains("jwt.hex"), "{error}");
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
        assert!(!format!("{:?}", JwtSecret::new([0xcd; 32])).contains("cd"));
    }
}
