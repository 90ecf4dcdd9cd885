//! The `alloc` section: the state before the first block.

use alloy_primitives::map::{U256Map, hash_map::Entry};
use alloy_primitives::{Bytes, KECCAK256_EMPTY, keccak256};
use blockwright_types::{AccountChange, AccountPost, Changes};

use super::GenesisError;
use super::fields::{Fields, parse_address, parse_word};

pub(super) fn read(alloc: &Fields<'_>) -> Result<Changes, GenesisError> {
    let mut changes = Changes::default();
    for name in alloc.names() {
        let address = parse_address(name).map_err(|reason| alloc.bad_hex(name, &reason))?;
        let (change, code) = read_account(&alloc.object(name)?)?;
        if let (Some(post), Some(code)) = (&change.post, code) {
            changes.code.insert(post.code_hash, code);
        }
        if changes.accounts.insert(address, change).is_some() {
            return Err(GenesisError::Duplicate {
                field: alloc.path_of(name),
            });
        }
    }
    Ok(changes)
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
