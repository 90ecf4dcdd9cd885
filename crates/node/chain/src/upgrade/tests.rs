use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{b256, hex};

use super::*;

#[test]
fn karst_has_31_deposits_as_op_node_sends_them() {
    let deposits = upgrade_deposits(OpFork::Karst).unwrap();
    assert_eq!(deposits.len(), 31);
    // The first two as recorded from op-node v1.19.6.
    assert_eq!(
        deposits[0].source_hash,
        b256!("7e71ceb6816466ed1bbe59fce31bab86fbb815adbca6d2587fa492f6eb6eba74")
    );
    assert_eq!(deposits[0].encoded_2718().len(), 1_617);
    assert_eq!(
        hex::encode(deposits[1].encoded_2718()),
        "7ef877a0d23869ff0fadabd720e471e24eebbcc2f319deb508dba9cd8effef8cd25dd55c94000000000000000000000000000000000000000094420000000000000000000000000000000000002c808083012cc880a43659cfe6000000000000000000000000906835344844979ffd3a752eaa23728d513db00b"
    );
}

#[test]
fn karsts_activation_block_gets_the_gas_of_its_deposits() {
    // op-node asked for 115,370,657 on a chain of 60,000,000.
    assert_eq!(upgrade_gas(OpFork::Karst).unwrap(), 55_370_657);
}

#[test]
fn other_forks_have_none_here() {
    for fork in OpFork::ALL {
        let count = upgrade_deposits(fork).unwrap().len();
        assert_eq!(count, if fork == OpFork::Karst { 31 } else { 0 }, "{fork}");
    }
}
