//! The chain's rules as the builder has them, from what op-reth goes by: forks of built-in chains stand in its
//! code and not in their genesis documents.

use alloy_consensus::Header;
use blockwright_chain::{ChainRules, ChainSpec, OptimismParams};
use blockwright_types::OpFork;
use eyre::{WrapErr as _, ensure};
use reth_chainspec::{
    BaseFeeParams, EthChainSpec, EthereumHardfork, ForkCondition, Hardforks as _,
};
use reth_optimism_chainspec::OpChainSpec;

/// The rules of `spec`.
///
/// # Errors
/// Where a fork is scheduled that the builder does not know, or by block from Regolith on.
pub(crate) fn rules(spec: &OpChainSpec) -> eyre::Result<ChainSpec> {
    let times = fork_times(spec)?;
    let time_of = |fork| {
        times
            .iter()
            .find(|(known, _)| *known == fork)
            .map(|(_, time)| *time)
    };
    let before = spec.base_fee_params_at_timestamp(0);
    let since_canyon = time_of(OpFork::Canyon).map(|time| spec.base_fee_params_at_timestamp(time));
    let rules = ChainRules {
        chain_id: spec.chain().id(),
        optimism: OptimismParams {
            elasticity: within_u32(before.elasticity_multiplier, "elasticity")?,
            denominator: denominator(&before)?,
            denominator_canyon: since_canyon.as_ref().map(denominator).transpose()?,
        },
        genesis: Header::clone(spec.genesis_header()),
        genesis_hash: spec.genesis_hash(),
        times,
    };
    Ok(ChainSpec::from_rules(rules)?)
}

fn fork_times(spec: &OpChainSpec) -> eyre::Result<Vec<(OpFork, u64)>> {
    let mut times = Vec::new();
    for (fork, condition) in spec.forks_iter() {
        let name = fork.name();
        let known = name.parse::<OpFork>();
        match (known, condition) {
            // It may have come by block, and what is built comes after it.
            (Ok(OpFork::Bedrock), _) | (_, ForkCondition::Never) => {}
            (Ok(known), ForkCondition::Timestamp(time)) => times.push((known, time)),
            // Those are parts of the others.
            (Err(_), _) if name.parse::<EthereumHardfork>().is_ok() => {}
            (Ok(_), other) => eyre::bail!("fork {name}: {other:?} is no time"),
            (Err(_), _) => {
                eyre::bail!("fork {name} is scheduled, which this version does not know")
            }
        }
    }
    Ok(times)
}

fn denominator(params: &BaseFeeParams) -> eyre::Result<u32> {
    within_u32(params.max_change_denominator, "denominator")
}

fn within_u32(number: u128, name: &str) -> eyre::Result<u32> {
    ensure!(number > 0, "EIP-1559 {name} is 0");
    u32::try_from(number).wrap_err_with(|| format!("EIP-1559 {name} {number}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
