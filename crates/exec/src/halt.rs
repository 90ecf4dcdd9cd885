//! Exceptional halts in the words that users of JSON-RPC know.

use op_revm::OpHaltReason;
use revm::context_interface::result::HaltReason;

/// What stopped a message.
pub(crate) fn halt_text(reason: OpHaltReason) -> String {
    let OpHaltReason::Base(reason) = reason else {
        return "failed deposit".to_owned();
    };
    let text = match reason {
        HaltReason::OutOfGas(_) => "out of gas",
        HaltReason::OpcodeNotFound | HaltReason::NotActivated => "invalid opcode",
        HaltReason::InvalidFEOpcode => "invalid opcode: INVALID",
        HaltReason::InvalidJump => "invalid jump destination",
        HaltReason::StackUnderflow => "stack underflow",
        HaltReason::StackOverflow => "stack limit reached",
        HaltReason::OutOfOffset => "return data out of bounds",
        HaltReason::CreateCollision => "contract address collision",
        HaltReason::NonceOverflow => "nonce uint64 overflow",
        HaltReason::CreateContractSizeLimit => "max code size exceeded",
        HaltReason::CreateContractStartingWithEF => "invalid code: must not begin with 0xef",
        HaltReason::CreateInitCodeSizeLimit => "max initcode size exceeded",
        HaltReason::StateChangeDuringStaticCall | HaltReason::CallNotAllowedInsideStatic => {
            "write protection"
        }
        HaltReason::OutOfFunds => "insufficient balance for transfer",
        HaltReason::CallTooDeep => "max call depth exceeded",
        other @ (HaltReason::PrecompileError
        | HaltReason::PrecompileErrorWithContext(_)
        | HaltReason::OverflowPayment) => return other.to_string(),
    };
    text.to_owned()
}
