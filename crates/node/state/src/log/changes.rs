//! Post-values as bytes.
//!
//! A count (u32, little-endian), then each account: address, flags, and where it exists nonce,
//! balance and (unless empty) code hash; then a count of slots with slot and value. Then a count of
//! codes with hash and bytes. Numbers are RLP integers: most are short.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::{Decodable, Encodable};
use alloy_trie::KECCAK_EMPTY;
use blockwright_types::{AccountChange, AccountPost, Changes};

use super::fields::{self, Malformed};

const EXISTS: u8 = 1;
const WIPED: u8 = 2;
const HAS_CODE: u8 = 4;

pub(super) fn encode(changes: &Changes, out: &mut Vec<u8>) {
    fields::put_count(changes.accounts.len(), out);
    for (address, change) in &changes.accounts {
        out.extend_from_slice(address.as_slice());
        encode_account(change, out);
    }
    fields::put_count(changes.code.len(), out);
    for (hash, code) in &changes.code {
        out.extend_from_slice(hash.as_slice());
        fields::put_bytes(code, out);
    }
}

fn encode_account(change: &AccountChange, out: &mut Vec<u8>) {
    let code_hash = change
        .post
        .map(|post| post.code_hash)
        .filter(|hash| *hash != KECCAK_EMPTY);
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    out.push(
        flag(change.post.is_some(), EXISTS)
            | flag(change.storage_wiped, WIPED)
            | flag(code_hash.is_some(), HAS_CODE),
    );
    if let Some(post) = change.post {
        post.nonce.encode(out);
        post.balance.encode(out);
    }
    if let Some(hash) = code_hash {
        out.extend_from_slice(hash.as_slice());
    }
    fields::put_count(change.storage.len(), out);
    for (slot, value) in &change.storage {
        slot.encode(out);
        value.encode(out);
    }
}

pub(super) fn decode(bytes: &mut &[u8]) -> Result<Changes, Malformed> {
    let mut changes = Changes::default();
    for _ in 0..fields::count(bytes)? {
        let address = Address::from_slice(fields::take(bytes, 20)?);
        changes.accounts.insert(address, decode_account(bytes)?);
    }
    for _ in 0..fields::count(bytes)? {
        let hash = fields::hash(bytes)?;
        let code = Bytes::copy_from_slice(fields::bytes(bytes)?);
        changes.code.insert(hash, code);
    }
    Ok(changes)
}

fn decode_account(bytes: &mut &[u8]) -> Result<AccountChange, Malformed> {
    let flags = fields::byte(bytes)?;
    let post = if flags & EXISTS != 0 {
        let nonce = u64::decode(bytes)?;
        let balance = U256::decode(bytes)?;
        let code_hash = if flags & HAS_CODE == 0 {
            KECCAK_EMPTY
        } else {
            B256::from_slice(fields::take(bytes, 32)?)
        };
        Some(AccountPost {
            balance,
            nonce,
            code_hash,
        })
    } else {
        None
    };
    let mut change = AccountChange {
        post,
        storage_wiped: flags & WIPED != 0,
        storage: Default::default(),
    };
    for _ in 0..fields::count(bytes)? {
        let slot = U256::decode(bytes)?;
        change.storage.insert(slot, U256::decode(bytes)?);
    }
    Ok(change)
}
