//! What the flashblocks of a payload have said so far, and what the next one adds to it.

use alloy_consensus::{Transaction, TxReceipt};
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use blockwright_types::{AccountChange, AccountPost, BlockPart, Changes, RecoveredTx};
use op_alloy_consensus::OpReceipt;
use ssz_types::ListEncodedOption;

use super::containers::{AccountMetadata, StorageSlot, TransactionMetadata};
use super::encoder::Refusal;
use super::limit::{ExceedsLimit, byte_list, list};

/// Accounts and gas as the last flashblock of the payload left them.
#[derive(Debug, Default)]
pub(crate) struct Known {
    accounts: AddressMap<KnownAccount>,
    gas_used: u64,
}

#[derive(Clone, Copy, Debug)]
struct KnownAccount {
    balance: U256,
    code_hash: B256,
}

/// An account that does not exist.
const ABSENT: AccountPost = AccountPost {
    balance: U256::ZERO,
    nonce: 0,
    code_hash: KECCAK256_EMPTY,
};

impl Known {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.accounts.clear();
        self.gas_used = 0;
    }

    /// Takes over what a part, whose net changes these are, left behind.
    pub(crate) fn advance(&mut self, part: &BlockPart, changes: &Changes) {
        for (address, change) in &changes.accounts {
            let post = change.post.unwrap_or(ABSENT);
            let account = KnownAccount {
                balance: post.balance,
                code_hash: post.code_hash,
            };
            self.accounts.insert(*address, account);
        }
        if let Some(last) = part.receipts.last() {
            self.gas_used = last.cumulative_gas_used();
        }
    }

    /// The changed accounts in the order of their addresses.
    pub(crate) fn accounts(&self, changes: &Changes) -> Result<Vec<AccountMetadata>, ExceedsLimit> {
        let mut sorted: Vec<_> = changes.accounts.iter().collect();
        sorted.sort_unstable_by_key(|(address, _)| **address);
        sorted
            .into_iter()
            .map(|(address, change)| self.account(*address, change, changes))
            .collect()
    }

    fn account(
        &self,
        address: Address,
        change: &AccountChange,
        changes: &Changes,
    ) -> Result<AccountMetadata, ExceedsLimit> {
        let post = change.post.unwrap_or(ABSENT);
        let known = self.accounts.get(&address);
        let balance_is_known = known.is_some_and(|known| known.balance == post.balance);
        // Code that another account got here may be what this one has had all along.
        let code_is_known = known.is_some_and(|known| known.code_hash == post.code_hash);
        let code = changes
            .code
            .get(&post.code_hash)
            .filter(|code| !code_is_known && !code.is_empty())
            .map(|code| byte_list("code", code))
            .transpose()?;
        Ok(AccountMetadata {
            address,
            balance: ListEncodedOption((!balance_is_known).then_some(post.balance)),
            nonce: post.nonce,
            code: ListEncodedOption(code),
            storage_slots: list("storage_slots", slots(change))?,
        })
    }

    /// The outcomes of a part's transactions; each has a receipt.
    pub(crate) fn transactions(
        &self,
        part: &BlockPart,
    ) -> Result<Vec<TransactionMetadata>, Refusal> {
        let mut before = self.gas_used;
        let mut transactions = Vec::with_capacity(part.transactions.len());
        for (position, (tx, receipt)) in part.transactions.iter().zip(&part.receipts).enumerate() {
            let cumulative = receipt.cumulative_gas_used();
            let gas_used = cumulative
                .checked_sub(before)
                .ok_or(Refusal::Gas { position })?;
            before = cumulative;
            let success = receipt.status();
            let created = success.then(|| created_address(tx, receipt)).flatten();
            transactions.push(TransactionMetadata {
                status: u8::from(success),
                gas_used,
                contract_address: ListEncodedOption(created),
            });
        }
        Ok(transactions)
    }
}

/// Slots in the order of their keys' bytes.
fn slots(change: &AccountChange) -> Vec<StorageSlot> {
    let mut slots: Vec<StorageSlot> = change
        .storage
        .iter()
        .map(|(key, value)| StorageSlot {
            key: B256::from(*key),
            value: B256::from(*value),
        })
        .collect();
    slots.sort_unstable_by_key(|slot| slot.key);
    slots
}

/// Where a successful creation put its contract. A deposit has no nonce of its own: the receipt
/// says which one it took, from Regolith on.
fn created_address(tx: &RecoveredTx, receipt: &OpReceipt) -> Option<Address> {
    if !tx.envelope.is_create() {
        return None;
    }
    let nonce = match receipt {
        OpReceipt::Deposit(deposit) => deposit.deposit_nonce?,
        _ => tx.nonce(),
    };
    Some(tx.sender.create(nonce))
}
