//! The precompiled contracts of each fork.

use std::sync::OnceLock;

use alloy_primitives::Address;
use alloy_primitives::map::AddressMap;
use blockwright_types::OpFork;
use op_revm::OpSpecId;
use op_revm::precompiles::OpPrecompiles;
use revm::context::Cfg;
use revm::context_interface::ContextTr;
use revm::handler::{EthPrecompiles, PrecompileProvider};
use revm::interpreter::{CallInputs, InterpreterResult};
use revm::precompile::{
    EthPrecompileResult, Precompile, PrecompileHalt, PrecompileId, Precompiles, bn254,
    eth_precompile_fn,
};
use revm::primitives::hardfork::SpecId;

use crate::env::spec_id;

/// Largest input of the bn254 pairing check from Karst, in bytes: 300 pairs of 192 bytes. op-revm
/// 20.0.0 as published keeps Jovian's 81,984.
pub const KARST_BN254_PAIRING_INPUT_BYTES_MAX: usize = 57_600;

const KARST_BN254_PAIRING: Precompile = Precompile::new(
    PrecompileId::Bn254Pairing,
    bn254::pair::ADDRESS,
    karst_bn254_pairing,
);

fn run_karst_bn254_pairing(input: &[u8], gas_limit: u64) -> EthPrecompileResult {
    if input.len() > KARST_BN254_PAIRING_INPUT_BYTES_MAX {
        return Err(PrecompileHalt::Bn254PairLength);
    }
    bn254::run_pair(
        input,
        bn254::pair::ISTANBUL_PAIR_PER_POINT,
        bn254::pair::ISTANBUL_PAIR_BASE,
        gas_limit,
    )
}

eth_precompile_fn!(karst_bn254_pairing, run_karst_bn254_pairing);

fn karst() -> &'static Precompiles {
    static INSTANCE: OnceLock<Precompiles> = OnceLock::new();
    INSTANCE.get_or_init(|| {
        let mut precompiles = op_revm::precompiles::karst().clone();
        precompiles.extend([KARST_BN254_PAIRING]);
        precompiles
    })
}

fn of_fork(fork: OpFork) -> &'static Precompiles {
    match fork {
        OpFork::Karst => karst(),
        earlier => OpPrecompiles::new_with_spec(spec_id(earlier)).precompiles(),
    }
}

/// The precompiles of one block. A block never changes its fork, so neither do they, except where
/// a call or a simulation overrides state.
#[derive(Clone, Debug)]
pub(crate) struct BlockPrecompiles {
    inner: EthPrecompiles,
    /// What is at an address instead of what the fork has there: the precompile of another address,
    /// or none. Always empty in blocks of the chain.
    overridden: AddressMap<Option<Address>>,
}

impl BlockPrecompiles {
    pub(crate) fn new(fork: OpFork) -> Self {
        Self {
            inner: EthPrecompiles {
                precompiles: of_fork(fork),
                // Unused: only `EthPrecompiles::set_spec` reads it, which is never called.
                spec: SpecId::default(),
            },
            overridden: AddressMap::default(),
        }
    }

    /// Whether the fork has a precompile at `address`, whatever was overridden since.
    pub(crate) fn of_fork(&self, address: &Address) -> bool {
        self.inner.contains(address)
    }

    /// Takes the precompile away from `address`: its account's code runs there.
    pub(crate) fn remove(&mut self, address: Address) {
        self.overridden.insert(address, None);
    }

    /// Puts the fork's precompile of `from` at `to` as well.
    pub(crate) fn place(&mut self, from: Address, to: Address) {
        self.overridden.insert(to, Some(from));
    }
}

impl<CTX> PrecompileProvider<CTX> for BlockPrecompiles
where
    CTX: ContextTr<Cfg: Cfg<Spec = OpSpecId>>,
{
    type Output = InterpreterResult;

    fn set_spec(&mut self, _spec: OpSpecId) -> bool {
        false
    }

    fn run(
        &mut self,
        context: &mut CTX,
        inputs: &CallInputs,
    ) -> Result<Option<InterpreterResult>, String> {
        match self.overridden.get(&inputs.bytecode_address) {
            None => self.inner.run(context, inputs),
            Some(None) => Ok(None),
            Some(Some(original)) => {
                let mut moved = inputs.clone();
                moved.bytecode_address = *original;
                self.inner.run(context, &moved)
            }
        }
    }

    fn warm_addresses(&self) -> Box<impl Iterator<Item = Address>> {
        self.inner.warm_addresses()
    }

    fn contains(&self, address: &Address) -> bool {
        match self.overridden.get(address) {
            None => self.inner.contains(address),
            Some(original) => original.is_some(),
        }
    }
}
