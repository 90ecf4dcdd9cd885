//! Domains and signing roots, as the consensus layer computes them.

use alloy_primitives::{Address, B256, FixedBytes};
use ethereum_hashing::hash32_concat;
use tree_hash::TreeHash;

/// What kind of message is signed.
pub type DomainType = FixedBytes<4>;

/// Messages of the builder's own protocol.
pub const DOMAIN_APPLICATION_BUILDER: DomainType = FixedBytes::new([0, 0, 0, 1]);

/// Beacon blocks, blinded or not.
pub const DOMAIN_BEACON_PROPOSER: DomainType = FixedBytes::new([0, 0, 0, 0]);

/// The chain that a signature is for. An OP chain has no beacon chain of its own: both parts are zero
/// unless proposer and builder agree on others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainDomain {
    /// Fork version.
    pub fork_version: FixedBytes<4>,
    /// Root of the validators at genesis.
    pub genesis_validators_root: B256,
}

impl ChainDomain {
    /// `compute_domain`: the type, then the first 28 bytes of the fork data's root.
    pub fn domain(&self, domain_type: DomainType) -> B256 {
        let version = padded(self.fork_version.as_slice());
        let fork_data_root = hash32_concat(&version, self.genesis_validators_root.as_slice());
        let mut domain = B256::ZERO;
        domain[..4].copy_from_slice(domain_type.as_slice());
        domain[4..].copy_from_slice(&fork_data_root[..28]);
        domain
    }
}

/// `compute_signing_root`: what is signed for the object with this hash tree root.
pub fn compute_signing_root(object_root: B256, domain: B256) -> B256 {
    hash32_concat(object_root.as_slice(), domain.as_slice()).into()
}

/// The hash tree root of a fee recipient, `Bytes20`.
pub fn fee_recipient_root(fee_recipient: Address) -> B256 {
    fee_recipient.0.tree_hash_root()
}

fn padded(bytes: &[u8]) -> [u8; 32] {
    let mut chunk = [0; 32];
    chunk[..bytes.len()].copy_from_slice(bytes);
    chunk
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    #[test]
    fn domains_and_roots_are_those_of_another_implementation() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/vectors.json");
        let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let domains = json["domains"].as_array().unwrap();
        assert_eq!(domains.len(), 4);
        for vector in domains {
            let text = |name: &str| vector[name].as_str().unwrap();
            let chain = ChainDomain {
                fork_version: text("forkVersion").parse().unwrap(),
                genesis_validators_root: text("genesisValidatorsRoot").parse().unwrap(),
            };
            let domain = chain.domain(text("domainType").parse().unwrap());
            assert_eq!(domain, text("domain").parse::<B256>().unwrap());
            let recipient = fee_recipient_root(text("feeRecipient").parse().unwrap());
            let expected: B256 = text("signingRoot").parse().unwrap();
            assert_eq!(compute_signing_root(recipient, domain), expected);
        }
    }

    /// The example of the protocol's text.
    #[test]
    fn a_fee_recipient_is_signed_for_the_builders_domain() {
        let domain = ChainDomain::default().domain(DOMAIN_APPLICATION_BUILDER);
        let recipient = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
            .parse()
            .unwrap();
        let root = compute_signing_root(fee_recipient_root(recipient), domain);
        let expected = "0x34aace42d63cd49be8afee1111c1ebcb1739b670eb3b01e54383fd916b01d06e";
        assert_eq!(root, expected.parse::<B256>().unwrap());
        assert_ne!(
            domain,
            ChainDomain::default().domain(DOMAIN_BEACON_PROPOSER)
        );
    }
}
