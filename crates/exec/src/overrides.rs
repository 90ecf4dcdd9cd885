//! State that is different for a call or for a simulated block.

use alloy_primitives::map::{AddressMap, AddressSet, U256Map};
use alloy_primitives::{Address, Bytes, U256};
use revm::database_interface::{Database, DatabaseRef};
use revm::state::Bytecode;

use crate::error::ExecError;
use crate::layer::Layer;
use crate::machine::Machine;
use crate::precompiles::BlockPrecompiles;

/// An account that is different for one message or from one simulated block on.
///
/// An override of any kind takes away the precompile at the account's address: what runs there is the
/// account's code.
#[derive(Clone, Debug, Default)]
pub struct AccountOverride {
    /// Balance in wei.
    pub balance: Option<U256>,
    /// Nonce.
    pub nonce: Option<u64>,
    /// Code.
    pub code: Option<Bytes>,
    /// The whole storage (`state`): slots not named are zero.
    pub state: Option<U256Map<U256>>,
    /// Single slots (`stateDiff`).
    pub state_diff: U256Map<U256>,
    /// Where the precompile of this address is to be found instead (`movePrecompileToAddress`), for
    /// this message or this one block.
    pub move_precompile_to: Option<Address>,
}

/// Why overrides contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// There is no precompile to move.
    #[error("movePrecompileToAddress: account {0} is not a precompile")]
    NotPrecompile(Address),
    /// It would replace itself.
    #[error("movePrecompileToAddress: precompile {0} is moved to itself")]
    MovedOntoItself(Address),
    /// The place is taken by another override.
    #[error("movePrecompileToAddress: account {to} is already overridden")]
    MovedOntoOverridden {
        /// The place.
        to: Address,
    },
    /// Two precompiles are moved to one place.
    #[error("movePrecompileToAddress: two precompiles are moved to {to}")]
    MovedTwice {
        /// The place.
        to: Address,
    },
}

/// Lays `overrides` over the state and the precompiles of `machine`.
pub(crate) fn apply_overrides<R: DatabaseRef>(
    machine: &mut Machine<Layer<R>>,
    overrides: &AddressMap<AccountOverride>,
) -> Result<(), ExecError> {
    move_precompiles(machine.precompiles_mut(), overrides)?;
    for (address, account) in overrides {
        override_account(machine.db_mut(), *address, account)
            .map_err(|error| ExecError::Fault(Box::new(error)))?;
    }
    Ok(())
}

fn move_precompiles(
    precompiles: &mut BlockPrecompiles,
    overrides: &AddressMap<AccountOverride>,
) -> Result<(), OverrideError> {
    let mut places = AddressSet::default();
    for (from, account) in overrides {
        if let Some(to) = account.move_precompile_to {
            if !precompiles.of_fork(from) {
                return Err(OverrideError::NotPrecompile(*from));
            }
            if to == *from {
                return Err(OverrideError::MovedOntoItself(to));
            }
            if overrides.contains_key(&to) {
                return Err(OverrideError::MovedOntoOverridden { to });
            }
            if !places.insert(to) {
                return Err(OverrideError::MovedTwice { to });
            }
            precompiles.place(*from, to);
        }
        if precompiles.of_fork(from) {
            precompiles.remove(*from);
        }
    }
    Ok(())
}

fn override_account<R: DatabaseRef>(
    layer: &mut Layer<R>,
    address: Address,
    account: &AccountOverride,
) -> Result<(), R::Error> {
    let mut info = layer.basic(address)?.unwrap_or_default();
    if let Some(balance) = account.balance {
        info.balance = balance;
    }
    if let Some(nonce) = account.nonce {
        info.nonce = nonce;
    }
    if let Some(code) = &account.code {
        // What only looks like a delegation is code that begins with an invalid instruction.
        let code = Bytecode::new_raw_checked(code.clone())
            .unwrap_or_else(|_| Bytecode::new_legacy(code.clone()));
        info.code_hash = code.hash_slow();
        info.code = Some(code);
    }
    layer.set_account(address, info)?;
    if let Some(state) = &account.state {
        layer.clear_storage(address)?;
        for (slot, value) in state {
            layer.set_storage(address, *slot, *value)?;
        }
    }
    for (slot, value) in &account.state_diff {
        layer.set_storage(address, *slot, *value)?;
    }
    Ok(())
}
