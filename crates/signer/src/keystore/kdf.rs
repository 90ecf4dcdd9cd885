//! From a password to 32 bytes, slowly.

use serde_json::{Value, json};
use sha2::Sha256;
use zeroize::Zeroizing;

use alloy_primitives::hex;

use super::{KeystoreError, field, narrow_scrypt};

/// What is derived; both formats split it in two.
const DERIVED_BYTES: u64 = 32;
/// Memory that a file of others may ask for: geth's standard is 256 MiB.
const SCRYPT_MEMORY_BYTES_MAX: u64 = 1 << 30;
/// How often it may ask to fill that memory, in bytes in total.
const SCRYPT_WORK_BYTES_MAX: u64 = 8 << 30;
/// Passes that it may ask for: the published examples have 8.
const SCRYPT_PASSES_MAX: u64 = 1_024;
/// Iterations that a file of others may ask for: the published examples have 2^18.
const PBKDF2_ITERATIONS_MAX: u64 = 1 << 24;

/// The function that makes a key of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KdfFunction {
    /// Costs memory as well as time: the default of most tools.
    Scrypt,
    /// PBKDF2 with HMAC-SHA-256: costs time alone.
    Pbkdf2,
}

/// How much work a guess at the password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KdfCost {
    /// A second or so; scrypt takes 256 MiB.
    Standard,
    /// Milliseconds, for tests and for long random passwords.
    Light,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Kdf {
    work: Work,
    salt: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq)]
enum Work {
    Scrypt { log2_n: u8, r: u32, p: u32 },
    Pbkdf2 { iterations: u32 },
}

impl Kdf {
    pub(super) fn new(function: KdfFunction, cost: KdfCost, salt: [u8; 32]) -> Self {
        let work = match (function, cost) {
            (KdfFunction::Scrypt, KdfCost::Standard) => Work::Scrypt {
                log2_n: 18,
                r: 8,
                p: 1,
            },
            (KdfFunction::Scrypt, KdfCost::Light) => Work::Scrypt {
                log2_n: 12,
                r: 8,
                p: 6,
            },
            (KdfFunction::Pbkdf2, KdfCost::Standard) => Work::Pbkdf2 {
                iterations: 600_000,
            },
            (KdfFunction::Pbkdf2, KdfCost::Light) => Work::Pbkdf2 { iterations: 4_096 },
        };
        Self {
            work,
            salt: salt.to_vec(),
        }
    }

    pub(super) fn derive(&self, password: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut derived = Zeroizing::new([0; 32]);
        match self.work {
            Work::Scrypt { log2_n, r: 1, p } => {
                narrow_scrypt::derive(password, &self.salt, (log2_n, p), &mut derived[..]);
            }
            Work::Scrypt { log2_n, r, p } => {
                let params = scrypt::Params::new(log2_n, r, p, derived.len())
                    .expect("the parameters were checked when they were read");
                scrypt::scrypt(password, &self.salt, &params, &mut derived[..])
                    .expect("32 bytes are an output of scrypt");
            }
            Work::Pbkdf2 { iterations } => {
                pbkdf2::pbkdf2_hmac::<Sha256>(password, &self.salt, iterations, &mut derived[..]);
            }
        }
        derived
    }

    /// The function's name, as both formats write it.
    pub(super) const fn name(&self) -> &'static str {
        match self.work {
            Work::Scrypt { .. } => "scrypt",
            Work::Pbkdf2 { .. } => "pbkdf2",
        }
    }

    /// The parameters, as both formats write them.
    pub(super) fn params(&self) -> Value {
        let salt = hex::encode(&self.salt);
        match self.work {
            Work::Scrypt { log2_n, r, p } => {
                json!({"dklen": DERIVED_BYTES, "n": 1_u64 << log2_n, "p": p, "r": r, "salt": salt})
            }
            Work::Pbkdf2 { iterations } => {
                json!({"c": iterations, "dklen": DERIVED_BYTES, "prf": PRF, "salt": salt})
            }
        }
    }

    /// Reads function and parameters from where the format has them.
    pub(super) fn parse(json: &Value, paths: &Paths) -> Result<Self, KeystoreError> {
        if field::number(json, paths.derived)? != DERIVED_BYTES {
            return Err(KeystoreError::Field(paths.derived));
        }
        let work = match field::text(json, paths.function)? {
            "scrypt" => scrypt_work(json, paths)?,
            "pbkdf2" => {
                field::function(json, paths.prf, PRF)?;
                let iterations = field::number(json, paths.c)?;
                if !(1..=PBKDF2_ITERATIONS_MAX).contains(&iterations) {
                    return Err(KeystoreError::Cost(paths.c));
                }
                Work::Pbkdf2 {
                    iterations: u32::try_from(iterations)
                        .map_err(|_| KeystoreError::Cost(paths.c))?,
                }
            }
            _ => return Err(KeystoreError::Function(paths.function)),
        };
        Ok(Self {
            work,
            salt: field::bytes(json, paths.salt)?,
        })
    }
}

const PRF: &str = "hmac-sha256";

/// Where a format has the function's name and its parameters.
pub(super) struct Paths {
    pub(super) function: &'static str,
    pub(super) derived: &'static str,
    pub(super) salt: &'static str,
    pub(super) n: &'static str,
    pub(super) r: &'static str,
    pub(super) p: &'static str,
    pub(super) c: &'static str,
    pub(super) prf: &'static str,
}

fn scrypt_work(json: &Value, paths: &Paths) -> Result<Work, KeystoreError> {
    let n = field::number(json, paths.n)?;
    let (r, p) = (field::number(json, paths.r)?, field::number(json, paths.p)?);
    let memory = n.saturating_mul(r).saturating_mul(128);
    let too_much = || KeystoreError::Cost(paths.n);
    if r == 0 {
        return Err(KeystoreError::Cost(paths.r));
    }
    if !(1..=SCRYPT_PASSES_MAX).contains(&p) {
        return Err(KeystoreError::Cost(paths.p));
    }
    if !n.is_power_of_two()
        || n == 1
        || memory > SCRYPT_MEMORY_BYTES_MAX
        || memory.saturating_mul(p) > SCRYPT_WORK_BYTES_MAX
    {
        return Err(too_much());
    }
    let log2_n = u8::try_from(n.trailing_zeros()).map_err(|_| too_much())?;
    let r = u32::try_from(r).map_err(|_| too_much())?;
    let p = u32::try_from(p).map_err(|_| too_much())?;
    if r == 1 {
        return Ok(Work::Scrypt { log2_n, r, p });
    }
    // The crate's own limits.
    scrypt::Params::new(log2_n, r, p, DERIVED_BYTES as usize).map_err(|_| too_much())?;
    Ok(Work::Scrypt { log2_n, r, p })
}
