//! The rules of the next block and of the pool, cheapest first.

use alloy_consensus::Transaction;
use alloy_primitives::{Signature, U256};
use blockwright_types::{OpFork, SharedTx};
use op_alloy_consensus::OpTxEnvelope;

use crate::admission::Newcomer;
use crate::config::PoolConfig;
use crate::error::PoolError;
use crate::gas::{INITCODE_BYTES_MAX, TX_GAS_CAP, floor_gas, intrinsic_gas};
use crate::sender::Pooled;
use crate::view::{AccountCode, AccountFacts, HeadView};

/// Half of the curve's order: a larger `s` is malleable (EIP-2).
const HALF_ORDER: U256 = U256::from_limbs([
    0xdfe9_2f46_681b_20a0,
    0x5d57_6e73_57a4_501d,
    0xffff_ffff_ffff_ffff,
    0x7fff_ffff_ffff_ffff,
]);

/// Refuses by size and type byte, before anything is decoded.
pub(crate) fn check_bytes(encoded: &[u8], config: &PoolConfig) -> Result<(), PoolError> {
    if encoded.len() > config.tx_size_bytes_max {
        return Err(PoolError::Oversized {
            size_bytes: encoded.len(),
            limit_bytes: config.tx_size_bytes_max,
        });
    }
    match encoded.first() {
        // An RLP list is a legacy transaction.
        Some(1 | 2 | 4 | 0xc0..) => Ok(()),
        Some(&ty @ 0..0x80) => Err(PoolError::TypeNotSupported(ty)),
        Some(_) => Err(PoolError::Decode("neither a type byte nor a list".into())),
        None => Err(PoolError::Decode("no bytes".into())),
    }
}

/// All that can be said about a transaction without its sender.
pub(crate) fn check_transaction(
    tx: &OpTxEnvelope,
    config: &PoolConfig,
    head: &HeadView,
) -> Result<(), PoolError> {
    check_type(tx, head.fork)?;
    check_chain_id(tx, config)?;
    check_init_code(tx, head.fork)?;
    check_gas_limit(tx, head)?;
    check_fees(tx)?;
    if tx.nonce() == u64::MAX {
        return Err(PoolError::NonceMax(tx.nonce()));
    }
    check_signature(tx)?;
    check_intrinsic_gas(tx, head.fork)
}

fn check_type(tx: &OpTxEnvelope, fork: OpFork) -> Result<(), PoolError> {
    match tx {
        OpTxEnvelope::Legacy(_) | OpTxEnvelope::Eip2930(_) | OpTxEnvelope::Eip1559(_) => Ok(()),
        OpTxEnvelope::Eip7702(signed) if fork >= OpFork::Isthmus => {
            if signed.tx().authorization_list.is_empty() {
                Err(PoolError::EmptyAuthorizationList)
            } else {
                Ok(())
            }
        }
        OpTxEnvelope::Eip7702(_) | OpTxEnvelope::Deposit(_) | OpTxEnvelope::PostExec(_) => {
            Err(PoolError::TypeNotSupported(tx.tx_type() as u8))
        }
    }
}

fn check_chain_id(tx: &OpTxEnvelope, config: &PoolConfig) -> Result<(), PoolError> {
    match tx.chain_id() {
        Some(have) if have == config.chain_id => Ok(()),
        Some(have) => Err(PoolError::WrongChainId {
            have,
            want: config.chain_id,
        }),
        None if config.allow_unprotected => Ok(()),
        None => Err(PoolError::Unprotected),
    }
}

fn check_init_code(tx: &OpTxEnvelope, fork: OpFork) -> Result<(), PoolError> {
    let size_bytes = tx.input().len();
    if tx.is_create() && fork >= OpFork::Canyon && size_bytes > INITCODE_BYTES_MAX {
        return Err(PoolError::InitCodeTooLarge {
            size_bytes,
            limit_bytes: INITCODE_BYTES_MAX,
        });
    }
    Ok(())
}

fn check_gas_limit(tx: &OpTxEnvelope, head: &HeadView) -> Result<(), PoolError> {
    let gas = tx.gas_limit();
    if head.fork >= OpFork::Karst && gas > TX_GAS_CAP {
        return Err(PoolError::GasLimitAboveCap {
            tx: gas,
            cap: TX_GAS_CAP,
        });
    }
    if gas > head.gas_limit {
        return Err(PoolError::ExceedsBlockGasLimit {
            tx: gas,
            block: head.gas_limit,
        });
    }
    Ok(())
}

fn check_fees(tx: &OpTxEnvelope) -> Result<(), PoolError> {
    let fee_cap = tx.max_fee_per_gas();
    let tip = tx.max_priority_fee_per_gas().unwrap_or(fee_cap);
    if tip > fee_cap {
        return Err(PoolError::TipAboveFeeCap { tip, fee_cap });
    }
    Ok(())
}

/// The pool's own price, which may change at run time.
pub(crate) fn check_tip(tx: &OpTxEnvelope, min_tip_wei: u128) -> Result<(), PoolError> {
    let tip = tx
        .max_priority_fee_per_gas()
        .unwrap_or_else(|| tx.max_fee_per_gas());
    if tip < min_tip_wei {
        return Err(PoolError::TipTooLow {
            tip,
            needed: min_tip_wei,
        });
    }
    Ok(())
}

fn check_signature(tx: &OpTxEnvelope) -> Result<(), PoolError> {
    let Some(signature) = tx.signature().map(Signature::s) else {
        return Err(PoolError::InvalidSender("no signature"));
    };
    if signature > HALF_ORDER {
        return Err(PoolError::InvalidSender(
            "signature s is above half the curve's order",
        ));
    }
    Ok(())
}

fn check_intrinsic_gas(tx: &OpTxEnvelope, fork: OpFork) -> Result<(), PoolError> {
    let gas = tx.gas_limit();
    let needed = intrinsic_gas(tx, fork);
    if gas < needed {
        return Err(PoolError::IntrinsicGas { gas, needed });
    }
    if fork >= OpFork::Isthmus {
        let needed = floor_gas(tx);
        if gas < needed {
            return Err(PoolError::FloorDataGas { gas, needed });
        }
    }
    Ok(())
}

/// All that its sender's account, `facts`, decides. A nonce above the account's is no fault: it is
/// parked.
pub(crate) fn check_account(
    tx: &SharedTx,
    arrival: u64,
    facts: AccountFacts,
    head: &HeadView,
) -> Result<Newcomer, PoolError> {
    match facts.code {
        AccountCode::None | AccountCode::Delegation => {}
        AccountCode::Contract => return Err(PoolError::SenderNotEoa(tx.sender)),
    }
    if tx.nonce() < facts.nonce {
        return Err(PoolError::NonceTooLow {
            next: facts.nonce,
            tx: tx.nonce(),
        });
    }
    let cost = cost_wei(tx, head);
    if cost > facts.balance {
        return Err(PoolError::InsufficientFunds {
            balance: facts.balance,
            cost,
        });
    }
    Ok(Newcomer {
        pooled: Pooled::new(tx.clone(), arrival, cost),
        facts,
    })
}

/// All that `tx` may cost its sender in the next block; saturates.
fn cost_wei(tx: &SharedTx, head: &HeadView) -> U256 {
    let gas = U256::from(tx.envelope.gas_limit());
    U256::from(tx.envelope.max_fee_per_gas())
        .saturating_mul(gas)
        .saturating_add(tx.envelope.value())
        .saturating_add(head.fees.cost(tx))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
