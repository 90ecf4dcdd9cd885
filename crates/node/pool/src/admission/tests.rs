use std::collections::BTreeSet;

use alloy_consensus::TxEip1559;
use alloy_primitives::{B256, Bytes};
use blockwright_types::SharedTx;

use super::bumped;
use crate::testing::{Chain, ETHER, priced, recovered, sender, transfer};
use crate::{PoolConfig, PoolError};

fn chain(configure: impl FnOnce(&mut PoolConfig)) -> Chain {
    let mut chain = Chain::new(configure);
    for index in 0..6 {
        chain.fund(sender(index), 0, ETHER);
    }
    chain
}

fn pooled(chain: &Chain, txs: &[&SharedTx]) -> Vec<bool> {
    txs.iter()
        .map(|tx| chain.pool.get(&tx.hash).is_some())
        .collect()
}

#[test]
fn bumps_round_up_and_saturate() {
    assert_eq!(bumped(100, 10), 110);
    assert_eq!(bumped(101, 10), 112);
    assert_eq!(bumped(1, 10), 2);
    assert_eq!(bumped(0, 10), 0);
    assert_eq!(bumped(u128::MAX, 10), u128::MAX);
}

#[test]
fn duplicates_are_known() {
    let chain = chain(|_| {});
    let tx = priced(sender(0), 0, 1_000, 10);
    chain.add(&tx).unwrap();
    let error = chain.add(&tx).unwrap_err();
    assert_eq!(error, PoolError::AlreadyKnown(tx.hash));
    assert_eq!(error.to_string(), "already known");
}

#[test]
fn replacements_raise_both_caps_by_a_tenth() {
    let chain = chain(|_| {});
    let old = priced(sender(0), 0, 1_000, 10);
    chain.add(&old).unwrap();
    for (fee_cap, tip) in [(1_099, 11), (1_100, 10), (5_000, 10), (1_000, 100)] {
        let error = chain.add(&priced(sender(0), 0, fee_cap, tip)).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("replacement transaction underpriced: needs maxFeePerGas 1100"),
            "{error}"
        );
    }
    let new = priced(sender(0), 0, 1_100, 11);
    assert_eq!(chain.add(&new), Ok(new.hash));
    assert_eq!(pooled(&chain, &[&old, &new]), [false, true]);
    assert_eq!(chain.pool.status().executable, 1);
}

#[test]
fn a_zero_tip_may_stay_zero_but_the_fee_cap_must_rise() {
    let chain = chain(|_| {});
    chain.add(&priced(sender(0), 0, 1_000, 0)).unwrap();
    let same = recovered(
        sender(0),
        TxEip1559 {
            max_priority_fee_per_gas: 0,
            gas_limit: 22_000,
            ..transfer(0)
        },
    );
    assert_eq!(
        chain.add(&same).unwrap_err().label(),
        "replacement_underpriced"
    );
    chain.add(&priced(sender(0), 0, 1_100, 0)).unwrap();
}

#[test]
fn a_replaced_link_keeps_the_chain_executable() {
    let chain = chain(|_| {});
    for nonce in 0..3 {
        chain.add(&priced(sender(0), nonce, 1_000, 10)).unwrap();
    }
    chain.add(&priced(sender(0), 1, 2_000, 20)).unwrap();
    let status = chain.pool.status();
    assert_eq!((status.executable, status.parked), (3, 0));
}

#[test]
fn a_filled_gap_promotes_what_follows() {
    let chain = chain(|_| {});
    let mut fresh = chain.pool.subscribe_new();
    let txs: Vec<_> = (0..3)
        .map(|nonce| priced(sender(0), nonce, 1_000, 10))
        .collect();
    chain.add(&txs[2]).unwrap();
    chain.add(&txs[1]).unwrap();
    assert_eq!(chain.pool.status().executable, 0);
    assert_eq!(chain.pool.next_nonce(sender(0)), Ok(0));
    chain.add(&txs[0]).unwrap();
    assert_eq!(chain.pool.status().executable, 3);
    assert_eq!(chain.pool.next_nonce(sender(0)), Ok(3));
    let announced: Vec<B256> = std::iter::from_fn(|| fresh.try_recv().ok()).collect();
    assert_eq!(announced, txs.iter().map(|tx| tx.hash).collect::<Vec<_>>());
}

#[test]
fn a_full_pool_drops_the_lowest_effective_price() {
    let chain = chain(|config| config.count_max = 3);
    // At the base fee of 100 wei they pay 110, 120 and, capped, 105.
    let a = priced(sender(0), 0, 1_000, 10);
    let b = priced(sender(1), 0, 1_000, 20);
    let c = priced(sender(2), 0, 105, 50);
    for tx in [&a, &b, &c] {
        chain.add(tx).unwrap();
    }
    let equal = priced(sender(3), 0, 105, 105);
    let error = chain.add(&equal).unwrap_err();
    assert_eq!(error, PoolError::Full { price: 105 });
    assert!(error.to_string().starts_with("transaction underpriced"));
    chain.add(&priced(sender(3), 0, 1_000, 6)).unwrap();
    assert_eq!(pooled(&chain, &[&a, &b, &c]), [true, true, false]);
}

