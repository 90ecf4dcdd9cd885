use alloy_primitives::Bytes;
use blockwright_chain::ChainSpec;
use blockwright_types::OpFork;

use super::*;
use crate::contracts::RECORDS;
use crate::testing::plan;
use crate::{Pace, Workload};

fn chain(fork: OpFork, accounts: u32) -> (Workload, ChainSpec) {
    let mut plan = plan(Pace::Prefilled { count: 1 });
    (plan.chain.fork, plan.chain.accounts) = (fork, accounts);
    let workload = Workload::prepare(&plan, &()).unwrap();
    let spec = ChainSpec::from_genesis_json(&workload.genesis_json().unwrap()).unwrap();
    (workload, spec)
}

#[test]
fn every_fork_has_a_readable_genesis_as_planned() {
    for fork in OpFork::ALL {
        let (workload, spec) = chain(fork, 3);
        assert_eq!(spec.fork_at(TIMESTAMP), fork);
        assert_eq!(spec.chain_id(), workload.plan().chain.chain_id);
        assert_eq!(
            spec.genesis_header().gas_limit,
            workload.plan().chain.gas_limit
        );
    }
}

#[test]
fn senders_and_accounts_hold_ether_and_tokens() {
    let (workload, spec) = chain(OpFork::Karst, 200);
    let changes = spec.genesis_changes();
    let token = &changes.accounts[&TOKEN];
    let accounts = (0..200).map(|index| account(workload.plan().chain.seed, index));
    let holders: Vec<_> = workload.senders().iter().copied().chain(accounts).collect();
    assert_eq!(token.storage.len(), 250);
    for holder in holders {
        assert_eq!(changes.accounts[&holder].post.unwrap().balance, BALANCE);
        let slot = U256::from_be_bytes(balance_slot(holder).0);
        assert_eq!(token.storage[&slot], TOKENS);
    }
}

#[test]
fn contracts_have_their_code() {
    let (_, spec) = chain(OpFork::Karst, 0);
    let changes = spec.genesis_changes();
    for (address, code) in contracts() {
        let post = changes.accounts[&address].post.unwrap();
        assert_eq!(changes.code[&post.code_hash], Bytes::from_static(code));
    }
    assert!(changes.accounts[&RECORDS].storage.is_empty());
}

/// A full block on a full block costs what the one before cost.
#[test]
fn a_flood_does_not_raise_the_base_fee() {
    for fork in OpFork::ALL {
        let (_, spec) = chain(fork, 0);
        let mut parent = spec.genesis_header().clone();
        let base_fee = parent.base_fee_per_gas.unwrap();
        parent.gas_used = parent.gas_limit;
        if fork >= OpFork::Jovian {
            parent.blob_gas_used = Some(parent.gas_limit);
        }
        let next = spec.next_base_fee(&parent, TIMESTAMP + 1).unwrap();
        assert_eq!(next, base_fee, "{fork}");
    }
}

#[test]
fn the_file_is_the_same_document() {
    let (workload, _) = chain(OpFork::Isthmus, 10);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("genesis.json");
    workload.write_genesis(&path).unwrap();
    assert_eq!(
        std::fs::read(&path).unwrap(),
        workload.genesis_json().unwrap()
    );
    let missing = folder.path().join("missing").join("genesis.json");
    let error = workload.write_genesis(&missing).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}
