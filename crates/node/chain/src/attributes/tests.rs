use alloy_primitives::{Address, b64, hex};
use alloy_rpc_types_engine::PayloadAttributes;

use super::*;
use crate::testing::{chain_at, child_of, op_sepolia_genesis, read_gz_json, recorded_blocks};

/// Attributes that are right under `fork`, two seconds after `parent`.
fn attributes(fork: OpFork, parent: &Header) -> OpPayloadAttributes {
    OpPayloadAttributes {
        payload_attributes: PayloadAttributes {
            timestamp: parent.timestamp + 2,
            prev_randao: B256::repeat_byte(1),
            suggested_fee_recipient: Address::repeat_byte(2),
            withdrawals: (fork >= OpFork::Canyon).then(Vec::new),
            parent_beacon_block_root: (fork >= OpFork::Ecotone).then_some(B256::repeat_byte(3)),
            ..PayloadAttributes::default()
        },
        gas_limit: Some(40_000_000),
        eip_1559_params: (fork >= OpFork::Holocene).then_some(B64::ZERO),
        min_base_fee: (fork >= OpFork::Jovian).then_some(9),
        ..OpPayloadAttributes::default()
    }
}

/// What comes of attributes under `fork` after a change.
fn with(
    fork: OpFork,
    change: impl FnOnce(&mut OpPayloadAttributes),
) -> Result<BlockContext, AttributesError> {
    let chain = chain_at(fork);
    let mut attributes = attributes(fork, chain.genesis_header());
    change(&mut attributes);
    chain.context_for_attributes(chain.genesis_header(), chain.genesis_hash(), &attributes)
}

#[test]
fn every_fork_makes_its_context() {
    for fork in OpFork::ALL {
        let chain = chain_at(fork);
        let context = with(fork, |_| {}).unwrap();
        let expected = BlockContext {
            chain_id: 901,
            fork,
            activates: None,
            parent_hash: chain.genesis_hash(),
            number: 1,
            timestamp: 1_700_000_002,
            fee_recipient: Address::repeat_byte(2),
            prev_randao: B256::repeat_byte(1),
            gas_limit: 40_000_000,
            base_fee: if fork < OpFork::Canyon {
                980_000_000
            } else {
                996_000_000
            },
            extra_data: if fork >= OpFork::Jovian {
                hex!("01000000fa000000060000000000000009").into()
            } else if fork >= OpFork::Holocene {
                hex!("00000000fa00000006").into()
            } else {
                Bytes::new()
            },
            parent_beacon_block_root: (fork >= OpFork::Ecotone).then_some(B256::repeat_byte(3)),
        };
        assert_eq!(context, expected, "{fork}");
    }
}

#[test]
fn parameters_stand_in_extra_data_as_given() {
    let context = with(OpFork::Karst, |attributes| {
        attributes.eip_1559_params = Some(b64!("0000000800000002"));
        attributes.min_base_fee = Some(u64::MAX);
    });
    assert_eq!(
        context.unwrap().extra_data.as_ref(),
        hex!("010000000800000002ffffffffffffffff")
    );
}

#[test]
fn each_attribute_has_its_error() {
    use AttributesError as E;
    use OpFork as F;
    assert_eq!(
        with(F::Karst, |a| a.payload_attributes.timestamp = 1_700_000_000),
        Err(E::Timestamp {
            timestamp: 1_700_000_000,
            parent: 1_700_000_000
        })
    );
    assert_eq!(
        with(F::Bedrock, |a| a.gas_limit = None),
        Err(E::GasLimitMissing)
    );
    assert_eq!(
        with(F::Karst, |a| a.gas_limit = Some(1 << 63)),
        Err(E::GasLimitTooLarge(1 << 63))
    );
    assert_eq!(
        with(F::Canyon, |a| a.payload_attributes.withdrawals = None),
        Err(E::WithdrawalsMissing(F::Canyon))
    );
    assert_eq!(
        with(F::Regolith, |a| a.payload_attributes.withdrawals =
            Some(Vec::new())),
        Err(E::WithdrawalsUnexpected(F::Regolith))
    );
    assert_eq!(
        with(F::Isthmus, |a| a.payload_attributes.withdrawals =
            Some(vec![Default::default(); 2])),
        Err(E::WithdrawalsNotEmpty(2))
    );
    assert_eq!(
        with(F::Ecotone, |a| a
            .payload_attributes
            .parent_beacon_block_root = None),
        Err(E::ParentBeaconBlockRootMissing(F::Ecotone))
    );
    assert_eq!(
        with(F::Canyon, |a| a
            .payload_attributes
            .parent_beacon_block_root =
            Some(B256::ZERO)),
        Err(E::ParentBeaconBlockRootUnexpected(F::Canyon))
    );
    assert_eq!(
        with(F::Holocene, |a| a.eip_1559_params = None),
        Err(E::Eip1559ParamsMissing(F::Holocene))
    );
    assert_eq!(
        with(F::Granite, |a| a.eip_1559_params = Some(B64::ZERO)),
        Err(E::Eip1559ParamsUnexpected(F::Granite))
    );
    for (encoded, denominator, elasticity) in [
        (b64!("0000000000000006"), 0, 6),
        (b64!("000000fa00000000"), 250, 0),
    ] {
        assert_eq!(
            with(F::Holocene, |a| a.eip_1559_params = Some(encoded)),
            Err(E::Eip1559ParamsHalfZero {
                denominator,
                elasticity
            })
        );
    }
    assert_eq!(
        with(F::Jovian, |a| a.min_base_fee = None),
        Err(E::MinBaseFeeMissing(F::Jovian))
    );
    assert_eq!(
        with(F::Isthmus, |a| a.min_base_fee = Some(0)),
        Err(E::MinBaseFeeUnexpected(F::Isthmus))
    );
}

