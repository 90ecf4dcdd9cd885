use alloy_primitives::{B256, b256};

use super::*;
use crate::ChainSpec;
use crate::testing::chain_at;

/// op-geth's hash of the development genesis at timestamp 1,700,000,000 for each fork.
const HASHES: [(OpFork, B256); 10] = [
    (
        OpFork::Bedrock,
        b256!("b3541a286ba69fbbde2eb67180046bde9208cc2b20717282cc633f2dfebf21ee"),
    ),
    (
        OpFork::Regolith,
        b256!("b3541a286ba69fbbde2eb67180046bde9208cc2b20717282cc633f2dfebf21ee"),
    ),
    (
        OpFork::Canyon,
        b256!("17a133b46e7ffd7dbf533f656eb911f2bd517aac9ca1011f8bfdf7d8f755751e"),
    ),
    (
        OpFork::Ecotone,
        b256!("f8abbc2e7b49b06f4c07f7fb6185c1faea40690daaeef4ebac00cd100e3760e5"),
    ),
    (
        OpFork::Fjord,
        b256!("f8abbc2e7b49b06f4c07f7fb6185c1faea40690daaeef4ebac00cd100e3760e5"),
    ),
    (
        OpFork::Granite,
        b256!("f8abbc2e7b49b06f4c07f7fb6185c1faea40690daaeef4ebac00cd100e3760e5"),
    ),
    (
        OpFork::Holocene,
        b256!("00a4cd75b0397047ac2cac894caa9038018a001a93fe4bf3fde21648e8a759d1"),
    ),
    (
        OpFork::Isthmus,
        b256!("bc1b665083afecda59117ae1ea9ce586aa27cc3504ef70790908caad1acce73b"),
    ),
    (
        OpFork::Jovian,
        b256!("70fcb5cde064f3a3b04dac46f96dd6458f7a054090d2eade7d8143285ab050c9"),
    ),
    (
        OpFork::Karst,
        b256!("4c6d56d669862c5afc87f60ba9488627ee53628c9faff361a636464c5167bf53"),
    ),
];

#[test]
fn every_fork_has_op_geths_genesis_hash() {
    for (fork, hash) in HASHES {
        let chain = chain_at(fork);
        assert_eq!(chain.genesis_hash(), hash, "{fork}");
        assert_eq!(chain.fork_at(1_700_000_000), fork);
        assert_eq!(chain.fork_at(u64::MAX), fork);
    }
}

#[test]
fn knobs_reach_the_chain() {
    let extra = address!("00000000000000000000000000000000000000aa");
    let genesis = DevGenesis {
        chain_id: 77,
        gas_limit: 1_000_000_000,
        accounts: vec![extra],
        alloc: BTreeMap::from([(
            FEE_VAULT,
            GenesisAccount::default().with_balance(U256::from(5)),
        )]),
        ..DevGenesis::default()
    };
    let json = serde_json::to_vec(&genesis.build().unwrap()).unwrap();
    let chain = ChainSpec::from_genesis_json(&json).unwrap();
    assert_eq!(chain.chain_id(), 77);
    assert_eq!(chain.genesis_header().gas_limit, 1_000_000_000);
    let accounts = &chain.genesis_changes().accounts;
    assert_eq!(accounts[&extra].post.unwrap().balance, DEV_BALANCE);
    assert!(!accounts.contains_key(&dev_accounts()[0]));
    assert_eq!(accounts[&FEE_VAULT].post.unwrap().balance, U256::from(5));
    assert!(
        accounts[&FEE_VAULT].storage.is_empty(),
        "replaced, not merged"
    );
}

#[test]
fn l1_block_holds_the_scalars_where_execution_reads_them() {
    let l1_block = chain_at(OpFork::Karst).genesis_changes().accounts[&L1_BLOCK].clone();
    let slot = |slot: u64| l1_block.storage[&U256::from(slot)].to_be_bytes::<32>();
    // Offsets from the left, as the fee computation of Ecotone, Isthmus and Jovian has them.
    assert_eq!(slot(1)[24..], 1_000_000_000_u64.to_be_bytes());
    assert_eq!(slot(3)[16..20], 1_368_u32.to_be_bytes());
    assert_eq!(slot(3)[20..24], 810_949_u32.to_be_bytes());
    assert_eq!(slot(7)[31], 1);
    assert_eq!(slot(8)[18..20], 400_u16.to_be_bytes());
    assert_eq!(slot(8)[20..], [0; 12], "no operator fee");
}

#[test]
fn system_contracts_come_with_their_forks() {
    for fork in OpFork::ALL {
        let accounts = chain_at(fork).genesis_changes().accounts.clone();
        assert_eq!(
            accounts.contains_key(&BEACON_ROOTS_ADDRESS),
            fork >= OpFork::Ecotone
        );
        assert_eq!(
            accounts.contains_key(&HISTORY_STORAGE_ADDRESS),
            fork >= OpFork::Isthmus
        );
    }
}
