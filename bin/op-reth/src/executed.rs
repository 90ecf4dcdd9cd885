//! A block of ours as the engine tree takes one that it need not execute.

use std::sync::Arc;

use alloy_consensus::{Block, BlockBody};
use alloy_eips::eip4895::Withdrawals;
use alloy_eips::eip7685::Requests;
use alloy_primitives::Address;
use alloy_primitives::map::U256Map;
use blockwright_core::Best;
use blockwright_types::{AccountChange, Changes, PayloadId, SealedBlock as Sealed};
use reth_execution_types::{BlockExecutionOutput, BlockExecutionResult};
use reth_optimism_payload_builder::OpBuiltPayload;
use reth_optimism_primitives::{OpBlock, OpPrimitives, OpReceipt};
use reth_payload_primitives::BuiltPayloadExecutedBlock;
use reth_primitives_traits::{RecoveredBlock, SealedBlock};
use reth_revm::db::states::reverts::{AccountInfoRevert, AccountRevert, RevertToSlot, Reverts};
use reth_revm::db::states::{AccountStatus, BundleAccount, StorageSlot};
use reth_revm::db::{BundleState, states::StorageWithOriginalValues};
use reth_revm::state::{AccountInfo, Bytecode};

use crate::roots::{Original, TrieArtifact, account};

/// The payload for reth's Engine API, with all that spares the tree an execution.
pub(crate) fn built_payload(id: PayloadId, best: &Best<TrieArtifact>) -> OpBuiltPayload {
    let block = &best.block;
    let sealed = sealed_block(block);
    let senders: Vec<Address> = block.transactions().map(|tx| tx.sender).collect();
    let executed = BuiltPayloadExecutedBlock::<OpPrimitives> {
        recovered_block: Arc::new(RecoveredBlock::new_sealed(sealed.clone(), senders)),
        execution_output: Arc::new(execution(block, &best.artifact)),
        hashed_state: Arc::clone(&best.artifact.hashed),
        trie_updates: Arc::clone(&best.artifact.nodes),
    };
    OpBuiltPayload::new(id, Arc::new(sealed), block.value, Some(executed))
}

fn sealed_block(block: &Sealed) -> SealedBlock<OpBlock> {
    let withdrawals = block
        .header
        .withdrawals_root
        .map(|_| Withdrawals::default());
    let body = BlockBody {
        transactions: block.transactions().map(|tx| tx.envelope.clone()).collect(),
        ommers: Vec::new(),
        withdrawals,
    };
    SealedBlock::new_unchecked(Block::new(block.header.clone(), body), block.hash)
}

fn execution(block: &Sealed, artifact: &TrieArtifact) -> BlockExecutionOutput<OpReceipt> {
    BlockExecutionOutput {
        result: BlockExecutionResult {
            receipts: block.receipts().cloned().collect(),
            requests: Requests::default(),
            gas_used: block.header.gas_used,
            blob_gas_used: block.header.blob_gas_used.unwrap_or_default(),
        },
        state: bundle(&block.changes(), artifact),
    }
}

/// Post-values, what they were, and the one set of reverts of the block, however many flashblocks it has.
fn bundle(changes: &Changes, artifact: &TrieArtifact) -> BundleState {
    let originals = artifact.originals.lock();
    let nothing = Original::default();
    let mut bundle = BundleState {
        contracts: changes
            .code
            .iter()
            .map(|(hash, code)| (*hash, Bytecode::new_raw(code.clone())))
            .collect(),
        ..BundleState::default()
    };
    let mut reverts = Vec::with_capacity(changes.accounts.len());
    for (address, change) in &changes.accounts {
        let original = originals.get(address).unwrap_or(&nothing);
        if original.account.is_none() && change.post.is_none() {
            continue;
        }
        let (after, revert) = account_states(change, original);
        bundle.state_size += after.size_hint();
        bundle.reverts_size += revert.size_hint();
        bundle.state.insert(*address, after);
        reverts.push((*address, revert));
    }
    bundle.reverts = Reverts::new(vec![reverts]);
    bundle
}

