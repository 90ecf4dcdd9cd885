#![doc = include_str!("../README.md")]

mod backoff;
pub use backoff::Backoff;

mod block;
pub use block::{BlockPart, Flashblock, FlashblockBase, Roots, SealedBlock, UnrootedBlock};

mod budget;
pub use budget::{Budget, Dimension, Usage};

mod changes;
pub use changes::{AccountChange, AccountPost, Changes, NewCode};

mod context;
pub use context::{BlockContext, DEPOSIT_TX_TYPE, L1_BLOCK, L2_TO_L1_MESSAGE_PASSER};

mod error_chain;
pub use error_chain::error_chain;

mod fork;
pub use fork::{OpFork, UnknownFork};

mod outcome;
pub use outcome::{PayloadEnd, PayloadOutcome, Severity, SkipReason, StopReason, Verdict};

mod request;
pub use request::BuildRequest;

mod transaction;
pub use transaction::{RecoveredTx, SharedTx, TxDecodeError, decode_recovered};

mod transactions_json;

mod units;
pub use units::{DaBytes, Gas, UnixUs};

pub use alloy_rpc_types_engine::PayloadId;
