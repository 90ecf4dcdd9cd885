//! `miner_` methods that the builder answers in op-reth's place: what op-reth's do reaches nobody here.

use std::sync::Arc;

use alloy_primitives::U64;
use jsonrpsee::RpcModule;

/// Sets the limits of calldata, in bytes, a transaction's first; zero means none.
pub(crate) type SetDaLimits = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// `miner_setMaxDASize`, in force from the next transaction on, and `miner_setGasLimit`, which answers `false`: the
/// gas limit comes with the attributes.
///
/// # Errors
/// None that could happen: the names differ.
pub(crate) fn miner_methods(set_da_limits: SetDaLimits) -> eyre::Result<RpcModule<SetDaLimits>> {
    let mut module = RpcModule::new(set_da_limits);
    module.register_method("miner_setMaxDASize", |params, set_da_limits, _| {
        let (tx, block): (U64, U64) = params.parse()?;
        set_da_limits(tx.to(), block.to());
        Ok::<_, jsonrpsee::types::ErrorObjectOwned>(true)
    })?;
    module.register_method("miner_setGasLimit", |params, _, _| {
        params.one::<U64>().map(|_| false)
    })?;
    Ok(module)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
