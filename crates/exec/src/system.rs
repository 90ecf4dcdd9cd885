//! What happens in a block before its first transaction.

use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use alloy_primitives::{Address, B256, Bytes, address, b256};
use blockwright_types::{BlockContext, OpFork};
use op_revm::OpTransaction;
use revm::context::TxEnv;
use revm::database_interface::{Database, DatabaseRef};
use revm::handler::SystemCallTx;
use revm::state::Bytecode;

use crate::error::ExecError;
use crate::layer::Layer;
use crate::machine::{Machine, Run, RunError};

/// Where Canyon places the create2 deployer.
const CREATE2_DEPLOYER: Address = address!("13b0D85CcB8bf860b6b79AF3029fCA081AE9beF2");
const CREATE2_DEPLOYER_CODE_HASH: B256 =
    b256!("b0550b5b431e30d38000efb7107aaa0ade03d48a7198a140edda9d27134468b2");
/// Its code, as data of the protocol (optimism specs, "canyon/overview: create2Deployer").
static CREATE2_DEPLOYER_CODE: &[u8] = include_bytes!("../data/create2_deployer.bin");

/// Runs the system calls of the block and, in Canyon's activation block, deploys the create2
/// deployer.
pub(crate) fn open_block<R: DatabaseRef>(
    context: &BlockContext,
    machine: &mut Machine<Layer<R>>,
) -> Result<(), ExecError> {
    if context.fork >= OpFork::Isthmus {
        let hash = context.parent_hash;
        call(
            machine,
            "EIP-2935 block hashes",
            HISTORY_STORAGE_ADDRESS,
            hash,
        )?;
    }
    if context.fork >= OpFork::Ecotone {
        let root = context.parent_beacon_block_root.unwrap_or_default();
        call(machine, "EIP-4788 beacon roots", BEACON_ROOTS_ADDRESS, root)?;
    }
    if context.activates == Some(OpFork::Canyon) {
        deploy_create2_deployer(machine.db_mut())
            .map_err(|error| ExecError::Fault(Box::new(error)))?;
    }
    Ok(())
}

/// One system call. A call to an address without code succeeds and changes nothing, as both EIPs
/// want it.
fn call<R: DatabaseRef>(
    machine: &mut Machine<Layer<R>>,
    contract: &'static str,
    address: Address,
    word: B256,
) -> Result<(), ExecError> {
    let tx = OpTransaction::<TxEnv>::new_system_tx(address, Bytes::copy_from_slice(&word[..]));
    let ran = machine.run(Run::System(tx)).map_err(|error| match error {
        RunError::Fault(cause) => ExecError::Fault(cause),
        RunError::Invalid(error) => ExecError::SystemCall {
            contract,
            outcome: error.to_string(),
        },
    })?;
    if !ran.result.is_success() {
        return Err(ExecError::SystemCall {
            contract,
            outcome: format!("{:?}", ran.result),
        });
    }
    machine.db_mut().commit(ran.state);
    Ok(())
}

fn deploy_create2_deployer<R: DatabaseRef>(layer: &mut Layer<R>) -> Result<(), R::Error> {
    let mut info = layer.basic(CREATE2_DEPLOYER)?.unwrap_or_default();
    info.code_hash = CREATE2_DEPLOYER_CODE_HASH;
    info.code = Some(Bytecode::new_raw(Bytes::from_static(CREATE2_DEPLOYER_CODE)));
    layer.set_account(CREATE2_DEPLOYER, info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn create2_deployer_code_is_the_protocols() {
        assert_eq!(
            alloy_primitives::keccak256(CREATE2_DEPLOYER_CODE),
            CREATE2_DEPLOYER_CODE_HASH
        );
    }
}