#[test]
fn parked_leaves_before_executable() {
    let chain = chain(|config| config.count_max = 2);
    let rich_but_parked = priced(sender(0), 1, 9_000, 900);
    let poor = priced(sender(1), 0, 1_000, 1);
    chain.add(&rich_but_parked).unwrap();
    chain.add(&poor).unwrap();
    let poorer = priced(sender(2), 0, 1_000, 0);
    chain.add(&poorer).unwrap();
    assert_eq!(
        pooled(&chain, &[&rich_but_parked, &poor, &poorer]),
        [false, true, true]
    );
    // And a parked one, at any price, takes no executable one's place.
    let error = chain.add(&priced(sender(3), 1, 9_000, 900)).unwrap_err();
    assert_eq!(error.label(), "full");
}

#[test]
fn what_followed_an_evicted_link_is_parked() {
    let chain = chain(|config| config.count_max = 4);
    chain.add(&priced(sender(0), 0, 1_000, 10)).unwrap();
    let weak = priced(sender(0), 1, 1_000, 1);
    chain.add(&weak).unwrap();
    chain.add(&priced(sender(0), 2, 1_000, 10)).unwrap();
    chain.add(&priced(sender(0), 3, 1_000, 10)).unwrap();
    chain.add(&priced(sender(1), 0, 1_000, 10)).unwrap();
    assert_eq!(pooled(&chain, &[&weak]), [false]);
    let content = chain.pool.content(sender(0));
    let nonces = |txs: &[SharedTx]| txs.iter().map(|tx| tx.nonce()).collect::<Vec<_>>();
    assert_eq!(nonces(&content.executable), [0]);
    assert_eq!(nonces(&content.parked), [2, 3]);
}

#[test]
fn a_newcomer_never_evicts_its_own_predecessor() {
    let chain = chain(|config| config.count_max = 2);
    chain.add(&priced(sender(0), 0, 1_000, 1)).unwrap();
    chain.add(&priced(sender(1), 0, 1_000, 50)).unwrap();
    let follower = priced(sender(0), 1, 9_000, 900);
    assert_eq!(chain.add(&follower).unwrap_err().label(), "full");
    assert_eq!(chain.pool.status().executable, 2);
}

#[test]
fn a_refusal_evicts_nobody() {
    let sized = |index: u8, tip: u128, bytes: usize| {
        let tx = TxEip1559 {
            gas_limit: 1_000_000,
            max_priority_fee_per_gas: tip,
            input: Bytes::from(vec![index; bytes]),
            ..transfer(0)
        };
        recovered(sender(index), tx)
    };
    let chain = chain(|config| config.size_bytes_max = 2_000);
    let (cheap, dear) = (sized(0, 1, 800), sized(1, 100, 800));
    chain.add(&cheap).unwrap();
    chain.add(&dear).unwrap();
    // Needs the room of both, but pays more than one only.
    assert_eq!(chain.add(&sized(2, 50, 1_500)).unwrap_err().label(), "full");
    assert_eq!(pooled(&chain, &[&cheap, &dear]), [true, true]);
    chain.add(&sized(2, 101, 1_500)).unwrap();
    assert_eq!(pooled(&chain, &[&cheap, &dear]), [false, false]);
    assert!(chain.pool.status().size_bytes <= 2_000);
}

#[test]
fn slots_of_a_sender_are_limited_but_the_next_nonce_always_fits() {
    let chain = chain(|config| config.sender_slots_max = 3);
    for nonce in [1, 2, 5] {
        chain.add(&priced(sender(0), nonce, 1_000, 10)).unwrap();
    }
    let error = chain.add(&priced(sender(0), 6, 1_000, 10)).unwrap_err();
    assert!(error.to_string().starts_with("account limit exceeded"));
    chain.add(&priced(sender(0), 0, 1_000, 10)).unwrap();
    let content = chain.pool.content(sender(0));
    let kept: BTreeSet<u64> = content.executable.iter().map(|tx| tx.nonce()).collect();
    assert_eq!(kept, BTreeSet::from([0, 1, 2]));
    assert!(content.parked.is_empty(), "nonce 5 gave way");
    // Full of executable ones: no way in but to replace.
    let error = chain.add(&priced(sender(0), 3, 1_000, 10)).unwrap_err();
    assert_eq!(error.label(), "sender_limit");
    chain.add(&priced(sender(0), 2, 2_000, 20)).unwrap();
}
