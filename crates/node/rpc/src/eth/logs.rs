//! Logs.

use alloy_consensus::TxReceipt;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log};
use blockwright_types::SealedBlock;

use crate::{EthApi, RpcError};

impl EthApi {
    /// `eth_getLogs`: bounded in blocks and in logs.
    pub(crate) fn logs(&self, filter: &Filter) -> Result<Vec<Log>, RpcError> {
        let (from, to) = match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let block = self.block(BlockId::from(hash))?;
                let mut logs = Vec::new();
                self.collect(&block, filter, &mut logs)?;
                return Ok(logs);
            }
            FilterBlockOption::Range {
                from_block,
                to_block,
            } => (self.bound(from_block)?, self.bound(to_block)?),
        };
        if from > to {
            return Err(RpcError::invalid(
                "filter",
                format!("fromBlock {from} is after toBlock {to}"),
            ));
        }
        let to = to.min(self.block_number());
        let most = self.deps.limits.logs_blocks_max;
        if to.saturating_sub(from) >= most {
            return Err(RpcError::LimitExceeded(format!(
                "block range {from} to {to} exceeds the limit of {most} blocks"
            )));
        }
        let mut logs = Vec::new();
        for number in from..=to {
            let id = BlockId::from(number);
            let block = self.block(id)?;
            self.collect(&block, filter, &mut logs)?;
        }
        Ok(logs)
    }

    fn bound(&self, tag: Option<BlockNumberOrTag>) -> Result<u64, RpcError> {
        let tag = tag.unwrap_or_default();
        if let BlockNumberOrTag::Number(number) = tag {
            return Ok(number);
        }
        let id = BlockId::Number(tag);
        self.block(id).map(|block| block.header.number)
    }

    fn collect(
        &self,
        block: &SealedBlock,
        filter: &Filter,
        logs: &mut Vec<Log>,
    ) -> Result<(), RpcError> {
        logs.extend(block_logs(block, filter, false));
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
pub(crate) fn block_logs(block: &SealedBlock, filter: &Filter, removed: bool) -> Vec<Log> {
    let mut found = Vec::new();
    if !filter.matches_bloom(block.header.logs_bloom) {
        return found;
    }
    let mut log_index = 0;
    for (index, (tx, receipt)) in block.transactions().zip(block.receipts()).enumerate() {
        for log in receipt.logs() {
            if filter.matches_address(log.address) && filter.matches_topics(log.topics()) {
                found.push(Log {
                    inner: log.clone(),
                    block_hash: Some(block.hash),
                    block_number: Some(block.header.number),
                    block_timestamp: Some(block.header.timestamp),
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
