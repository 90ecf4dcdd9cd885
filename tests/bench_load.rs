//! The meter's transactions do what their load says and use exactly the gas of their limit, by
//! op-revm on the meter's own genesis.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use alloy_consensus::Transaction as _;
use alloy_consensus::transaction::SignerRecoverable as _;
use alloy_eips::eip2718::Decodable2718 as _;
use alloy_primitives::{Address, Bytes, U256};
use blockwright_bench::{
    COMPUTE, ChainPlan, CrowdPlan, Load, Pace, RECORDS, RunPlan, TOKEN, Timing, TroublePlan,
    Workload, balance_slot,
};
use blockwright_chain::ChainSpec;
use blockwright_exec::spec_id;
use blockwright_types::OpFork;
use op_alloy_consensus::OpTxEnvelope;
use op_revm::{OpBuilder as _, OpContext, OpTransaction};
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::context_interface::JournalTr as _;
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database::{EmptyDB, InMemoryDB};
use revm::database_interface::DatabaseRef as _;
use revm::state::{AccountInfo, Bytecode};
use revm::{DatabaseCommit as _, ExecuteEvm as _};

const COUNT: u64 = 300;

fn workload(load: Load, fork: OpFork, accounts: u32) -> Workload {
    let plan = RunPlan {
        name: "gas".to_owned(),
        load,
        pace: Pace::Prefilled { count: COUNT },
        chain: ChainPlan {
            fork,
            chain_id: 901,
            gas_limit: 1_000_000_000,
            senders: 20,
            accounts,
            seed: 3,
        },
        timing: Timing {
            block_time_s: 1,
            interval_ms: 250,
            seal_margin_ms: 50,
        },
        blocks: 1,
        batch: 100,
        connections: 2,
        builder_args: Vec::new(),
        crowd: CrowdPlan::default(),
        trouble: TroublePlan::default(),
        roots_required: false,
    };
    Workload::prepare(&plan, &()).unwrap()
}

fn genesis(workload: &Workload) -> (ChainSpec, InMemoryDB) {
    let spec = ChainSpec::from_genesis_json(&workload.genesis_json().unwrap()).unwrap();
    let changes = spec.genesis_changes();
    let mut db = InMemoryDB::default();
    for (address, change) in &changes.accounts {
        let post = change.post.unwrap();
        let code = changes.code.get(&post.code_hash).cloned();
        let info = AccountInfo {
            balance: post.balance,
            nonce: post.nonce,
            code_hash: post.code_hash,
            code: code.map(Bytecode::new_raw),
            ..AccountInfo::default()
        };
        db.insert_account_info(*address, info);
        for (slot, value) in &change.storage {
            db.insert_account_storage(*address, *slot, *value).unwrap();
        }
    }
    (spec, db)
}

/// The envelope in a request.
fn raw(request: &[u8]) -> Bytes {
    let request: serde_json::Value = serde_json::from_slice(request).unwrap();
    request["params"][0].as_str().unwrap().parse().unwrap()
}

fn env(raw: Bytes) -> OpTransaction<TxEnv> {
    let envelope = OpTxEnvelope::decode_2718_exact(&raw).unwrap();
    OpTransaction {
        base: TxEnv {
            tx_type: 2,
            caller: envelope.recover_signer().unwrap(),
            gas_limit: envelope.gas_limit(),
            gas_price: envelope.max_fee_per_gas(),
            gas_priority_fee: envelope.max_priority_fee_per_gas(),
            kind: envelope.kind(),
            value: envelope.value(),
            data: envelope.input().clone(),
            nonce: envelope.nonce(),
            chain_id: envelope.chain_id(),
            ..TxEnv::default()
        },
        enveloped_tx: Some(raw),
        ..OpTransaction::default()
    }
}

/// What a load did.
struct Ran {
    sent: Vec<TxEnv>,
    logs: usize,
    before: InMemoryDB,
    after: InMemoryDB,
}

