use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{b256, hex};

use super::*;

/// Deposits that op-node v1.19.6 sent for block 1 of a chain with the fork at genesis.
const JOVIAN: &[u8] = &hex!(
    "7ef90106a01f67b5c517dcc518d0f4f1729c22c6227e6ef875a741fc93e75bf273c3dfcd5b94deaddeaddeaddeaddeaddeaddeaddeaddead00019442000000000000000000000000000000000000158080830f424080b8b23db6be2b00000558000c5fc50000000000000001000000006b016c740000000000000000000000000000000000000000000000000000000000000000000000003b9aca00000000000000000000000000000000000000000000000000000000000000000147eda39faf8a0283cf8c2b8f60a81fdec39ffe1c87d40fca000d7301acf7effb0000000000000000000000003c44cdddb6a900fa2b585dd299e03d12fa4293bc0000000000000000000000000190"
);
const ISTHMUS: &[u8] = &hex!(
    "7ef90104a01d954a4a4649e1e10e82ad20c4107daa5f19111f89c13f0f514efcc267275ed794deaddeaddeaddeaddeaddeaddeaddeaddead00019442000000000000000000000000000000000000158080830f424080b8b0098999be00000558000c5fc50000000000000001000000006b016e4c0000000000000000000000000000000000000000000000000000000000000000000000003b9aca000000000000000000000000000000000000000000000000000000000000000001103888b8f96c2767f7a5f058d2786281230affdc9903687c3c23687465fef9010000000000000000000000003c44cdddb6a900fa2b585dd299e03d12fa4293bc000000000000000000000000"
);

#[test]
fn deposits_are_op_nodes_byte_for_byte() {
    let jovian = L1Attributes {
        timestamp: 0x6b01_6c74,
        hash: b256!("47eda39faf8a0283cf8c2b8f60a81fdec39ffe1c87d40fca000d7301acf7effb"),
        da_footprint_gas_scalar: 0,
        ..default_l1_attributes()
    };
    let encoded = l1_info_deposit(OpFork::Jovian, &jovian, 1).encoded_2718();
    assert_eq!(hex::encode(encoded), hex::encode(JOVIAN));
    let isthmus = L1Attributes {
        timestamp: 0x6b01_6e4c,
        hash: b256!("103888b8f96c2767f7a5f058d2786281230affdc9903687c3c23687465fef901"),
        ..default_l1_attributes()
    };
    let encoded = l1_info_deposit(OpFork::Isthmus, &isthmus, 1).encoded_2718();
    assert_eq!(hex::encode(encoded), hex::encode(ISTHMUS));
}

#[test]
fn every_fork_has_its_calldata_and_gas() {
    for fork in OpFork::ALL {
        let deposit = l1_info_deposit(fork, &default_l1_attributes(), 3);
        let (format, read) = L1Attributes::parse(&deposit.input).unwrap();
        assert_eq!(format, L1AttributesFormat::of_fork(fork));
        assert_eq!(read.sequence_number, 3);
        assert_eq!(read.base_fee, U256::from(1_000_000_000_u64));
        assert_eq!(deposit.is_system_transaction, fork == OpFork::Bedrock);
        let gas = if fork == OpFork::Bedrock {
            150_000_000
        } else {
            1_000_000
        };
        assert_eq!(deposit.gas_limit, gas);
    }
}

#[test]
fn source_hashes_differ_block_by_block() {
    let at =
        |sequence| l1_info_deposit(OpFork::Karst, &default_l1_attributes(), sequence).source_hash;
    assert_ne!(at(0), at(1));
}
