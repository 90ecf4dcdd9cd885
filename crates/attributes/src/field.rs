//! Fields of JSON objects, read without trust.

use alloy_primitives::{B256, Bytes, FixedBytes, U256, hex};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{EventError, Problem};

/// An object and where it stands. A field that is `null` is as good as absent.
pub(crate) struct Object<'a> {
    fields: &'a Map<String, Value>,
    /// With a dot behind it, or empty.
    prefix: String,
}

impl<'a> Object<'a> {
    /// The object `value`, which stands at `path`; empty for the event itself.
    pub(crate) fn new(value: &'a Value, path: &str) -> Result<Self, EventError> {
        let Value::Object(fields) = value else {
            let path = if path.is_empty() { "the event" } else { path };
            return Err(Problem::NotAnObject.at(path));
        };
        let prefix = if path.is_empty() {
            String::new()
        } else {
            format!("{path}.")
        };
        Ok(Self { fields, prefix })
    }

    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The field, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Result<T, Problem>,
    ) -> Result<T, EventError> {
        let present = self.get(name).ok_or(Problem::Missing);
        present
            .and_then(read)
            .map_err(|problem| problem.at(self.path(name)))
    }

    fn maybe<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Result<T, Problem>,
    ) -> Result<Option<T>, EventError> {
        let read = self.get(name).map(read).transpose();
        read.map_err(|problem| problem.at(self.path(name)))
    }

    pub(crate) fn number(&self, name: &str) -> Result<u64, EventError> {
        self.read(name, number)
    }

    pub(crate) fn maybe_number(&self, name: &str) -> Result<Option<u64>, EventError> {
        self.maybe(name, number)
    }

    /// A number of wei, as transactions have it.
    pub(crate) fn wei(&self, name: &str) -> Result<u128, EventError> {
        self.read(name, |value| narrow(value, 128))
            .map(|wei| wei.to())
    }

    pub(crate) fn maybe_wei(&self, name: &str) -> Result<Option<u128>, EventError> {
        let wei = self.maybe(name, |value| narrow(value, 128))?;
        Ok(wei.map(|wei| wei.to()))
    }

    pub(crate) fn big(&self, name: &str) -> Result<U256, EventError> {
        self.read(name, |value| narrow(value, 256))
    }

    pub(crate) fn maybe_boolean(&self, name: &str) -> Result<Option<bool>, EventError> {
        self.maybe(name, |value| value.as_bool().ok_or(Problem::NotABoolean))
    }

    pub(crate) fn fixed<const N: usize>(&self, name: &str) -> Result<FixedBytes<N>, EventError> {
        self.read(name, fixed)
    }

    pub(crate) fn maybe_fixed<const N: usize>(
        &self,
        name: &str,
    ) -> Result<Option<FixedBytes<N>>, EventError> {
        self.maybe(name, fixed)
    }

    pub(crate) fn maybe_hash(&self, name: &str) -> Result<Option<B256>, EventError> {
        self.maybe_fixed(name)
    }

    pub(crate) fn bytes(&self, name: &str) -> Result<Bytes, EventError> {
        self.read(name, bytes)
    }

    pub(crate) fn maybe_list(&self, name: &str) -> Result<Option<&'a [Value]>, EventError> {
        self.maybe(name, |value| match value {
            Value::Array(items) => Ok(items.as_slice()),
            _ => Err(Problem::NotAList),
        })
    }

    /// What is read as a whole.
    pub(crate) fn maybe_parsed<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, EventError> {
        self.maybe(name, |value| {
            T::deserialize(value).map_err(|error| Problem::Malformed(error.to_string()))
        })
    }
}

fn digits(value: &Value) -> Result<&str, Problem> {
    let text = value.as_str().ok_or(Problem::NotHex)?;
    let digits = text.strip_prefix("0x").ok_or(Problem::NotHex)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then_some(digits).ok_or(Problem::NotHex)
}

/// The bytes of a hex text.
pub(crate) fn bytes(value: &Value) -> Result<Bytes, Problem> {
    let bytes = hex::decode(digits(value)?).map_err(|_| Problem::NotHex)?;
    Ok(bytes.into())
}

fn fixed<const N: usize>(value: &Value) -> Result<FixedBytes<N>, Problem> {
    let digits = digits(value)?;
    if digits.len() != 2 * N {
        return Err(Problem::Length(N));
    }
    digits.parse().map_err(|_| Problem::NotHex)
}

fn number(value: &Value) -> Result<u64, Problem> {
    narrow(value, 64).map(|number| number.to())
}

/// A number of at most `bits`, as a JSON number or in hex.
fn narrow(value: &Value, bits: usize) -> Result<U256, Problem> {
    let wide = match value {
        Value::Number(number) => U256::from(number.as_u64().ok_or(Problem::NotANumber)?),
        Value::String(_) => {
            let digits = digits(value).map_err(|_| Problem::NotANumber)?;
            if digits.is_empty() {
                return Err(Problem::NotANumber);
            }
            U256::from_str_radix(digits, 16).map_err(|_| Problem::TooBig(bits))?
        }
        _ => return Err(Problem::NotANumber),
    };
    if wide.bit_len() > bits {
        return Err(Problem::TooBig(bits));
    }
    Ok(wide)
}