/// Runs a whole load; every transaction succeeds and uses its limit.
fn run(workload: &Workload) -> Ran {
    let (spec, before) = genesis(workload);
    let block = BlockEnv {
        number: U256::ONE,
        timestamp: U256::from(spec.genesis_header().timestamp + 1),
        gas_limit: u64::MAX,
        basefee: spec.genesis_header().base_fee_per_gas.unwrap(),
        prevrandao: Some(Default::default()),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
            excess_blob_gas: 0,
            blob_gasprice: 1,
        }),
        ..BlockEnv::default()
    };
    let fork = workload.plan().chain.fork;
    let mut evm = <OpContext<EmptyDB> as op_revm::DefaultOp>::op()
        .with_db(before.clone())
        .with_block(block)
        .with_cfg(CfgEnv::new_with_spec(spec_id(fork)).with_chain_id(spec.chain_id()))
        .build_op();
    let (mut sent, mut logs) = (Vec::new(), 0);
    for index in 0..workload.len() {
        let transaction = env(raw(workload.request(index).unwrap()));
        sent.push(transaction.base.clone());
        let out = evm.transact(transaction).unwrap();
        assert!(out.result.is_success(), "{fork}, {index}: {:?}", out.result);
        let limit = sent[index as usize].gas_limit;
        assert_eq!(out.result.tx_gas_used(), limit, "{fork}, {index}");
        logs += out.result.logs().len();
        evm.0.ctx.journaled_state.db_mut().commit(out.state);
    }
    let after = evm.0.ctx.journaled_state.database;
    Ran {
        sent,
        logs,
        before,
        after,
    }
}

fn slot(db: &InMemoryDB, contract: Address, slot: U256) -> U256 {
    db.storage_ref(contract, slot).unwrap()
}

fn tokens(db: &InMemoryDB, holder: Address) -> U256 {
    slot(db, TOKEN, balance_slot(holder).into())
}

#[test]
fn gas_is_as_stated_under_every_fork() {
    for fork in OpFork::ALL {
        let ran = run(&workload(Load::Mixed, fork, 40));
        assert_eq!(ran.sent.len() as u64, COUNT);
        let calls = |to| {
            ran.sent
                .iter()
                .filter(|tx| tx.kind.to() == Some(&to))
                .count()
        };
        assert!(calls(TOKEN) > 0 && calls(RECORDS) > 0 && calls(COMPUTE) > 0);
        assert_eq!(ran.logs, calls(TOKEN), "one Transfer a token transfer");
    }
}

#[test]
fn token_transfers_move_tokens_between_holders() {
    for accounts in [0, 40] {
        let ran = run(&workload(Load::Erc20, OpFork::Isthmus, accounts));
        let mut moved: BTreeMap<Address, i64> = BTreeMap::new();
        for tx in &ran.sent {
            assert_eq!(tx.kind.to(), Some(&TOKEN));
            *moved.entry(tx.caller).or_default() -= 1;
            *moved
                .entry(Address::from_slice(&tx.data[16..36]))
                .or_default() += 1;
        }
        for (holder, moved) in moved {
            let before = i64::try_from(tokens(&ran.before, holder)).unwrap();
            let after = i64::try_from(tokens(&ran.after, holder)).unwrap();
            assert!(before > 0, "a holder that exists");
            assert_eq!(after - before, moved);
        }
        assert_eq!(ran.logs as u64, COUNT);
        let gas = ran.sent.iter().map(|tx| tx.gas_limit).sum::<u64>() / COUNT;
        assert!((33_500..34_500).contains(&gas), "{gas}");
    }
}

#[test]
fn new_slots_are_ten_words_a_transaction() {
    let ran = run(&workload(Load::NewSlots, OpFork::Karst, 0));
    let words = |db: &InMemoryDB| {
        let storage = &db.cache.accounts[&RECORDS].storage;
        storage.values().filter(|value| !value.is_zero()).count() as u64
    };
    assert_eq!(words(&ran.before), 0);
    assert_eq!(words(&ran.after), 10 * COUNT);
}

#[test]
fn fresh_receivers_come_into_being() {
    let ran = run(&workload(Load::FreshReceivers, OpFork::Karst, 40));
    for tx in &ran.sent {
        let to = *tx.kind.to().unwrap();
        assert!(ran.before.basic_ref(to).unwrap().is_none());
        assert_eq!(ran.after.basic_ref(to).unwrap().unwrap().balance, U256::ONE);
    }
}

#[test]
fn transfers_go_to_accounts_that_exist() {
    let ran = run(&workload(Load::Transfers, OpFork::Karst, 40));
    for tx in &ran.sent {
        let to = *tx.kind.to().unwrap();
        let before = ran.before.basic_ref(to).unwrap().unwrap().balance;
        assert!(ran.after.basic_ref(to).unwrap().unwrap().balance > before);
    }
}

#[test]
fn computing_uses_about_a_million_gas() {
    let ran = run(&workload(Load::Compute, OpFork::Karst, 0));
    for tx in &ran.sent {
        assert!(
            (999_000..1_001_000).contains(&tx.gas_limit),
            "{}",
            tx.gas_limit
        );
    }
}
