//! Roots by other code than any host's trie.

use alloy_primitives::{Address, B256};
use alloy_trie::TrieAccount;
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use blockwright_types::{Changes, L2_TO_L1_MESSAGE_PASSER, SealedBlock};

use super::chain::Chain;
use super::rules::require;

/// The roots of a block on genesis are those of all accounts and slots at once.
pub fn check_root_from_scratch(chain: &Chain, block: &SealedBlock) -> Result<(), String> {
    let mut state = chain.spec.genesis_changes().clone();
    state.extend(&block.changes());
    let found = state_root(&state);
    require(found == block.header.state_root, || {
        format!("header {}, scratch {found}", block.header.state_root)
    })?;
    let passer = storage_root(&state, L2_TO_L1_MESSAGE_PASSER);
    require(Some(passer) == block.header.withdrawals_root, || {
        format!("message passer's storage root is {passer}")
    })
}

fn storage_root(state: &Changes, address: Address) -> B256 {
    let storage = state.accounts.get(&address).map(|change| &change.storage);
    storage_root_unhashed(
        storage
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_zero())
            .map(|(slot, value)| (B256::from(*slot), *value)),
    )
}

fn state_root(state: &Changes) -> B256 {
    state_root_unhashed(state.accounts.iter().filter_map(|(address, change)| {
        let post = change.post?;
        let account = TrieAccount {
            nonce: post.nonce,
            balance: post.balance,
            storage_root: storage_root(state, *address),
            code_hash: post.code_hash,
        };
        Some((*address, account))
    }))
}
