//! Fee suggestions and history.

use alloy_consensus::TxReceipt;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::U256;
use alloy_rpc_types_eth::FeeHistory;
use blockwright_types::SealedBlock;

use crate::{EthApi, RpcError};

/// Percentiles of one `eth_feeHistory`, as geth allows.
const PERCENTILES_MAX: usize = 100;

impl EthApi {
    /// `eth_gasPrice`: the next base fee plus the suggested tip.
    pub(crate) fn gas_price(&self) -> Result<U256, RpcError> {
        let block = self.block(BlockId::latest())?;
        let base_fee = self.next_base_fee(&block)?;
        Ok(U256::from(base_fee) + U256::from(self.tip_after(&block)))
    }

    /// `eth_maxPriorityFeePerGas`.
    pub(crate) fn max_priority_fee(&self) -> Result<U256, RpcError> {
        let block = self.block(BlockId::latest())?;
        Ok(U256::from(self.tip_after(&block)))
    }

    /// The tip that gets a transaction into the next block: the least while there is room, above
    /// the median of the last block when that was nine tenths full.
    fn tip_after(&self, block: &SealedBlock) -> u128 {
        let least = self.deps.limits.suggested_tip_wei;
        let header = &block.header;
        let crowded = u128::from(header.gas_used) * 10 >= u128::from(header.gas_limit) * 9;
        if !crowded {
            return least;
        }
        let median = tips_at(block, &[50.0]).first().copied().unwrap_or(0);
        least.max(median.saturating_add(median / 10))
    }

    fn next_base_fee(&self, block: &SealedBlock) -> Result<u64, RpcError> {
        let timestamp = block.header.timestamp.saturating_add(1);
        self.deps
            .chain
            .next_base_fee(&block.header, timestamp)
            .map_err(|error| RpcError::Internal(error.to_string()))
    }

    /// `eth_feeHistory`.
    pub(crate) fn fee_history(
        &self,
        count: u64,
        newest: BlockNumberOrTag,
        percentiles: Option<&[f64]>,
    ) -> Result<FeeHistory, RpcError> {
        check_percentiles(percentiles.unwrap_or_default())?;
        let newest = self.block(BlockId::Number(newest))?;
        let last = newest.header.number;
        let count = count
            .min(self.deps.limits.fee_history_blocks_max)
            .min(last.saturating_add(1));
        let mut history = FeeHistory {
            oldest_block: last.saturating_add(1).saturating_sub(count),
            ..FeeHistory::default()
        };
        if count == 0 {
            history.oldest_block = 0;
            return Ok(history);
        }
        let mut rewards = Vec::new();
        for number in history.oldest_block..=last {
            let block = self.block(BlockId::from(number))?;
            let header = &block.header;
            history
                .base_fee_per_gas
                .push(header.base_fee_per_gas.unwrap_or_default().into());
            history
                .gas_used_ratio
                .push(header.gas_used as f64 / header.gas_limit.max(1) as f64);
            if let Some(percentiles) = percentiles {
                rewards.push(tips_at(&block, percentiles));
            }
        }
        history
            .base_fee_per_gas
            .push(self.next_base_fee(&newest)?.into());
        history.reward = percentiles.map(|_| rewards);
        Ok(history)
    }
}

fn check_percentiles(percentiles: &[f64]) -> Result<(), RpcError> {
    let field = "rewardPercentiles";
    if percentiles.len() > PERCENTILES_MAX {
        return Err(RpcError::invalid(
            field,
            format!("over the limit of {PERCENTILES_MAX}"),
        ));
    }
    if let Some(bad) = percentiles.iter().find(|p| !(0.0..=100.0).contains(*p)) {
        return Err(RpcError::invalid(
            field,
            format!("{bad} is not in 0 to 100"),
        ));
    }
    if percentiles.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err(RpcError::invalid(field, "must not decrease"));
    }
    Ok(())
}

/// Effective tips of a block's signed transactions at percentiles of the gas they used; zeros where
/// there are none.
fn tips_at(block: &SealedBlock, percentiles: &[f64]) -> Vec<u128> {
    let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
    let mut gas_before = 0;
    let mut tips: Vec<(u128, u64)> = Vec::new();
    for (tx, receipt) in block.transactions().zip(block.receipts()) {
        let gas = receipt.cumulative_gas_used().saturating_sub(gas_before);
        gas_before = receipt.cumulative_gas_used();
        if !tx.is_deposit() {
            tips.push((tx.effective_tip(base_fee).unwrap_or_default(), gas));
        }
    }
    tips.sort_unstable();
    let all_gas: u64 = tips.iter().map(|(_, gas)| gas).sum();
    let mut at = 0;
    let mut gas_so_far = tips.first().map_or(0, |(_, gas)| *gas);
    percentiles
        .iter()
        .map(|percentile| {
            let threshold = (all_gas as f64 * percentile / 100.0) as u64;
            while gas_so_far < threshold && at + 1 < tips.len() {
                at += 1;
                gas_so_far += tips[at].1;
            }
            tips.get(at).map_or(0, |(tip, _)| *tip)
        })
        .collect()
}
