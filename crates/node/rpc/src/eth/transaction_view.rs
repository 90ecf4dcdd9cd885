//! A transaction as JSON-RPC shows it.

use alloy_consensus::Sealed;
use alloy_consensus::transaction::Recovered;
use blockwright_types::RecoveredTx;
use op_alloy_consensus::OpTxEnvelope;
use op_alloy_consensus::transaction::OpTransactionInfo;
use op_alloy_rpc_types::Transaction;
use serde::Serialize;

/// A transaction with its place in the chain.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum TransactionView {
    /// All but those of the system.
    Usual(Box<Transaction>),
    /// The deposits of Bedrock that are exempt from the gas limit.
    System(Box<SystemView>),
}

/// The library writes `isSystemTx` as a quantity; op-node takes nothing but a boolean, as op-geth writes it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SystemView {
    /// Without the mark.
    #[serde(flatten)]
    rest: Transaction,
    #[serde(rename = "isSystemTx")]
    is_system: bool,
}

impl TransactionView {
    /// `tx` at the place that `info` tells.
    pub(crate) fn new(tx: &RecoveredTx, info: OpTransactionInfo) -> Self {
        let view = |envelope| {
            let recovered = Recovered::new_unchecked(envelope, tx.sender);
            Transaction::from_transaction(recovered, info)
        };
        match &tx.envelope {
            OpTxEnvelope::Deposit(deposit) if deposit.is_system_transaction => {
                let mut unmarked = deposit.inner().clone();
                unmarked.is_system_transaction = false;
                let unmarked = Sealed::new_unchecked(unmarked, deposit.hash());
                Self::System(Box::new(SystemView {
                    rest: view(OpTxEnvelope::Deposit(unmarked)),
                    is_system: true,
                }))
            }
            other => Self::Usual(Box::new(view(other.clone()))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloy_consensus::Sealable;
    use alloy_eips::Encodable2718;
    use alloy_primitives::{B256, U256};
    use op_alloy_consensus::TxDeposit;
    use serde_json::{Value, json};

    use super::*;

    fn shown(is_system_transaction: bool) -> (B256, Value) {
        let deposit = TxDeposit {
            gas_limit: 150_000_000,
            value: U256::from(7),
            is_system_transaction,
            ..TxDeposit::default()
        };
        let sender = deposit.from;
        let envelope = OpTxEnvelope::Deposit(deposit.seal_slow());
        let encoded = envelope.encoded_2718().into();
        let tx = RecoveredTx::new(envelope, encoded, sender);
        let view = TransactionView::new(&tx, OpTransactionInfo::default());
        (tx.hash, serde_json::to_value(view).unwrap())
    }

    #[test]
    fn the_mark_of_the_system_is_a_boolean() {
        let (system_hash, system) = shown(true);
        let (usual_hash, usual) = shown(false);
        assert_ne!(system_hash, usual_hash);
        assert_eq!(system["hash"], json!(system_hash));
        assert_eq!(system["isSystemTx"], json!(true));
        // Nothing else differs.
        let mut rest = system;
        rest.as_object_mut().unwrap().remove("isSystemTx");
        rest["hash"] = json!(usual_hash);
        assert_eq!(rest, usual);
    }
}
