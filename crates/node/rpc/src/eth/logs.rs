//! Logs.

use alloy_consensus::TxReceipt;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log};

use crate::overlay::{Moment, Shown};
use crate::{EthApi, RpcError};

impl EthApi {
    /// `eth_getLogs`: bounded in blocks and in logs.
    pub(crate) fn logs(&self, filter: &Filter) -> Result<Vec<Log>, RpcError> {
        let mut logs = Vec::new();
        let (from, to) = match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let id = BlockId::from(hash);
                let shown = self.shown(self.state_id(id));
                let shown = shown.ok_or(RpcError::UnknownBlock(id))?;
                self.collect(&shown, filter, &mut logs)?;
                return Ok(logs);
            }
            FilterBlockOption::Range {
                from_block,
                to_block,
            } => {
                let from = from_block.unwrap_or_default();
                // A range that begins there has no other end.
                let end = match from {
                    BlockNumberOrTag::Pending => from,
                    _ => BlockNumberOrTag::Latest,
                };
                (from, to_block.unwrap_or(end))
            }
        };
        let names_pending = [from, to].contains(&BlockNumberOrTag::Pending);
        let moment = if names_pending {
            self.moment()
        } else {
            self.unasked_moment()
        };
        let (from, to) = (self.bound(from, &moment)?, self.bound(to, &moment)?);
        if from > to {
            return Err(RpcError::invalid(
                "filter",
                format!("fromBlock {from} is after toBlock {to}"),
            ));
        }
        let head = moment.head.number;
        let most = self.deps.limits.logs_blocks_max;
        let stored_to = to.min(head);
        if stored_to.saturating_sub(from) >= most {
            return Err(RpcError::LimitExceeded(format!(
                "block range {from} to {stored_to} exceeds the limit of {most} blocks"
            )));
        }
        for number in from..=stored_to {
            let block = self.block(BlockId::from(number))?;
            self.collect(&Shown::Stored(block), filter, &mut logs)?;
        }
        if names_pending {
            let mut above: Vec<Shown> = moment.preconfirmed().collect();
            above.reverse();
            for shown in above {
                let number = shown.block().header.number;
                if (from..=to).contains(&number) {
                    self.collect(&shown, filter, &mut logs)?;
                }
            }
        }
        Ok(logs)
    }

    fn bound(&self, tag: BlockNumberOrTag, moment: &Moment) -> Result<u64, RpcError> {
        match tag {
            BlockNumberOrTag::Number(number) => Ok(number),
            BlockNumberOrTag::Latest => Ok(moment.head.number),
            BlockNumberOrTag::Pending => {
                let newest = moment.preconfirmed().next();
                Ok(newest.map_or(moment.head.number, |shown| shown.block().header.number))
            }
            other => {
                let block = self.block(BlockId::Number(other))?;
                Ok(block.header.number)
            }
        }
    }

    fn collect(&self, shown: &Shown, filter: &Filter, logs: &mut Vec<Log>) -> Result<(), RpcError> {
        logs.extend(block_logs(shown, filter, false));
        let most = self.deps.limits.logs_count_max;
        if logs.len() > most {
            return Err(RpcError::LimitExceeded(format!(
                "query returns more than {most} logs, narrow the range"
            )));
        }
        Ok(())
    }
}

/// The logs of a block that match the filter's addresses and topics.
pub(crate) fn block_logs(shown: &Shown, filter: &Filter, removed: bool) -> Vec<Log> {
    logs_from(shown, 0, filter, removed)
}

/// The same of its transactions from position `first` on.
pub(crate) fn logs_from(shown: &Shown, first: usize, filter: &Filter, removed: bool) -> Vec<Log> {
    let block = shown.block();
    if !filter.matches_bloom(block.header.logs_bloom) {
        return Vec::new();
    }
    let (block_hash, header) = (Some(shown.receipt_hash()), &block.header);
    let mut found = Vec::new();
    let mut log_index = 0;
    for (index, (tx, receipt)) in block.transactions().zip(block.receipts()).enumerate() {
        if index < first {
            log_index += receipt.logs().len() as u64;
            continue;
        }
        for log in receipt.logs() {
            if filter.matches_address(log.address) && filter.matches_topics(log.topics()) {
                found.push(Log {
                    inner: log.clone(),
                    block_hash,
                    block_number: Some(header.number),
                    block_timestamp: Some(header.timestamp),
                    transaction_hash: Some(tx.hash),
                    transaction_index: Some(index as u64),
                    log_index: Some(log_index),
                    removed,
                });
            }
            log_index += 1;
        }
    }
    found
}
