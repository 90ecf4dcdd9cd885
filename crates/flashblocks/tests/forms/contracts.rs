//! The script of the spec vectors: the v1 script's block, then contracts, then another block.

use std::sync::Arc;

use alloy_consensus::{TxEip1559, TxLegacy};
use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, TxKind, U256, keccak256};
use blockwright_types::{AccountChange, AccountPost, BlockPart, Changes, Flashblock};
use op_alloy_consensus::{OpReceipt, OpTxEnvelope};

use crate::v1::{self, Step};

/// Sender of all scripted transactions.
pub(crate) const SENDER: Address = Address::repeat_byte(0xde);

const CODE: Bytes = Bytes::from_static(&[0x60, 0x01, 0x60, 0x00, 0x55, 0x00]);

pub(crate) fn steps() -> Vec<Step> {
    let mut steps = v1::steps();
    let before_ecotone = steps.pop().unwrap();
    let empty = Arc::clone(&steps[2].flashblock);
    let step = |name, index, gas_used, part: BlockPart| Step {
        name,
        flashblock: Arc::new(Flashblock {
            index,
            gas_used,
            part: Arc::new(part),
            ..(*empty).clone()
        }),
    };
    steps.push(step("3_contracts", 3, 461_000, contracts()));
    steps.push(step("4_contracts_again", 4, 482_000, contracts_again()));
    steps.push(Step {
        name: "5_before_ecotone",
        ..before_ecotone
    });
    steps
}

/// The contract that `contracts` creates.
pub(crate) fn created() -> Address {
    SENDER.create(5)
}

fn eip1559(nonce: u64, to: TxKind) -> OpTxEnvelope {
    v1::sign(TxEip1559 {
        chain_id: 901,
        nonce,
        gas_limit: 200_000,
        to,
        ..Default::default()
    })
}

/// A creation, a failed one, a call, and a deposit that creates.
fn contracts() -> BlockPart {
    let transactions = [
        eip1559(5, TxKind::Create),
        eip1559(6, TxKind::Create),
        eip1559(7, TxKind::Call(created())),
        v1::deposit(),
    ];
    let receipts = vec![
        OpReceipt::Eip1559(v1::receipt(true, 287_000, Vec::new())),
        OpReceipt::Eip1559(v1::receipt(false, 340_000, Vec::new())),
        OpReceipt::Eip1559(v1::receipt(true, 361_000, Vec::new())),
        v1::deposit_receipt(461_000, Some(9), Some(1)),
    ];
    let mut first = Changes::default();
    first.code.insert(keccak256(&CODE), CODE);
    let slots = [(256, 1), (3, 7), (0, 9), (u64::MAX, 2)];
    insert(&mut first, created(), contract(1, 1, &slots));
    // As the opening left it: no balance.
    insert(&mut first, Address::repeat_byte(0x42), account(6, 1));
    insert(&mut first, Address::repeat_byte(0x10), account(78, 1));
    let mut second = Changes::default();
    insert(&mut second, created(), contract(1, 1, &[(3, 0), (4, 8)]));
    insert(&mut second, Address::repeat_byte(0xaa), gone());
    insert(&mut second, SENDER, account(5, 8));
    let transactions = transactions.map(|tx| v1::shared(tx, None)).into();
    BlockPart::new(
        transactions,
        receipts,
        vec![Arc::new(first), Arc::new(second)],
    )
}

/// The contract changes without being created, while another gets the same code.
fn contracts_again() -> BlockPart {
    let call = v1::sign(TxLegacy {
        chain_id: Some(901),
        nonce: 8,
        to: TxKind::Call(created()),
        ..Default::default()
    });
    let mut changes = Changes::default();
    changes.code.insert(keccak256(&CODE), CODE);
    insert(&mut changes, created(), contract(1, 2, &[(0, 10)]));
    let twin = created().create(1);
    insert(&mut changes, twin, contract(0, 1, &[]));
    insert(&mut changes, Address::repeat_byte(0xaa), account(0, 0));
    BlockPart::new(
        vec![v1::shared(call, None)],
        vec![OpReceipt::Legacy(v1::receipt(true, 482_000, Vec::new()))],
        vec![Arc::new(changes)],
    )
}

fn insert(changes: &mut Changes, address: Address, change: AccountChange) {
    changes.accounts.insert(address, change);
}

fn account(balance: u64, nonce: u64) -> AccountChange {
    AccountChange {
        post: Some(AccountPost {
            balance: U256::from(balance),
            nonce,
            code_hash: KECCAK256_EMPTY,
        }),
        storage_wiped: false,
        storage: Default::default(),
    }
}

fn contract(balance: u64, nonce: u64, slots: &[(u64, u64)]) -> AccountChange {
    let slots = slots.iter();
    let mut change = account(balance, nonce);
    if let Some(post) = &mut change.post {
        post.code_hash = keccak256(&CODE);
    }
    change.storage = slots
        .map(|(key, value)| (U256::from(*key), U256::from(*value)))
        .collect();
    change
}

fn gone() -> AccountChange {
    AccountChange {
        post: None,
        storage_wiped: true,
        storage: Default::default(),
    }
}
