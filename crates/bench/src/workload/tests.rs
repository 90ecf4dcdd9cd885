use std::collections::HashMap;

use alloy_consensus::Transaction as _;
use alloy_consensus::transaction::SignerRecoverable as _;
use alloy_consensus::{EthereumTxEnvelope, TxEip4844};
use alloy_eips::eip2718::Decodable2718 as _;
use serde_json::Value;

use super::*;
use crate::contracts::{RECORDS, TOKEN};
use crate::testing::plan;

/// A request of the load, read again.
struct Read {
    id: u64,
    transaction: EthereumTxEnvelope<TxEip4844>,
    text: Vec<u8>,
}

fn read(workload: &Workload, index: u64) -> Read {
    let text = workload.request(index).unwrap().to_vec();
    let request: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(request["method"], "eth_sendRawTransaction");
    let raw = alloy_primitives::hex::decode(request["params"][0].as_str().unwrap()).unwrap();
    let transaction = EthereumTxEnvelope::<TxEip4844>::decode_2718_exact(&raw).unwrap();
    assert_eq!(*transaction.tx_hash(), workload.hash(index).unwrap());
    Read {
        id: request["id"].as_u64().unwrap(),
        transaction,
        text,
    }
}

impl Read {
    fn sender(&self) -> Address {
        self.transaction.recover_signer().unwrap()
    }
}

fn all(workload: &Workload) -> Vec<Read> {
    (0..workload.len())
        .map(|index| read(workload, index))
        .collect()
}

fn prefilled(load: Load, count: u64) -> RunPlan {
    RunPlan {
        load,
        ..plan(Pace::Prefilled { count })
    }
}

#[test]
fn transactions_recover_to_their_senders_with_nonces_in_order() {
    let workload = Workload::prepare(&prefilled(Load::Mixed, 2_500), &()).unwrap();
    let mut nonces: HashMap<Address, u64> = HashMap::new();
    for (index, read) in all(&workload).into_iter().enumerate() {
        assert_eq!(read.id, index as u64);
        assert_eq!(
            read.transaction.chain_id(),
            Some(workload.plan().chain.chain_id)
        );
        let sender = read.sender();
        let nonce = nonces.entry(sender).or_default();
        assert_eq!(read.transaction.nonce(), *nonce);
        *nonce += 1;
        assert!(workload.senders().contains(&sender));
    }
    assert_eq!(nonces.len(), workload.senders().len());
    assert_eq!(workload.hash(workload.len()), None);
    assert!(workload.bytes() < TRANSACTION_BYTES * workload.len());
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let texts = |plan: &RunPlan| -> Vec<Vec<u8>> {
        let workload = Workload::prepare(plan, &()).unwrap();
        all(&workload).into_iter().map(|read| read.text).collect()
    };
    let mut plan = prefilled(Load::Mixed, 300);
    let first = texts(&plan);
    assert_eq!(first, texts(&plan));
    plan.chain.seed += 1;
    let other = texts(&plan);
    assert!(first.iter().zip(&other).all(|(one, other)| one != other));
}

#[test]
fn receivers_are_existing_accounts_and_not_the_sender() {
    let mut plan = prefilled(Load::Transfers, 400);
    let workload = Workload::prepare(&plan, &()).unwrap();
    for read in all(&workload) {
        let to = read.transaction.to().unwrap();
        assert!(workload.senders().contains(&to));
        assert_ne!(to, read.sender());
    }
    plan.load = Load::Erc20;
    plan.chain.accounts = 5;
    let accounts: Vec<_> = (0..5)
        .map(|index| draw::account(plan.chain.seed, index))
        .collect();
    let mut drawn = HashMap::new();
    for read in all(&Workload::prepare(&plan, &()).unwrap()) {
        assert_eq!(read.transaction.to().unwrap(), TOKEN);
        let receiver = Address::from_slice(&read.transaction.input()[16..36]);
        assert!(accounts.contains(&receiver));
        *drawn.entry(receiver).or_insert(0) += 1;
    }
    // 80 of each are expected, with a deviation of 8.
    assert!(drawn.len() == 5 && drawn.values().all(|count| (40..120).contains(count)));
}

