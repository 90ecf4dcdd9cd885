use std::sync::Arc;

use alloy_primitives::{Address, U256};
use blockwright_types::SharedTx;

use crate::testing::{Chain, ETHER, deposit, priced, sealed, sender};
use crate::{AccountFacts, AccountView, ViewError};

fn nonces(txs: &[SharedTx]) -> Vec<u64> {
    txs.iter().map(|tx| tx.nonce()).collect()
}

fn chain_with(count: u64) -> (Chain, Vec<SharedTx>) {
    let mut chain = Chain::new(|_| {});
    chain.fund(sender(0), 0, ETHER);
    let txs: Vec<_> = (0..count)
        .map(|nonce| priced(sender(0), nonce, 1_000, 10))
        .collect();
    for tx in &txs {
        chain.add(tx).unwrap();
    }
    (chain, txs)
}

#[test]
fn included_transactions_leave_and_the_rest_stays_executable() {
    let (mut chain, txs) = chain_with(4);
    chain.include(&txs[..2]);
    assert_eq!(nonces(&chain.pool.content(sender(0)).executable), [2, 3]);
    assert_eq!(chain.pool.next_nonce(sender(0)), Ok(4));
    assert!(chain.pool.get(&txs[0].hash).is_none());
}

#[test]
fn a_foreign_transaction_uses_the_nonce_and_fills_the_gap() {
    let (mut chain, txs) = chain_with(1);
    chain.add(&priced(sender(0), 2, 1_000, 10)).unwrap();
    let foreign = [
        priced(sender(0), 0, 2_000, 20),
        priced(sender(0), 1, 2_000, 20),
    ];
    chain.include(&foreign);
    assert!(chain.pool.get(&txs[0].hash).is_none());
    assert_eq!(nonces(&chain.pool.content(sender(0)).executable), [2]);
}

#[test]
fn a_reorg_brings_transactions_back_without_a_new_recovery() {
    let (mut chain, txs) = chain_with(3);
    let before = (chain.head.clone(), chain.accounts.clone());
    let block = chain.include(&[deposit(sender(4)), txs[0].clone(), txs[1].clone()]);
    assert_eq!(chain.pool.status().executable, 1);
    (chain.head, chain.accounts) = before;
    chain.accounts.known.get_mut(&sender(0)).unwrap().nonce = 1;
    let other = sealed(1, &txs[..1], &chain.accounts);
    chain.head.hash = other.hash;
    chain.pool.on_new_head(chain.view(), &[block], &[other]);
    let content = chain.pool.content(sender(0));
    assert_eq!(nonces(&content.executable), [1, 2], "0 is in the new block");
    assert!(content.parked.is_empty());
    assert_eq!(chain.pool.status().recovered, 0);
    assert_eq!(chain.pool.status().senders, 1, "the deposit is not pooled");
}

#[test]
fn unaffordable_ones_leave_and_their_followers_are_parked() {
    let (mut chain, _) = chain_with(0);
    for (nonce, fee_cap) in [(0, 1_000), (1, 5_000), (2, 1_000)] {
        chain.add(&priced(sender(0), nonce, fee_cap, 10)).unwrap();
    }
    chain.fund(sender(1), 0, ETHER);
    chain.accounts.known.get_mut(&sender(0)).unwrap().balance = U256::from(30_000_000);
    // Any block that touched the account says so.
    let touched = sealed(1, &[deposit(sender(0))], &chain.accounts);
    chain.pool.on_new_head(chain.view(), &[], &[touched]);
    let content = chain.pool.content(sender(0));
    assert_eq!(nonces(&content.executable), [0]);
    assert_eq!(nonces(&content.parked), [2]);
}

#[test]
fn only_touched_accounts_are_read() {
    let (mut chain, txs) = chain_with(2);
    chain.fund(sender(1), 0, ETHER);
    chain.add(&priced(sender(1), 0, 1_000, 10)).unwrap();
    // Sender 1 loses all, but the block does not name it: nobody looks.
    let block = chain.block(&txs[..1]);
    chain.accounts.known.get_mut(&sender(1)).unwrap().balance = U256::ZERO;
    chain.pool.on_new_head(chain.view(), &[], &[block]);
    assert_eq!(chain.pool.content(sender(1)).executable.len(), 1);
    chain.jump();
    assert_eq!(chain.pool.content(sender(1)).executable.len(), 0);
}

#[test]
fn an_empty_sender_is_forgotten() {
    let (mut chain, txs) = chain_with(2);
    chain.fund(sender(1), 0, ETHER);
    chain.add(&priced(sender(1), 0, 1_000, 10)).unwrap();
    chain.include(&txs);
    let status = chain.pool.status();
    assert_eq!(
        (status.senders, status.executable, status.parked),
        (1, 1, 0)
    );
}

/// Accounts that nobody may ask for.
struct Unread;

impl AccountView for Unread {
    fn account(&self, address: Address) -> Result<AccountFacts, ViewError> {
        Err(ViewError(format!("{address} was read")))
    }
}

#[test]
fn what_the_block_says_is_not_read_again() {
    let (mut chain, txs) = chain_with(3);
    let block = chain.block(&txs[..2]);
    let mut view = chain.view();
    view.accounts = Arc::new(Unread);
    chain.pool.on_new_head(view, &[], &[block]);
    assert_eq!(nonces(&chain.pool.content(sender(0)).executable), [2]);
    let next = priced(sender(0), 3, 1_000, 10);
    chain.add(&next).unwrap();
    let stranger = priced(sender(1), 0, 1_000, 10);
    assert_eq!(chain.add(&stranger).unwrap_err().label(), "state");
}
