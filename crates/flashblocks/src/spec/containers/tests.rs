//! The generic hash is the judge.

use alloy_primitives::Bytes;

use super::*;

#[derive(TreeHash)]
struct DeltaJudge {
    state_root: B256,
    receipts_root: B256,
    logs_bloom: FixedBytes<256>,
    gas_used: u64,
    block_hash: B256,
    transactions: VariableList<ByteList<{ 1 << 30 }>, U1048576>,
    withdrawals: VariableList<Withdrawal, U16>,
    withdrawals_root: B256,
}

#[derive(TreeHash)]
struct MetadataJudge {
    accounts: VariableList<AccountMetadata, U1048576>,
    transactions: VariableList<TransactionMetadata, U1048576>,
}

#[derive(TreeHash)]
struct AccountJudge {
    address: Address,
    balance: Optional<U256>,
    nonce: u64,
    code: Optional<ByteList<{ 1 << 24 }>>,
    storage_slots: VariableList<StorageSlot, U1048576>,
}

#[derive(TreeHash)]
struct TransactionJudge {
    status: u8,
    gas_used: u64,
    contract_address: Optional<Address>,
}

fn slots(count: u8) -> VariableList<StorageSlot, U1048576> {
    let slot = |byte| StorageSlot {
        key: B256::repeat_byte(byte),
        value: B256::repeat_byte(byte ^ 0xff),
    };
    VariableList::new((0..count).map(slot).collect()).unwrap()
}

fn account(number: u16) -> AccountMetadata {
    let [high, low] = number.to_be_bytes();
    AccountMetadata {
        address: Address::repeat_byte(low),
        balance: (!number.is_multiple_of(3))
            .then(|| U256::from(number))
            .into(),
        nonce: u64::from(high),
        code: None.into(),
        storage_slots: slots(low % 3),
    }
}

fn transaction(number: u16) -> TransactionMetadata {
    TransactionMetadata {
        status: u8::from(!number.is_multiple_of(7)),
        gas_used: 21_000 + u64::from(number),
        contract_address: number
            .is_multiple_of(5)
            .then(|| Address::repeat_byte(9))
            .into(),
    }
}

#[test]
fn an_accounts_root_is_that_of_its_fields() {
    for count in [0, 1, 2, 3, 4, 64, 65, 200] {
        for code in [None, Some(Bytes::new()), Some(Bytes::from(vec![7; 100]))] {
            let code = code.map(|code| ByteList::try_from(code).unwrap());
            let account = AccountMetadata {
                code: code.into(),
                storage_slots: slots(count),
                ..account(u16::from(count))
            };
            let judge = AccountJudge {
                address: account.address,
                balance: account.balance.clone(),
                nonce: account.nonce,
                code: account.code.clone(),
                storage_slots: account.storage_slots.clone(),
            };
            assert_eq!(account.tree_hash_root(), judge.tree_hash_root());
        }
    }
}

#[test]
fn a_transactions_root_is_that_of_its_fields() {
    for number in 0..40 {
        let transaction = transaction(number);
        let judge = TransactionJudge {
            status: transaction.status,
            gas_used: transaction.gas_used,
            contract_address: transaction.contract_address.clone(),
        };
        assert_eq!(transaction.tree_hash_root(), judge.tree_hash_root());
    }
}

/// Around the lengths at which lists are hashed side by side, and far beyond.
#[test]
fn the_roots_of_short_and_long_lists_are_those_of_their_items() {
    for length in [0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 1_000] {
        let metadata = FlashblocksMetadata {
            accounts: VariableList::new((0..length).map(account).collect()).unwrap(),
            transactions: VariableList::new((0..length).map(transaction).collect()).unwrap(),
        };
        let judge = MetadataJudge {
            accounts: metadata.accounts.clone(),
            transactions: metadata.transactions.clone(),
        };
        assert_eq!(
            metadata.tree_hash_root(),
            judge.tree_hash_root(),
            "{length}"
        );

        let bytes = |number: u16| Bytes::from(vec![number as u8; usize::from(number % 700)]);
        let transactions = (0..length).map(|number| ByteList::try_from(bytes(number)).unwrap());
        let withdrawal = |index| Withdrawal {
            index,
            validator_index: 7,
            address: Address::repeat_byte(2),
            amount: 1,
        };
        let withdrawals = (0..u64::from(length % 17)).map(withdrawal).collect();
        let delta = ExecutionPayloadFlashblockDeltaV1 {
            state_root: B256::repeat_byte(1),
            receipts_root: B256::repeat_byte(2),
            logs_bloom: FixedBytes::repeat_byte(3),
            gas_used: u64::from(length),
            block_hash: B256::repeat_byte(4),
            transactions: VariableList::new(transactions.collect()).unwrap(),
            withdrawals: VariableList::new(withdrawals).unwrap(),
            withdrawals_root: B256::repeat_byte(5),
        };
        let judge = DeltaJudge {
            state_root: delta.state_root,
            receipts_root: delta.receipts_root,
            logs_bloom: delta.logs_bloom,
            gas_used: delta.gas_used,
            block_hash: delta.block_hash,
            transactions: delta.transactions.clone(),
            withdrawals: delta.withdrawals.clone(),
            withdrawals_root: delta.withdrawals_root,
        };
        assert_eq!(delta.tree_hash_root(), judge.tree_hash_root(), "{length}");
    }
}
