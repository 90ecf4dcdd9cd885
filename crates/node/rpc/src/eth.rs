//! The methods, one file a concern.

mod accounts;
mod blocks;
mod call;
mod fees;
mod logs;
mod receipts;
mod submit;
mod transactions;

pub(crate) use blocks::header_view;
pub(crate) use logs::block_logs;
pub(crate) use submit::SEND_CONDITIONAL;
