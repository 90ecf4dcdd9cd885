#![doc = include_str!("../README.md")]

mod cached;

mod call;
pub use call::{CallOutcome, CallRequest, CallStatus, call};

mod env;
pub use env::spec_id;

mod error;
pub use error::ExecError;

mod estimate;
pub use estimate::{Estimate, estimate_gas};

mod executor;
pub use executor::Simulation;

mod fees;
pub use fees::{RollupFees, RollupParameters, RollupReceiptFields};

mod halt;

mod handler;

mod header;
pub use header::{BlockTotals, assemble_header, withdrawals_root};

mod import;
pub use import::{Executed, execute_block};

mod layer;

mod ledger;

mod log_bloom;

mod machine;

mod open_block;
pub use open_block::ExecBlock;

mod overrides;
pub use overrides::{AccountOverride, OverrideError};

mod precompiles;
pub use precompiles::KARST_BN254_PAIRING_INPUT_BYTES_MAX;

mod receipt;

mod simulate;
pub use simulate::{
    BlockCalls, BlockOverrides, InvalidMessage, SIMULATED_BLOCKS_MAX, SimulatedBlock,
    SimulatedCall, SimulationBase, SimulationError, SimulationHost, SimulationRequest, simulate,
};

mod system;

mod transfer_logs;

mod tx_env;

mod vaults;
