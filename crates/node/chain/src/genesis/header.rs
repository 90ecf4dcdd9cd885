//! The header of block 0, with roots computed from scratch.

use alloy_consensus::{EMPTY_ROOT_HASH, Header, constants::EMPTY_WITHDRAWALS};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{B64, B256};
use alloy_trie::TrieAccount;
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use blockwright_types::{AccountChange, Changes, L2_TO_L1_MESSAGE_PASSER, OpFork};

use super::GenesisError;
use super::config::Config;
use super::fields::Fields;
use crate::decode_extra_data;
use crate::header::GAS_LIMIT_MAX;

/// Base fee of block 0 in wei where the document has none (EIP-1559's initial base fee).
const INITIAL_BASE_FEE: u64 = 1_000_000_000;

pub(super) fn build(
    document: &Fields<'_>,
    config: &Config,
    alloc: &Changes,
) -> Result<Header, GenesisError> {
    check_beginning(document)?;
    let timestamp = document.u64_opt("timestamp")?.unwrap_or_default();
    let mut header = Header {
        parent_hash: document.hash_opt("parentHash")?.unwrap_or_default(),
        beneficiary: document.address_opt("coinbase")?.unwrap_or_default(),
        state_root: state_root(alloc),
        difficulty: document.u256("difficulty")?,
        gas_limit: gas_limit(document)?,
        gas_used: document.u64_opt("gasUsed")?.unwrap_or_default(),
        timestamp,
        extra_data: document.bytes_opt("extraData")?.unwrap_or_default(),
        mix_hash: document.hash_opt("mixHash")?.unwrap_or_default(),
        nonce: B64::from(document.u64_opt("nonce")?.unwrap_or_default()),
        base_fee_per_gas: Some(
            document
                .u64_opt("baseFeePerGas")?
                .unwrap_or(INITIAL_BASE_FEE),
        ),
        ..Header::default()
    };
    let fork = config.forks.fork_at(timestamp);
    if fork >= OpFork::Holocene {
        // Before, any text may stand in block 0.
        decode_extra_data(fork, &header.extra_data)?;
    }
    set_fork_fields(document, fork, alloc, &mut header)?;
    Ok(header)
}

fn set_fork_fields(
    document: &Fields<'_>,
    fork: OpFork,
    alloc: &Changes,
    header: &mut Header,
) -> Result<(), GenesisError> {
    let blob_fields = (
        document.u64_opt("excessBlobGas")?,
        document.u64_opt("blobGasUsed")?,
    );
    if fork >= OpFork::Canyon {
        header.withdrawals_root = Some(EMPTY_WITHDRAWALS);
    }
    if fork >= OpFork::Ecotone {
        header.parent_beacon_block_root = Some(B256::ZERO);
        header.excess_blob_gas = Some(blob_fields.0.unwrap_or_default());
        header.blob_gas_used = Some(blob_fields.1.unwrap_or_default());
    } else if blob_fields.0.or(blob_fields.1).is_some_and(|gas| gas != 0) {
        return Err(GenesisError::NotAllowed {
            field: "excessBlobGas or blobGasUsed".to_owned(),
            reason: "is not allowed before Ecotone",
        });
    }
    if fork >= OpFork::Isthmus {
        let passer = alloc
            .accounts
            .get(&L2_TO_L1_MESSAGE_PASSER)
            .ok_or(GenesisError::MessagePasserMissing(L2_TO_L1_MESSAGE_PASSER))?;
        header.withdrawals_root = Some(storage_root(passer));
        header.requests_hash = Some(EMPTY_REQUESTS_HASH);
    }
    Ok(())
}

/// Block 0 is the first block, and its state is in the document.
fn check_beginning(document: &Fields<'_>) -> Result<(), GenesisError> {
    if document
        .u64_opt("number")?
        .is_some_and(|number| number != 0)
    {
        return Err(GenesisError::NotAllowed {
            field: "number".to_owned(),
            reason: "must be 0",
        });
    }
    if document.hash_opt("stateHash")?.is_some() {
        return Err(GenesisError::NotAllowed {
            field: "stateHash".to_owned(),
            reason: "is not supported: the state must be in alloc",
        });
    }
    Ok(())
}

fn gas_limit(document: &Fields<'_>) -> Result<u64, GenesisError> {
    let gas_limit = document.u64("gasLimit")?;
    if (1..=GAS_LIMIT_MAX).contains(&gas_limit) {
        Ok(gas_limit)
    } else {
        Err(GenesisError::NotAllowed {
            field: "gasLimit".to_owned(),
            reason: "must be between 1 and 2^63 - 1",
        })
    }
}

fn state_root(alloc: &Changes) -> B256 {
    state_root_unhashed(alloc.accounts.iter().filter_map(|(address, change)| {
        let post = change.post?;
        let storage_root = storage_root(change);
        let account = TrieAccount {
            nonce: post.nonce,
            balance: post.balance,
            storage_root,
            code_hash: post.code_hash,
        };
        Some((*address, account))
    }))
}

fn storage_root(change: &AccountChange) -> B256 {
    if change.storage.is_empty() {
        return EMPTY_ROOT_HASH;
    }
    let slots = change.storage.iter();
    storage_root_unhashed(slots.map(|(slot, value)| (B256::from(*slot), *value)))
}
