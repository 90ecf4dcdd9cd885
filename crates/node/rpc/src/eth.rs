//! The methods, one file a concern.

mod accounts;
mod blocks;
mod call;
mod fees;
mod logs;
mod overrides;
mod receipts;
mod simulate;
mod submit;
mod submit_sync;
mod transaction_view;
mod transactions;

pub(crate) use blocks::{header_view, rpc_block};
pub(crate) use logs::{block_logs, logs_from};
pub(crate) use overrides::Overrides;
pub(crate) use submit::SEND_CONDITIONAL;
pub(crate) use submit_sync::SEND_SYNC;
pub(crate) use transaction_view::TransactionView;
pub(crate) use transactions::transactions_from;
