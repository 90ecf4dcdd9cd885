//! The same transactions by op-revm's own means: a new EVM for each, revm's own cache, from scratch.

use alloy_consensus::Transaction as _;
use alloy_eips::{eip2935, eip4788};
use alloy_primitives::{Bytes, Log, U256};
use blockwright_exec::spec_id;
use blockwright_types::{BlockContext, OpFork, SharedTx};
use op_alloy_consensus::OpTxEnvelope;
use op_revm::transaction::deposit::DepositTransactionParts;
use op_revm::{OpBuilder as _, OpContext, OpTransaction};
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database::{EmptyDB, InMemoryDB};
use revm::{DatabaseCommit as _, ExecuteEvm as _, SystemCallEvm as _};

/// What one transaction did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) success: bool,
    pub(crate) cumulative_gas: u64,
    pub(crate) logs: Vec<Log>,
}

fn block_env(context: &BlockContext) -> BlockEnv {
    let blobs = BlobExcessGasAndPrice {
        excess_blob_gas: 0,
        blob_gasprice: 1,
    };
    BlockEnv {
        number: U256::from(context.number),
        beneficiary: context.fee_recipient,
        timestamp: U256::from(context.timestamp),
        gas_limit: context.gas_limit,
        basefee: context.base_fee,
        prevrandao: Some(context.prev_randao),
        blob_excess_gas_and_price: (context.fork >= OpFork::Ecotone).then_some(blobs),
        ..BlockEnv::default()
    }
}

pub(crate) fn op_context<'a>(
    context: &BlockContext,
    db: &'a mut InMemoryDB,
) -> OpContext<&'a mut InMemoryDB> {
    let cfg = CfgEnv::new_with_spec(spec_id(context.fork)).with_chain_id(context.chain_id);
    <OpContext<EmptyDB> as op_revm::DefaultOp>::op()
        .with_db(db)
        .with_block(block_env(context))
        .with_cfg(cfg)
}

pub(crate) fn tx_env(tx: &SharedTx) -> OpTransaction<TxEnv> {
    let mut base = TxEnv {
        caller: tx.sender,
        gas_limit: tx.envelope.gas_limit(),
        kind: tx.envelope.kind(),
        value: tx.envelope.value(),
        data: tx.envelope.input().clone(),
        ..TxEnv::default()
    };
    match &tx.envelope {
        OpTxEnvelope::Deposit(deposit) => {
            base.tx_type = 0x7e;
            OpTransaction {
                base,
                enveloped_tx: None,
                deposit: DepositTransactionParts::new(
                    deposit.source_hash,
                    Some(deposit.mint),
                    deposit.is_system_transaction,
                ),
            }
        }
        signed => {
            base.tx_type = 2;
            base.nonce = signed.nonce();
            base.chain_id = signed.chain_id();
            base.gas_price = signed.max_fee_per_gas();
            base.gas_priority_fee = signed.max_priority_fee_per_gas();
            OpTransaction {
                base,
                enveloped_tx: Some(tx.encoded.clone()),
                deposit: DepositTransactionParts::default(),
            }
        }
    }
}

fn system_call(
    context: &BlockContext,
    db: &mut InMemoryDB,
    to: alloy_primitives::Address,
    word: alloy_primitives::B256,
) {
    let mut evm = op_context(context, db).build_op();
    let data = Bytes::copy_from_slice(&word[..]);
    let out = evm.system_call(to, data).unwrap();
    drop(evm);
    assert!(out.result.is_success());
    db.commit(out.state);
}

/// Executes a block on `db` and leaves its state there.
pub(crate) fn execute(
    context: &BlockContext,
    db: &mut InMemoryDB,
    txs: &[SharedTx],
) -> Vec<Outcome> {
    if context.fork >= OpFork::Isthmus {
        let parent = context.parent_hash;
        system_call(context, db, eip2935::HISTORY_STORAGE_ADDRESS, parent);
    }
    if let Some(root) = context.parent_beacon_block_root {
        system_call(context, db, eip4788::BEACON_ROOTS_ADDRESS, root);
    }
    let mut cumulative_gas = 0;
    txs.iter()
        .map(|tx| {
            let mut evm = op_context(context, db).build_op();
            let out = evm.transact(tx_env(tx)).unwrap();
            drop(evm);
            db.commit(out.state);
            cumulative_gas += out.result.tx_gas_used();
            Outcome {
                success: out.result.is_success(),
                cumulative_gas,
                logs: out.result.into_logs(),
            }
        })
        .collect()
}
