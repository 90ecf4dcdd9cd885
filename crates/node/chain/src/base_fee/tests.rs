use alloy_eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};
use alloy_primitives::{Bytes, hex};
use proptest::prelude::*;

use super::*;
use crate::testing::{chain_at, chain_of, dev_document, read_gz_json, recorded_blocks};
use crate::{FeeParams, encode_extra_data};

const GENESIS_TIME: u64 = 1_700_000_000;

/// A parent two seconds after genesis.
fn parent(fork: OpFork, base_fee: u64, gas: (u64, u64), params: FeeParams) -> Header {
    let (gas_used, gas_limit) = gas;
    Header {
        timestamp: GENESIS_TIME + 2,
        base_fee_per_gas: Some(base_fee),
        gas_used,
        gas_limit,
        blob_gas_used: (fork >= OpFork::Ecotone).then_some(0),
        extra_data: encode_extra_data(fork, &params),
        ..Header::default()
    }
}

const fn params(denominator: u32, elasticity: u32, min_base_fee: u64) -> FeeParams {
    FeeParams {
        denominator,
        elasticity,
        min_base_fee,
    }
}

const OP: FeeParams = params(250, 6, 0);

fn next(fork: OpFork, parent: &Header) -> Result<u64, BaseFeeError> {
    chain_at(fork).next_base_fee(parent, parent.timestamp + 2)
}

#[test]
fn denominators_are_those_of_the_fork() {
    // A full block of 30 M gas: target 5 M, five targets too much.
    let full = (30_000_000, 30_000_000);
    let at = |fork| next(fork, &parent(fork, 1_000_000, full, params(100, 2, 0))).unwrap();
    assert_eq!(at(OpFork::Bedrock), 1_000_000 + 1_000_000 * 5 / 50);
    assert_eq!(at(OpFork::Regolith), 1_100_000);
    assert_eq!(at(OpFork::Canyon), 1_000_000 + 1_000_000 * 5 / 250);
    assert_eq!(at(OpFork::Granite), 1_020_000);
    assert_eq!(at(OpFork::Holocene), 1_000_000 + 1_000_000 / 100);
    assert_eq!(at(OpFork::Karst), 1_010_000);
}

#[test]
fn canyons_denominator_holds_in_its_first_block_holocenes_after_it() {
    let mut document = dev_document(OpFork::Regolith);
    for (field, time) in [
        ("canyonTime", 10),
        ("ecotoneTime", 20),
        ("fjordTime", 20),
        ("graniteTime", 20),
        ("holoceneTime", 20),
    ] {
        document["config"][field] = (GENESIS_TIME + time).into();
    }
    let chain = chain_of(&document);
    let full = (30_000_000, 30_000_000);
    let mut last_regolith = parent(OpFork::Regolith, 1_000_000, full, OP);
    last_regolith.timestamp = GENESIS_TIME + 8;
    assert_eq!(
        chain.next_base_fee(&last_regolith, GENESIS_TIME + 9),
        Ok(1_100_000)
    );
    assert_eq!(
        chain.next_base_fee(&last_regolith, GENESIS_TIME + 10),
        Ok(1_020_000)
    );
    let mut last_canyon = last_regolith;
    last_canyon.timestamp = GENESIS_TIME + 18;
    assert_eq!(
        chain.next_base_fee(&last_canyon, GENESIS_TIME + 20),
        Ok(1_020_000)
    );
    let mut first_holocene = parent(OpFork::Holocene, 1_000_000, full, params(100, 2, 0));
    first_holocene.timestamp = GENESIS_TIME + 20;
    assert_eq!(
        chain.next_base_fee(&first_holocene, GENESIS_TIME + 22),
        Ok(1_010_000)
    );
}

#[test]
fn jovian_meters_the_larger_of_gas_and_da_footprint() {
    let mut header = parent(OpFork::Jovian, 1_000_000, (0, 30_000_000), OP);
    assert_eq!(next(OpFork::Jovian, &header), Ok(996_000));
    header.blob_gas_used = Some(30_000_000);
    assert_eq!(next(OpFork::Jovian, &header), Ok(1_020_000));
    header.gas_used = 30_000_000;
    header.blob_gas_used = Some(0);
    assert_eq!(next(OpFork::Jovian, &header), Ok(1_020_000));
    header.blob_gas_used = None;
    assert_eq!(
        next(OpFork::Jovian, &header),
        Err(BaseFeeError::ParentBlobGasUsedMissing)
    );
    let isthmus = parent(OpFork::Isthmus, 1_000_000, (0, 30_000_000), OP);
    let with_blob_gas = Header {
        blob_gas_used: Some(30_000_000),
        ..isthmus
    };
    assert_eq!(
        next(OpFork::Isthmus, &with_blob_gas),
        Ok(996_000),
        "not before Jovian"
    );
}

#[test]
fn jovians_minimum_is_a_floor() {
    let floored = |base_fee, floor| {
        let header = parent(
            OpFork::Jovian,
            base_fee,
            (0, 30_000_000),
            params(250, 6, floor),
        );
        next(OpFork::Jovian, &header).unwrap()
    };
    assert_eq!(floored(1_000_000, 0), 996_000);
    assert_eq!(floored(1_000_000, 996_000), 996_000);
    assert_eq!(floored(1_000_000, 996_001), 996_001);
    assert_eq!(floored(0, 7), 7);
    assert_eq!(floored(1, u64::MAX), u64::MAX);
}

