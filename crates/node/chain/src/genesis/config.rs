//! The `config` section: chain id, forks, EIP-1559 constants.

use blockwright_types::OpFork;

use super::GenesisError;
use super::fields::Fields;
use crate::{ForkSchedule, OptimismParams};

/// Ethereum forks that Bedrock contains; each must be active from block 0.
const REQUIRED_BLOCKS: [&str; 10] = [
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "istanbulBlock",
    "berlinBlock",
    "londonBlock",
    "bedrockBlock",
];

/// Forks by block that may be left out without effect on an OP Stack chain.
const OPTIONAL_BLOCKS: [&str; 5] = [
    "petersburgBlock",
    "muirGlacierBlock",
    "arrowGlacierBlock",
    "grayGlacierBlock",
    "mergeNetsplitBlock",
];

/// OP Stack forks by time, with the Ethereum fork each contains.
const TIMES: [(OpFork, &str, Option<&str>); 9] = [
    (OpFork::Regolith, "regolithTime", None),
    (OpFork::Canyon, "canyonTime", Some("shanghaiTime")),
    (OpFork::Ecotone, "ecotoneTime", Some("cancunTime")),
    (OpFork::Fjord, "fjordTime", None),
    (OpFork::Granite, "graniteTime", None),
    (OpFork::Holocene, "holoceneTime", None),
    (OpFork::Isthmus, "isthmusTime", Some("pragueTime")),
    (OpFork::Jovian, "jovianTime", None),
    (OpFork::Karst, "karstTime", Some("osakaTime")),
];

/// Times without a meaning for execution: Delta concerns batches, the others blobs.
const IGNORED_TIMES: [&str; 7] = [
    "deltaTime",
    "pectraBlobScheduleTime",
    "bpo1Time",
    "bpo2Time",
    "bpo3Time",
    "bpo4Time",
    "bpo5Time",
];

pub(super) struct Config {
    pub(super) chain_id: u64,
    pub(super) forks: ForkSchedule,
    pub(super) optimism: OptimismParams,
}

pub(super) fn read(config: &Fields<'_>) -> Result<Config, GenesisError> {
    let chain_id = checked_chain_id(config.path_of("chainId"), config.u64("chainId")?)?;
    // First of all: a genesis of another kind of chain should be told by what it lacks.
    let optimism = config.object("optimism")?;
    let forks = read_forks(config)?;
    check_unknown(config)?;
    let optimism = read_optimism(&optimism, &forks)?;
    check_blocks(config)?;
    check_merge(config)?;
    Ok(Config {
        chain_id,
        forks,
        optimism,
    })
}

/// The id, which is named `field` where it is none.
pub(super) fn checked_chain_id(field: String, chain_id: u64) -> Result<u64, GenesisError> {
    if chain_id == 0 {
        return Err(GenesisError::NotAllowed {
            field,
            reason: "must not be 0",
        });
    }
    Ok(chain_id)
}

fn check_blocks(config: &Fields<'_>) -> Result<(), GenesisError> {
    for field in REQUIRED_BLOCKS {
        at_genesis(field, config.u64(field)?)?;
    }
    for field in OPTIONAL_BLOCKS {
        if let Some(block) = config.u64_opt(field)? {
            at_genesis(field, block)?;
        }
    }
    Ok(())
}

const fn at_genesis(field: &'static str, block: u64) -> Result<(), GenesisError> {
    if block == 0 {
        Ok(())
    } else {
        Err(GenesisError::NotAtGenesis { field, block })
    }
}

fn check_merge(config: &Fields<'_>) -> Result<(), GenesisError> {
    const FIELD: &str = "terminalTotalDifficulty";
    if config.u64_opt(FIELD)?.is_some_and(|total| total != 0) {
        return Err(GenesisError::NotAllowed {
            field: config.path_of(FIELD),
            reason: "must be 0: there is no proof of work",
        });
    }
    Ok(())
}

fn read_forks(config: &Fields<'_>) -> Result<ForkSchedule, GenesisError> {
    let mut read = [None; OpFork::ALL.len()];
    for (fork, field, twin) in TIMES {
        let time = config.u64_opt(field)?;
        if let Some(twin) = twin
            && let Some(twin_time) = config.u64_opt(twin)?
            && Some(twin_time) != time
        {
            return Err(GenesisError::Twin {
                twin,
                twin_time,
                fork: field,
                fork_time: time,
            });
        }
        read[fork as usize] = time;
    }
    schedule(|fork| read[fork as usize])
}

/// The schedule with these times, Bedrock's left out. Errors name forks as `config` does.
pub(super) fn schedule(time: impl Fn(OpFork) -> Option<u64>) -> Result<ForkSchedule, GenesisError> {
    let mut times = [None; OpFork::ALL.len()];
    times[OpFork::Bedrock as usize] = Some(0);
    // The last fork seen and its time, once one is not scheduled.
    let mut previous: (&'static str, Option<u64>) = ("bedrockBlock", Some(0));
    for (fork, field, _) in TIMES {
        let time = time(fork);
        check_order(previous, (field, time))?;
        times[fork as usize] = time;
        if previous.1.is_some() {
            previous = (field, time);
        }
    }
    Ok(ForkSchedule::from_times(times))
}

const fn check_order(
    (earlier, earlier_time): (&'static str, Option<u64>),
    (later, later_time): (&'static str, Option<u64>),
) -> Result<(), GenesisError> {
    match (earlier_time, later_time) {
        (None, Some(_)) => Err(GenesisError::ForkMissing { earlier, later }),
        (Some(earlier_time), Some(later_time)) if later_time < earlier_time => {
            Err(GenesisError::ForkOrder {
                earlier,
                earlier_time,
                later,
                later_time,
            })
        }
        _ => Ok(()),
    }
}

/// Refuses scheduled forks of which nothing is known here, so that they are not missed silently.
fn check_unknown(config: &Fields<'_>) -> Result<(), GenesisError> {
    let known = |name: &str| {
        IGNORED_TIMES.contains(&name)
            || TIMES
                .iter()
                .any(|(_, field, twin)| *field == name || *twin == Some(name))
    };
    match config
        .names()
        .find(|name| name.ends_with("Time") && !known(name))
    {
        Some(name) => Err(GenesisError::UnknownFork {
            field: name.to_owned(),
        }),
        None => Ok(()),
    }
}

fn read_optimism(
    optimism: &Fields<'_>,
    forks: &ForkSchedule,
) -> Result<OptimismParams, GenesisError> {
    const CANYON: &str = "eip1559DenominatorCanyon";
    let denominator_canyon = optimism.positive_u32_opt(CANYON)?;
    if denominator_canyon.is_none() && forks.activation_time(OpFork::Canyon).is_some() {
        return Err(GenesisError::Missing {
            field: optimism.path_of(CANYON),
        });
    }
    Ok(OptimismParams {
        elasticity: optimism.positive_u32("eip1559Elasticity")?,
        denominator: optimism.positive_u32("eip1559Denominator")?,
        denominator_canyon,
    })
}