#[test]
fn a_parent_without_a_next_block_is_told() {
    let chain = chain_at(OpFork::Karst);
    let last = Header {
        number: u64::MAX,
        ..child_of(&chain, chain.genesis_header())
    };
    let attributes = attributes(OpFork::Karst, &last);
    assert_eq!(
        chain.context_for_attributes(&last, last.hash_slow(), &attributes),
        Err(AttributesError::NumberOverflow)
    );
    let broken = Header {
        base_fee_per_gas: None,
        ..child_of(&chain, chain.genesis_header())
    };
    let result = chain.context_for_attributes(&broken, broken.hash_slow(), &attributes);
    assert_eq!(
        result,
        Err(AttributesError::BaseFee(BaseFeeError::ParentBaseFeeMissing))
    );
}

#[test]
fn messages_name_the_attribute_as_the_api_spells_it() {
    for (error, name) in [
        (AttributesError::GasLimitMissing, "gasLimit"),
        (
            AttributesError::WithdrawalsMissing(OpFork::Canyon),
            "withdrawals",
        ),
        (
            AttributesError::ParentBeaconBlockRootMissing(OpFork::Ecotone),
            "parentBeaconBlockRoot",
        ),
        (
            AttributesError::Eip1559ParamsMissing(OpFork::Holocene),
            "eip1559Params",
        ),
        (
            AttributesError::MinBaseFeeMissing(OpFork::Jovian),
            "minBaseFee",
        ),
    ] {
        assert!(error.to_string().starts_with(name), "{error}");
    }
}

#[test]
fn real_blocks_op_sepolia_attributes_give_the_recorded_headers() {
    let Some(folder) = recorded_blocks() else {
        return;
    };
    let chain = ChainSpec::from_genesis_json(&op_sepolia_genesis()).unwrap();
    let read =
        |number: u64| read_gz_json(&folder.join(format!("op-sepolia/block-{number}.json.gz")));
    let parent_of = |document: &serde_json::Value| -> Header {
        serde_json::from_value(document["parent_header"].clone()).unwrap()
    };
    for number in 26_207_960..26_207_963 {
        let (document, next) = (read(number), read(number + 1));
        let (parent, header) = (parent_of(&document), parent_of(&next));
        assert_eq!(
            format!("{:?}", header.hash_slow()),
            document["expected_block_hash"].as_str().unwrap()
        );
        let mut attributes: OpPayloadAttributes =
            serde_json::from_value(document["executing_payload"].clone()).unwrap();
        // The recording leaves the always empty list out.
        attributes.payload_attributes.withdrawals = Some(Vec::new());
        let context = chain
            .context_for_attributes(&parent, parent.hash_slow(), &attributes)
            .unwrap();
        assert_eq!(context.fork, OpFork::Holocene);
        assert_eq!(context, chain.context_for_header(&parent, &header).unwrap());
        assert_eq!(Some(context.base_fee), header.base_fee_per_gas);
        assert_eq!(context.extra_data, header.extra_data);
        let transactions = attributes.transactions.unwrap();
        chain.check_body(&header, &transactions, Some(0)).unwrap();
    }
}
