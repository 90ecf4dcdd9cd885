//! The measure: op-revm as it is, one EVM over revm's cache, no receipts, no roots.

use std::hint::black_box;
use std::time::{Duration, Instant};

use alloy_consensus::Transaction as _;
use alloy_primitives::U256;
use blockwright_exec::spec_id;
use blockwright_types::{BlockContext, SharedTx};
use op_alloy_consensus::OpTxEnvelope;
use op_revm::transaction::deposit::DepositTransactionParts;
use op_revm::{OpBuilder as _, OpContext, OpTransaction};
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::context_interface::JournalTr as _;
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database::{EmptyDB, InMemoryDB};
use revm::state::{AccountInfo, Bytecode};
use revm::{DatabaseCommit as _, ExecuteEvm as _};

use crate::world::World;

/// The state after the L1 attributes, wholly in revm's cache.
pub struct Raw {
    db: InMemoryDB,
    context: BlockContext,
}

impl Raw {
    pub fn new(world: &World) -> Self {
        let mut db = InMemoryDB::default();
        let genesis = world.spec.genesis_changes();
        for (address, change) in &genesis.accounts {
            let Some(post) = change.post else { continue };
            let code = genesis.code.get(&post.code_hash).cloned();
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
        let context = world.request.context.clone();
        let mut raw = Self { db, context };
        let deposits = &world.request.sequencer_transactions;
        let txs = deposits.iter().map(env).collect();
        raw.db = raw.run(raw.db.clone(), txs).db;
        raw
    }

    /// What executing and committing all of `txs` takes, and their gas. Copies of the state and
    /// the conversion of the transactions are not counted.
    pub fn time(&self, txs: &[SharedTx]) -> (Duration, u64) {
        let ran = self.run(self.db.clone(), txs.iter().map(env).collect());
        assert_eq!(ran.succeeded, txs.len());
        (ran.time, ran.gas)
    }

    fn run(&self, db: InMemoryDB, txs: Vec<OpTransaction<TxEnv>>) -> Ran {
        let mut evm = <OpContext<EmptyDB> as op_revm::DefaultOp>::op()
            .with_db(db)
            .with_block(block_env(&self.context))
            .with_cfg(
                CfgEnv::new_with_spec(spec_id(self.context.fork))
                    .with_chain_id(self.context.chain_id),
            )
            .build_op();
        let (mut gas, mut succeeded) = (0, 0);
        let started = Instant::now();
        for tx in txs {
            let out = evm.transact(tx).unwrap();
            gas += out.result.tx_gas_used();
            succeeded += usize::from(out.result.is_success());
            evm.0.ctx.journaled_state.db_mut().commit(out.state);
        }
        let time = started.elapsed();
        black_box(gas);
        Ran {
            time,
            gas,
            succeeded,
            db: evm.0.ctx.journaled_state.database,
        }
    }
}

struct Ran {
    time: Duration,
    gas: u64,
    succeeded: usize,
    db: InMemoryDB,
}

fn block_env(context: &BlockContext) -> BlockEnv {
    BlockEnv {
        number: U256::from(context.number),
        beneficiary: context.fee_recipient,
        timestamp: U256::from(context.timestamp),
        gas_limit: context.gas_limit,
        basefee: context.base_fee,
        prevrandao: Some(context.prev_randao),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
            excess_blob_gas: 0,
            blob_gasprice: 1,
        }),
        ..BlockEnv::default()
    }
}

fn env(tx: &SharedTx) -> OpTransaction<TxEnv> {
    let envelope = &tx.envelope;
    let mut base = TxEnv {
        caller: tx.sender,
        gas_limit: envelope.gas_limit(),
        kind: envelope.kind(),
        value: envelope.value(),
        data: envelope.input().clone(),
        ..TxEnv::default()
    };
    if let OpTxEnvelope::Deposit(deposit) = envelope {
        base.tx_type = 0x7e;
        return OpTransaction {
            base,
            enveloped_tx: None,
            deposit: DepositTransactionParts::new(deposit.source_hash, None, false),
        };
    }
    base.tx_type = 2;
    base.nonce = envelope.nonce();
    base.chain_id = envelope.chain_id();
    base.gas_price = envelope.max_fee_per_gas();
    base.gas_priority_fee = envelope.max_priority_fee_per_gas();
    OpTransaction {
        base,
        enveloped_tx: Some(tx.encoded.clone()),
        deposit: DepositTransactionParts::default(),
    }
}
