//! The families of methods, which a server has or has not.

use core::fmt;
use core::str::FromStr;

/// A family of methods: what stands before the underscore of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Chain, state, transactions, subscriptions.
    Eth,
    /// The network's id.
    Net,
    /// The client's version.
    Web3,
    /// What the rollup's nodes ask of each other.
    Op,
    /// The pool.
    Txpool,
    /// Limits of building.
    Miner,
    /// What proposers ask of a builder.
    Builder,
}

impl Namespace {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Eth,
        Self::Net,
        Self::Web3,
        Self::Op,
        Self::Txpool,
        Self::Miner,
        Self::Builder,
    ];

    /// What a server has where nothing else is asked for.
    pub const PUBLIC: [Self; 6] = [
        Self::Eth,
        Self::Net,
        Self::Web3,
        Self::Op,
        Self::Txpool,
        Self::Miner,
    ];

    /// What stands before the underscore.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eth => "eth",
            Self::Net => "net",
            Self::Web3 => "web3",
            Self::Op => "op",
            Self::Txpool => "txpool",
            Self::Miner => "miner",
            Self::Builder => "builder",
        }
    }

    /// Whether the method called `name` belongs to it.
    pub(crate) fn has(self, name: &str) -> bool {
        name.split_once('_')
            .is_some_and(|(before, _)| before == self.name())
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of theirs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown namespace {0:?}: there are eth, net, web3, op, txpool, miner and builder")]
pub struct UnknownNamespace(String);

impl FromStr for Namespace {
    type Err = UnknownNamespace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|namespace| namespace.name() == text)
            .ok_or_else(|| UnknownNamespace(text.to_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_has_the_methods_that_begin_with_it() {
        for namespace in Namespace::ALL {
            assert_eq!(
                namespace.to_string().parse::<Namespace>().unwrap(),
                namespace
            );
            let method = format!("{namespace}_method_more");
            for other in Namespace::ALL {
                assert_eq!(other.has(&method), other == namespace, "{other} {method}");
            }
        }
        assert!(!Namespace::Eth.has("eth"));
        assert!(!Namespace::Eth.has("ether_method"));
    }

    #[test]
    fn a_name_that_is_unknown_is_repeated_with_those_there_are() {
        let said = "admin".parse::<Namespace>().unwrap_err().to_string();
        assert!(said.contains("\"admin\""), "{said}");
        for namespace in Namespace::ALL {
            assert!(said.contains(namespace.name()), "{said}");
        }
    }
}
