//! The `alloc` section: the state before the first block.

use std::borrow::Cow;
use std::fmt;

use alloy_primitives::map::{U256Map, hash_map::Entry};
use alloy_primitives::{Bytes, KECCAK256_EMPTY, keccak256};
use blockwright_types::{AccountChange, AccountPost, Changes};
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::GenesisError;
use super::fields::{Fields, parse_address, parse_word};

/// Reads the section account by account: a state of a million accounts is never in memory as JSON
/// values, which take many times the room of what they say.
pub(super) fn read(alloc: &RawValue) -> Result<Changes, GenesisError> {
    if !alloc.get().starts_with('{') {
        return Err(GenesisError::Type {
            field: "alloc".to_owned(),
            expected: "an object",
        });
    }
    serde_json::Deserializer::from_str(alloc.get())
        .deserialize_map(Accounts)
        .map_err(GenesisError::Json)?
}

struct Accounts;

impl<'de> Visitor<'de> for Accounts {
    type Value = Result<Changes, GenesisError>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("accounts by address")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut changes = Changes::default();
        while let Some((name, account)) = map.next_entry::<Cow<'de, str>, &RawValue>()? {
            if let Err(error) = put_account(&name, account, &mut changes) {
                // The rest is still to be seen, or the deserializer misses its end.
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Err(error));
            }
        }
        Ok(Ok(changes))
    }
}

/// `null` stands for nothing.
fn put_account(name: &str, account: &RawValue, changes: &mut Changes) -> Result<(), GenesisError> {
    let account: Value = serde_json::from_str(account.get()).map_err(GenesisError::Json)?;
    if account.is_null() {
        return Ok(());
    }
    let path = format!("alloc.{name}");
    let address = match parse_address(name) {
        Ok(address) => address,
        Err(reason) => {
            return Err(GenesisError::Hex {
                field: path,
                reason,
            });
        }
    };
    let (change, code) = read_account(&Fields::at(path, &account)?)?;
    if let (Some(post), Some(code)) = (&change.post, code) {
        changes.code.insert(post.code_hash, code);
    }
    if changes.accounts.insert(address, change).is_some() {
        return Err(GenesisError::Duplicate {
            field: format!("alloc.{name}"),
        });
    }
    Ok(())
}

fn read_account(account: &Fields<'_>) -> Result<(AccountChange, Option<Bytes>), GenesisError> {
    let code = account.bytes_opt("code")?.filter(|code| !code.is_empty());
    let post = AccountPost {
        balance: account.u256("balance")?,
        nonce: account.u64_opt("nonce")?.unwrap_or_default(),
        code_hash: code.as_ref().map_or(KECCAK256_EMPTY, keccak256),
    };
    let mut storage = U256Map::default();
    if let Some(slots) = account.object_opt("storage")? {
        for name in slots.names() {
            let slot = parse_word(name).map_err(|reason| slots.bad_hex(name, &reason))?;
            let value = slots.word(name)?;
            match storage.entry(slot) {
                Entry::Vacant(entry) => entry.insert(value),
                Entry::Occupied(_) => {
                    return Err(GenesisError::Duplicate {
                        field: slots.path_of(name),
                    });
                }
            };
        }
    }
    storage.retain(|_, value| !value.is_zero());
    let change = AccountChange {
        post: Some(post),
        storage_wiped: false,
        storage,
    };
    Ok((change, code))
}