fn account_states(change: &AccountChange, original: &Original) -> (BundleAccount, AccountRevert) {
    let before = original.account.map(AccountInfo::from);
    let after = change
        .post
        .as_ref()
        .map(|post| AccountInfo::from(account(post)));
    let wipes = change.storage_wiped && before.is_some();
    let status = match (&before, &after) {
        (_, None) => AccountStatus::Destroyed,
        (Some(_), Some(_)) if wipes => AccountStatus::DestroyedChanged,
        (Some(_), Some(_)) => AccountStatus::Changed,
        (None, Some(_)) => AccountStatus::InMemoryChange,
    };
    let was = |slot| original.slots.get(slot).copied().unwrap_or_default();
    let mut storage = StorageWithOriginalValues::default();
    let mut reverted = U256Map::default();
    for (slot, value) in &change.storage {
        let before = was(slot);
        if wipes {
            reverted.insert(*slot, RevertToSlot::Destroyed);
        } else if before != *value {
            reverted.insert(*slot, RevertToSlot::Some(before));
        }
        storage.insert(*slot, StorageSlot::new_changed(before, *value));
    }
    let revert = AccountRevert {
        account: match &before {
            None => AccountInfoRevert::DeleteIt,
            Some(info) if after.as_ref() == Some(info) => AccountInfoRevert::DoNothing,
            Some(info) => AccountInfoRevert::RevertTo(info.clone()),
        },
        storage: reverted,
        previous_status: if before.is_some() {
            AccountStatus::Loaded
        } else {
            AccountStatus::LoadedNotExisting
        },
        wipe_storage: wipes,
    };
    let account = BundleAccount {
        info: after,
        original_info: before,
        storage,
        status,
    };
    (account, revert)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloy_primitives::{B256, KECCAK256_EMPTY, U256};
    use blockwright_types::AccountPost;
    use reth_primitives_traits::Account;

    use super::*;

    fn change(balance: Option<u64>, wiped: bool, slots: &[(u64, u64)]) -> AccountChange {
        AccountChange {
            post: balance.map(|balance| AccountPost {
                balance: U256::from(balance),
                nonce: 1,
                code_hash: KECCAK256_EMPTY,
            }),
            storage_wiped: wiped,
            storage: slots
                .iter()
                .map(|(slot, value)| (U256::from(*slot), U256::from(*value)))
                .collect(),
        }
    }

    fn original(balance: u64, slots: &[(u64, u64)]) -> Original {
        let slots = slots
            .iter()
            .map(|(slot, value)| (U256::from(*slot), U256::from(*value)));
        Original {
            account: Some(Account {
                nonce: 1,
                balance: U256::from(balance),
                bytecode_hash: None,
            }),
            slots: slots.collect(),
        }
    }

    #[test]
    fn a_changed_account_goes_back_to_what_it_was() {
        let (after, revert) = account_states(
            &change(Some(5), false, &[(1, 9), (2, 7)]),
            &original(3, &[(1, 8), (2, 7)]),
        );
        assert_eq!(after.status, AccountStatus::Changed);
        assert_eq!(after.info.unwrap().balance, U256::from(5));
        let AccountInfoRevert::RevertTo(before) = revert.account else {
            unreachable!("{revert:?}")
        };
        assert_eq!(before.balance, U256::from(3));
        // The slot that was written with its own value has nothing to go back to.
        assert_eq!(revert.storage.len(), 1);
        assert_eq!(
            revert.storage[&U256::from(1)],
            RevertToSlot::Some(U256::from(8))
        );
    }

    #[test]
    fn an_account_whose_storage_alone_changed_keeps_its_fields() {
        let (_, revert) = account_states(&change(Some(3), false, &[(1, 9)]), &original(3, &[]));
        assert_eq!(revert.account, AccountInfoRevert::DoNothing);
        assert_eq!(
            revert.storage[&U256::from(1)],
            RevertToSlot::Some(U256::ZERO)
        );
    }

    #[test]
    fn a_new_account_is_deleted_again() {
        let (after, revert) =
            account_states(&change(Some(5), true, &[(1, 9)]), &Original::default());
        assert_eq!(after.status, AccountStatus::InMemoryChange);
        assert_eq!(after.original_info, None);
        assert_eq!(revert.account, AccountInfoRevert::DeleteIt);
        assert!(!revert.wipe_storage);
    }

    #[test]
    fn what_is_destroyed_comes_back_with_its_storage() {
        let (after, revert) = account_states(&change(None, true, &[]), &original(3, &[]));
        assert_eq!(after.status, AccountStatus::Destroyed);
        assert!(after.info.is_none() && revert.wipe_storage);
        let (after, revert) = account_states(&change(Some(1), true, &[(1, 2)]), &original(3, &[]));
        assert_eq!(after.status, AccountStatus::DestroyedChanged);
        assert_eq!(revert.storage[&U256::from(1)], RevertToSlot::Destroyed);
    }

    #[test]
    fn a_block_has_one_set_of_reverts_and_nothing_of_what_never_was() {
        let mut changes = Changes::default();
        changes
            .accounts
            .insert(Address::repeat_byte(1), change(None, false, &[]));
        changes
            .accounts
            .insert(Address::repeat_byte(2), change(Some(5), false, &[]));
        changes
            .code
            .insert(B256::repeat_byte(3), vec![0x60, 0x01].into());
        let artifact = TrieArtifact {
            hashed: Arc::default(),
            nodes: Arc::default(),
            originals: Arc::default(),
        };
        let bundle = bundle(&changes, &artifact);
        assert_eq!(bundle.reverts.len(), 1);
        assert_eq!(bundle.reverts[0].len(), 1);
        assert_eq!(bundle.state.len(), 1);
        assert_eq!(
            bundle.contracts[&B256::repeat_byte(3)].original_byte_slice(),
            [0x60, 0x01]
        );
    }
}
