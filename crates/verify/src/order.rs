//! Proving the order of transactions from flashblocks alone.

use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256};
use blockwright_types::{RecoveredTx, SharedTx};
use op_alloy_consensus::OpTxEnvelope;

/// What the order of pool transactions is proved from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderedTx {
    /// Its hash.
    pub hash: B256,
    /// Its sender.
    pub sender: Address,
    /// Its nonce.
    pub nonce: u64,
    /// Its effective tip in wei per gas (or its rank under another policy).
    pub tip: u128,
}

/// Where a flashblock leaves the declared order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderViolation {
    /// A deposit outside of index 0.
    #[error("deposit {hash} in flashblock {index}: deposits belong to index 0")]
    DepositLate {
        /// Index of the flashblock.
        index: u64,
        /// Hash of the deposit.
        hash: B256,
    },
    /// A deposit of index 0 behind a transaction that is none.
    #[error("deposit {deposit} stands behind {other}, which is none")]
    DepositBehind {
        /// Hash of the deposit.
        deposit: B256,
        /// Hash of the first other transaction.
        other: B256,
    },
    /// A transaction that the policy has no place for: under priority order one whose fee cap is
    /// below the base fee.
    #[error("transaction {hash} has no rank: its fee cap is below the base fee")]
    Unranked {
        /// Hash of the transaction.
        hash: B256,
    },
    /// A sender's nonces do not rise.
    #[error(
        "{} of {} has nonce {}, behind {} with nonce {}",
        .after.hash, .after.sender, .after.nonce, .before.hash, .before.nonce
    )]
    Nonce {
        /// The transaction in front.
        before: Box<OrderedTx>,
        /// The one behind it, whose nonce is not larger.
        after: Box<OrderedTx>,
    },
    /// A sender's nonces skip numbers, where nothing could have used those up.
    #[error(
        "{} of {} has nonce {}, behind {} with nonce {}: those between are missing",
        .after.hash, .after.sender, .after.nonce, .before.hash, .before.nonce
    )]
    NonceGap {
        /// The transaction in front.
        before: Box<OrderedTx>,
        /// The one behind it.
        after: Box<OrderedTx>,
    },
    /// A better transaction that could have run stands behind a worse one.
    #[error(
        "{} with tip {} stands before {} with tip {}, which was executable",
        .before.hash, .before.tip, .after.hash, .after.tip
    )]
    Outranked {
        /// The transaction in front: the worst of those that the other one had to precede.
        before: Box<OrderedTx>,
        /// The one behind it, with the better tip.
        after: Box<OrderedTx>,
    },
}

/// The rank of a transaction under priority order: what the fee recipient earns a gas at `base_fee`
/// (wei). `None` where the fee cap is below it.
pub fn priority(tx: &RecoveredTx, base_fee: u64) -> Option<u128> {
    tx.effective_tip(base_fee)
}

/// Whether one flashblock is in the order of its policy, given as the rank of a transaction.
///
/// Index 0 holds what the sequencer asked for: deposits first, the others in whatever order it gave.
/// Every later flashblock holds transactions of the pool alone, in the order of [`check_ranked`].
/// The unsigned transaction that may close a block from Lagoon on has no rank and is passed over.
///
/// # Errors
/// The first violation, in the order of the transactions.
pub fn check_order(
    index: u64,
    transactions: &[SharedTx],
    rank: impl Fn(&RecoveredTx) -> Option<u128>,
) -> Result<(), OrderViolation> {
    if index == 0 {
        return check_deposits_first(transactions);
    }
    let mut ordered = Vec::with_capacity(transactions.len());
    for tx in transactions {
        if tx.is_deposit() {
            return Err(OrderViolation::DepositLate {
                index,
                hash: tx.hash,
            });
        }
        if matches!(tx.envelope, OpTxEnvelope::PostExec(_)) {
            continue;
        }
        let tip = rank(tx).ok_or(OrderViolation::Unranked { hash: tx.hash })?;
        ordered.push(OrderedTx {
            hash: tx.hash,
            sender: tx.sender,
            nonce: tx.nonce(),
            tip,
        });
    }
    check_ranked(&ordered)
}

fn check_deposits_first(transactions: &[SharedTx]) -> Result<(), OrderViolation> {
    let mut others = transactions.iter().skip_while(|tx| tx.is_deposit());
    let Some(other) = others.next() else {
        return Ok(());
    };
    match others.find(|tx| tx.is_deposit()) {
        None => Ok(()),
        Some(deposit) => Err(OrderViolation::DepositBehind {
            deposit: deposit.hash,
            other: other.hash,
        }),
    }
}

/// Whether the pool transactions of one flashblock stand in the order of their tips.
///
/// No transaction may have a better tip than one before it, unless that one stands no later than the
/// last transaction of the better one's own sender: until then it could not run. Equal tips may stand
/// in any order (arrival decides, which a flashblock does not show). A sender's nonces rise; they
/// need not rise by one, because an EIP-7702 authorization in another's transaction and a creation by
/// a delegated account use up nonces too. What such a thing made executable counts as executable
/// since its sender's last transaction: our builder leaves it for the next flashblock.
///
/// # Errors
/// [`OrderViolation::Nonce`] or [`OrderViolation::Outranked`], whichever comes first.
pub fn check_ranked(transactions: &[OrderedTx]) -> Result<(), OrderViolation> {
    // A monotone stack: positions and tips both rise, so the lowest tip from some position on is
    // found by one binary search.
    let mut lows: Vec<usize> = Vec::new();
    let mut last_of_sender: AddressMap<usize> = AddressMap::default();
    for (position, tx) in transactions.iter().enumerate() {
        let mut executable_since = 0;
        if let Some(last) = last_of_sender.insert(tx.sender, position) {
            if transactions[last].nonce >= tx.nonce {
                return Err(OrderViolation::Nonce {
                    before: Box::new(transactions[last]),
                    after: Box::new(*tx),
                });
            }
            executable_since = last + 1;
        }
        let first = lows.partition_point(|low| *low < executable_since);
        if let Some(low) = lows.get(first)
            && transactions[*low].tip < tx.tip
        {
            return Err(OrderViolation::Outranked {
                before: Box::new(transactions[*low]),
                after: Box::new(*tx),
            });
        }
        while lows
            .last()
            .is_some_and(|low| transactions[*low].tip >= tx.tip)
        {
            lows.pop();
        }
        lows.push(position);
    }
    Ok(())
}

/// Whether the nonces of each sender rise by one, over the pool transactions of any number of
/// flashblocks of one block.
///
/// That is stricter than [`check_ranked`] and holds only where nothing else uses nonces up: to be
/// asked by whoever knows that a run has no EIP-7702 authorizations and no creations by delegated
/// accounts.
///
/// # Errors
/// [`OrderViolation::Nonce`] or [`OrderViolation::NonceGap`], whichever comes first.
pub fn check_consecutive<'a>(
    transactions: impl IntoIterator<Item = &'a OrderedTx>,
) -> Result<(), OrderViolation> {
    let mut last_of_sender: AddressMap<&OrderedTx> = AddressMap::default();
    for tx in transactions {
        let Some(last) = last_of_sender.insert(tx.sender, tx) else {
            continue;
        };
        if tx.nonce <= last.nonce {
            return Err(OrderViolation::Nonce {
                before: Box::new(*last),
                after: Box::new(*tx),
            });
        }
        if tx.nonce - last.nonce > 1 {
            return Err(OrderViolation::NonceGap {
                before: Box::new(*last),
                after: Box::new(*tx),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
