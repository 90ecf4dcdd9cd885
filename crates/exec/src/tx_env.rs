//! From a [`RecoveredTx`] to the transaction environment of op-revm.

use alloy_consensus::{Transaction as _, Typed2718 as _};
use alloy_primitives::Bytes;
use blockwright_types::{DEPOSIT_TX_TYPE, RecoveredTx, SkipReason};
use op_alloy_consensus::{OpTxEnvelope, TxDeposit};
use op_revm::OpTransaction;
use op_revm::transaction::deposit::DepositTransactionParts;
use revm::context::TxEnv;
use revm::context_interface::either::Either;

/// Builds the environment; the only transaction type without one is op-alloy's synthetic post-exec
/// transaction, which no fork up to Karst knows.
pub(crate) fn tx_env(tx: &RecoveredTx) -> Result<OpTransaction<TxEnv>, SkipReason> {
    match &tx.envelope {
        OpTxEnvelope::Deposit(deposit) => Ok(deposit_env(deposit.inner())),
        OpTxEnvelope::PostExec(_) => Err(SkipReason::Invalid(
            "transaction type 0x7d is not supported".to_owned(),
        )),
        OpTxEnvelope::Legacy(_)
        | OpTxEnvelope::Eip2930(_)
        | OpTxEnvelope::Eip1559(_)
        | OpTxEnvelope::Eip7702(_) => Ok(signed_env(tx)),
    }
}

fn signed_env(tx: &RecoveredTx) -> OpTransaction<TxEnv> {
    let envelope = &tx.envelope;
    let base = TxEnv {
        tx_type: envelope.ty(),
        caller: tx.sender,
        gas_limit: envelope.gas_limit(),
        gas_price: envelope.max_fee_per_gas(),
        kind: envelope.kind(),
        value: envelope.value(),
        data: envelope.input().clone(),
        nonce: envelope.nonce(),
        chain_id: envelope.chain_id(),
        access_list: envelope.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: envelope.max_priority_fee_per_gas(),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: envelope
            .authorization_list()
            .map(|list| list.iter().cloned().map(Either::Left).collect())
            .unwrap_or_default(),
    };
    OpTransaction {
        base,
        enveloped_tx: Some(tx.encoded.clone()),
        deposit: DepositTransactionParts::default(),
    }
}

fn deposit_env(deposit: &TxDeposit) -> OpTransaction<TxEnv> {
    let base = TxEnv {
        // op-revm takes a zero source hash for "no deposit"; the type makes it one all the same.
        tx_type: DEPOSIT_TX_TYPE,
        caller: deposit.from,
        gas_limit: deposit.gas_limit,
        gas_price: 0,
        kind: deposit.to,
        value: deposit.value,
        data: deposit.input.clone(),
        nonce: 0,
        chain_id: None,
        gas_priority_fee: None,
        ..TxEnv::default()
    };
    OpTransaction {
        base,
        enveloped_tx: Some(Bytes::new()),
        deposit: DepositTransactionParts::new(
            deposit.source_hash,
            (deposit.mint != 0).then_some(deposit.mint),
            deposit.is_system_transaction,
        ),
    }
}
