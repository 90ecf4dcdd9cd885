use reth_optimism_chainspec::{BASE_MAINNET, OP_DEV, OP_MAINNET, OP_SEPOLIA, OpChainSpecBuilder};

use super::*;

#[test]
fn built_in_chains_have_their_forks_and_fees() {
    for (spec, chain_id) in [(&*OP_MAINNET, 10), (&*BASE_MAINNET, 8_453)] {
        let chain = rules(spec).unwrap();
        assert_eq!(chain.chain_id(), chain_id);
        assert_eq!(chain.genesis_hash(), spec.genesis_hash());
        assert_eq!(chain.fork_at(1_704_992_400), OpFork::Regolith);
        assert_eq!(chain.fork_at(1_704_992_401), OpFork::Canyon);
        assert_eq!(chain.fork_at(1_710_374_401), OpFork::Ecotone);
        assert_eq!(chain.fork_at(1_736_445_601), OpFork::Holocene);
        assert_eq!(chain.fork_at(1_746_806_401), OpFork::Isthmus);
        let fees = chain.optimism();
        assert_eq!((fees.elasticity, fees.denominator), (6, 50));
        assert_eq!(fees.denominator_canyon, Some(250));
    }
    let sepolia = rules(&OP_SEPOLIA).unwrap();
    assert_eq!(sepolia.chain_id(), 11_155_420);
    assert_eq!(sepolia.fork_at(1_744_905_600), OpFork::Isthmus);
    assert!(rules(&OP_DEV).unwrap().fork_at(0) >= OpFork::Isthmus);
}

#[test]
fn a_fork_of_the_future_is_refused_by_name() {
    let spec = OpChainSpecBuilder::optimism_mainnet()
        .interop_activated()
        .build();
    let refused = rules(&spec).unwrap_err().to_string();
    assert!(refused.contains("Lagoon"), "{refused}");
}