#[test]
fn fresh_receivers_and_slots_never_repeat() {
    let known = |plan: &RunPlan, key: fn(&Read) -> Vec<u8>| {
        let workload = Workload::prepare(plan, &()).unwrap();
        let mut keys: Vec<_> = all(&workload).iter().map(key).collect();
        let senders = workload.senders().to_vec();
        assert!(
            senders
                .iter()
                .all(|sender| !keys.contains(&sender.to_vec()))
        );
        keys.sort();
        keys.dedup();
        keys.len()
    };
    let to = |read: &Read| read.transaction.to().unwrap().to_vec();
    assert_eq!(known(&prefilled(Load::FreshReceivers, 700), to), 700);
    let key = |read: &Read| {
        assert_eq!(read.transaction.to(), Some(RECORDS));
        read.transaction.input().to_vec()
    };
    assert_eq!(known(&prefilled(Load::NewSlots, 700), key), 700);
}

#[test]
fn the_mix_has_its_shares() {
    let workload = Workload::prepare(&prefilled(Load::Mixed, 5_000), &()).unwrap();
    let (mut ether, mut contracts) = (0, HashMap::new());
    let senders = workload.senders();
    for read in all(&workload) {
        let to = read.transaction.to().unwrap();
        if read.transaction.value().is_zero() {
            *contracts.entry(to).or_insert(0) += 1;
        } else if senders.contains(&to) {
            ether += 1;
        }
    }
    // Expected 3,000, 1,500, 200 and 50 with deviations of 35, 32, 14 and 7.
    assert!((2_800..3_200).contains(&ether), "{ether}");
    assert!((1_300..1_700).contains(&contracts[&TOKEN]));
    assert!((130..270).contains(&contracts[&RECORDS]));
    assert!((15..90).contains(&contracts[&crate::contracts::COMPUTE]));
}

#[test]
fn the_order_deals_every_transaction_to_one_connection() {
    for (group, lanes, senders, total) in [
        (1, 1, 1, 10),
        (20, 8, 5_000, 40_000),
        (20, 3, 7, 1_234),
        (100, 4, 4, 950),
        (7, 5, 11, 3),
    ] {
        let order = Order {
            group,
            lanes,
            senders,
            total,
        };
        let mut lens = vec![0; lanes as usize];
        let mut nonces = vec![0; senders as usize];
        for index in 0..total {
            let place = order.place(index);
            assert_eq!(order.index(place), index);
            let len = &mut lens[place.lane as usize];
            assert_eq!(place.position, *len, "no gap in {order:?}");
            *len += 1;
            let (sender, nonce) = order.sender(place);
            assert_eq!(sender % lanes, place.lane, "own senders in {order:?}");
            assert_eq!(nonce, nonces[sender as usize]);
            nonces[sender as usize] += 1;
        }
        let expected: Vec<_> = (0..lanes).map(|lane| order.lane_len(lane)).collect();
        assert_eq!(lens, expected);
    }
}

#[test]
fn a_load_is_as_large_as_its_pace_and_the_gas_limit_need() {
    let mut plan = plan(Pace::Rate { tx_per_s: 150.5 });
    (plan.blocks, plan.timing.block_time_s) = (3, 2);
    assert_eq!(transactions(&plan), 903);
    plan.pace = Pace::Flood { pending_max: 1_000 };
    plan.chain.gas_limit = 1_000_000_000;
    assert_eq!(transactions(&plan), 3 * 47_619 + 1_000);
    plan.load = Load::Compute;
    assert_eq!(transactions(&plan), 3 * 1_001 + 1_000);
    plan.load = Load::Transfers;
    plan.chain.gas_limit = 10_000_000_000;
    assert_eq!(transactions(&plan), 6 * FLOOD_TX_PER_S + 1_000);
}

#[test]
fn a_load_that_does_not_fit_memory_is_refused() {
    let plan = prefilled(Load::Transfers, 10_000_000);
    let error = Workload::prepare(&plan, &()).unwrap_err();
    assert!(matches!(error, BenchError::LoadTooLarge { .. }), "{error}");
}

#[test]
fn batches_of_an_open_loop_hold_ten_milliseconds() {
    let group = |tx_per_s| {
        let plan = plan(Pace::Rate { tx_per_s });
        order(&plan).unwrap().group
    };
    assert_eq!(
        [group(1.0), group(100.0), group(2_000.0), group(50_000.0)],
        [1, 1, 20, 100]
    );
}
