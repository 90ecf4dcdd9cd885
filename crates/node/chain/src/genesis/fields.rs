//! Typed access to JSON objects, with the field's path in every error.

use core::str::FromStr;

use alloy_primitives::{Address, B256, Bytes, FixedBytes, U256, hex};
use serde_json::{Map, Value};

use super::GenesisError;

/// A JSON object and its path in the document.
pub(super) struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The document without what is read apart from it.
    pub(super) const fn root(map: &'a Map<String, Value>) -> Self {
        Self {
            path: String::new(),
            map,
        }
    }

    /// The object at `path`.
    pub(super) fn at(path: String, value: &'a Value) -> Result<Self, GenesisError> {
        match value {
            Value::Object(map) => Ok(Self { path, map }),
            _ => Err(GenesisError::Type {
                field: path,
                expected: "an object",
            }),
        }
    }

    /// Names of the fields that are set.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, _)| name.as_str())
    }

    /// Path of a field of this object.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn missing(&self, name: &str) -> GenesisError {
        GenesisError::Missing {
            field: self.path_of(name),
        }
    }

    fn mistyped(&self, name: &str, expected: &'static str) -> GenesisError {
        GenesisError::Type {
            field: self.path_of(name),
            expected,
        }
    }

    pub(super) fn object(&self, name: &str) -> Result<Self, GenesisError> {
        self.object_opt(name)?.ok_or_else(|| self.missing(name))
    }

    pub(super) fn object_opt(&self, name: &str) -> Result<Option<Self>, GenesisError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self {
                path: self.path_of(name),
                map,
            })),
            Some(_) => Err(self.mistyped(name, "an object")),
        }
    }

    pub(super) fn u64_opt(&self, name: &str) -> Result<Option<u64>, GenesisError> {
        self.number(name, 64)?
            .map(|number| {
                u64::try_from(number).map_err(|_| self.not_a_number(name, 64, number.to_string()))
            })
            .transpose()
    }

    pub(super) fn u64(&self, name: &str) -> Result<u64, GenesisError> {
        self.u64_opt(name)?.ok_or_else(|| self.missing(name))
    }

    /// A parameter of 32 bits that must not be zero.
    pub(super) fn positive_u32_opt(&self, name: &str) -> Result<Option<u32>, GenesisError> {
        let Some(number) = self.u64_opt(name)? else {
            return Ok(None);
        };
        match u32::try_from(number) {
            Ok(0) => Err(GenesisError::NotAllowed {
                field: self.path_of(name),
                reason: "must not be 0",
            }),
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(self.not_a_number(name, 32, number.to_string())),
        }
    }

    pub(super) fn positive_u32(&self, name: &str) -> Result<u32, GenesisError> {
        self.positive_u32_opt(name)?
            .ok_or_else(|| self.missing(name))
    }

    pub(super) fn u256(&self, name: &str) -> Result<U256, GenesisError> {
        self.number(name, 256)?.ok_or_else(|| self.missing(name))
    }

    fn not_a_number(&self, name: &str, bits: usize, value: String) -> GenesisError {
        GenesisError::Number {
            field: self.path_of(name),
            bits,
            value,
        }
    }

    fn number(&self, name: &str, bits: usize) -> Result<Option<U256>, GenesisError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Number(number)) => number
                .as_u64()
                .map(|number| Some(U256::from(number)))
                .ok_or_else(|| self.not_a_number(name, bits, number.to_string())),
            Some(Value::String(text)) => parse_number(text)
                .map(Some)
                .ok_or_else(|| self.not_a_number(name, bits, text.clone())),
            Some(_) => Err(self.mistyped(name, "a number or a string")),
        }
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, GenesisError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.mistyped(name, "a hex string")),
        }
    }

    pub(super) fn bytes_opt(&self, name: &str) -> Result<Option<Bytes>, GenesisError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let digits = text
            .strip_prefix("0x")
            .ok_or_else(|| self.bad_hex(name, "it must begin with 0x"))?;
        hex::decode(digits)
            .map(|bytes| Some(bytes.into()))
            .map_err(|error| self.bad_hex(name, &error.to_string()))
    }

    pub(super) fn address_opt(&self, name: &str) -> Result<Option<Address>, GenesisError> {
        Ok(self.fixed_opt::<20>(name)?.map(Address::from))
    }

    pub(super) fn hash_opt(&self, name: &str) -> Result<Option<B256>, GenesisError> {
        self.fixed_opt::<32>(name)
    }

    fn fixed_opt<const BYTES: usize>(
        &self,
        name: &str,
    ) -> Result<Option<FixedBytes<BYTES>>, GenesisError> {
        let Some(bytes) = self.bytes_opt(name)? else {
            return Ok(None);
        };
        FixedBytes::try_from(bytes.as_ref()).map(Some).map_err(|_| {
            self.bad_hex(
                name,
                &format!("{BYTES} bytes expected, got {}", bytes.len()),
            )
        })
    }

    /// A storage word: at most 32 bytes, padded on the left.
    pub(super) fn word(&self, name: &str) -> Result<U256, GenesisError> {
        let text = self.text(name)?.ok_or_else(|| self.missing(name))?;
        parse_word(text).map_err(|reason| self.bad_hex(name, &reason))
    }

    pub(super) fn bad_hex(&self, name: &str, reason: &str) -> GenesisError {
        GenesisError::Hex {
            field: self.path_of(name),
            reason: reason.to_owned(),
        }
    }
}

/// Decimal or `0x` text; no sign, no blanks, no other radix.
fn parse_number(text: &str) -> Option<U256> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let well_formed = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    let parse = |digits| U256::from_str_radix(digits, u64::from(radix)).ok();
    well_formed.then(|| parse(digits)).flatten()
}

/// A storage key or value: whole bytes in hex, at most 32, with or without `0x`.
pub(super) fn parse_word(text: &str) -> Result<U256, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let bytes = hex::decode(digits).map_err(|error| error.to_string())?;
    U256::try_from_be_slice(&bytes)
        .ok_or_else(|| format!("at most 32 bytes expected, got {}", bytes.len()))
}

/// An address as a key of `alloc`: 20 bytes in hex, with or without `0x`.
pub(super) fn parse_address(text: &str) -> Result<Address, String> {
    Address::from_str(text).map_err(|_| "an address of 20 bytes expected".to_owned())
}