#[test]
fn parents_without_a_next_base_fee_are_told_apart() {
    let good = parent(OpFork::Holocene, 7, (1, 60), OP);
    let without = Header {
        base_fee_per_gas: None,
        ..good.clone()
    };
    assert_eq!(
        next(OpFork::Holocene, &without),
        Err(BaseFeeError::ParentBaseFeeMissing)
    );
    let bad_extra = Header {
        extra_data: Bytes::from(hex!("00000000fa000000")),
        ..good
    };
    assert!(matches!(
        next(OpFork::Holocene, &bad_extra),
        Err(BaseFeeError::ParentExtraData(ExtraDataError::Length { .. }))
    ));
    let tiny = Header {
        gas_limit: 5,
        ..good
    };
    assert_eq!(
        next(OpFork::Holocene, &tiny),
        Err(BaseFeeError::ZeroGasTarget {
            gas_limit: 5,
            elasticity: 6
        })
    );
    let unused = Header {
        gas_used: 0,
        ..tiny
    };
    assert_eq!(next(OpFork::Holocene, &unused), Ok(7));
    let huge = parent(OpFork::Holocene, u64::MAX, (60, 60), OP);
    assert_eq!(next(OpFork::Holocene, &huge), Err(BaseFeeError::Overflow));
}

proptest! {
    /// An independent implementation of EIP-1559 agrees wherever its arithmetic does not wrap.
    #[test]
    fn agrees_with_eip_1559(
        base_fee in 0..u64::from(u32::MAX),
        gas_limit in 1_000_000_u64..10_000_000_000,
        used in 0.0..=1.0_f64,
        denominator in 1_u32..1_000,
        elasticity in 1_u32..100,
    ) {
        let gas_used = (gas_limit as f64 * used) as u64;
        let header = parent(OpFork::Isthmus, base_fee, (gas_used, gas_limit), params(denominator, elasticity, 0));
        let reference = BaseFeeParams::new(denominator.into(), elasticity.into());
        prop_assert_eq!(
            isthmus().next_base_fee(&header, header.timestamp + 2),
            Ok(calc_next_block_base_fee(gas_used, gas_limit, base_fee, reference))
        );
    }

    /// The fee moves toward the demand, never by more than the parameters allow, never under the
    /// floor, and whatever the numbers, nothing panics.
    #[test]
    fn moves_within_bounds(
        base_fee: u64,
        gas in (any::<u64>(), any::<u64>()),
        footprint: u64,
        denominator in 1..=u32::MAX,
        elasticity in 1..=u32::MAX,
        floor: u64,
    ) {
        let (gas_used, gas_limit) = gas;
        let mut header = parent(OpFork::Jovian, base_fee, gas, params(denominator, elasticity, floor));
        header.blob_gas_used = Some(footprint);
        let target = gas_limit / u64::from(elasticity);
        let metered = gas_used.max(footprint);
        match jovian().next_base_fee(&header, header.timestamp + 2) {
            Ok(next) => {
                prop_assert!(next >= floor);
                if next > floor {
                    prop_assert_eq!(next.cmp(&base_fee).is_gt(), metered > target);
                    prop_assert!(next >= base_fee - base_fee / u64::from(denominator));
                }
            }
            Err(BaseFeeError::ZeroGasTarget { .. }) => prop_assert_eq!(target, 0),
            Err(error) => {
                prop_assert_eq!(error, BaseFeeError::Overflow);
                prop_assert!(metered > target);
            }
        }
    }
}

fn isthmus() -> &'static ChainSpec {
    static CHAIN: std::sync::OnceLock<ChainSpec> = std::sync::OnceLock::new();
    CHAIN.get_or_init(|| chain_at(OpFork::Isthmus))
}

fn jovian() -> &'static ChainSpec {
    static CHAIN: std::sync::OnceLock<ChainSpec> = std::sync::OnceLock::new();
    CHAIN.get_or_init(|| chain_at(OpFork::Jovian))
}

#[test]
fn real_blocks_op_mainnet_base_fees_follow_their_parents() {
    let Some(folder) = recorded_blocks() else {
        return;
    };
    let regolith = chain_at(OpFork::Regolith);
    let header =
        |value: &serde_json::Value| -> Header { serde_json::from_value(value.clone()).unwrap() };
    let block = |number: u64| read_gz_json(&folder.join(format!("op-mainnet/{number}.json.gz")));
    let full = |number| header(&block(number)["full_blocks"][0][1]);
    let mut pairs: Vec<_> = (109_279_674..109_279_681)
        .map(|number| (full(number), full(number + 1)))
        .collect();
    for number in [107_728_767, 109_194_691] {
        let document = block(number);
        let parent = header(&document["partial_blocks"][0][1]);
        pairs.push((parent, header(&document["full_blocks"][0][1])));
    }
    for (parent, child) in pairs {
        assert_eq!(parent.hash_slow(), child.parent_hash, "{}", child.number);
        assert_eq!(
            regolith.next_base_fee(&parent, child.timestamp).ok(),
            child.base_fee_per_gas,
            "{}",
            child.number
        );
        let context = regolith.context_for_header(&parent, &child).unwrap();
        assert_eq!(Some(context.base_fee), child.base_fee_per_gas);
    }
}
