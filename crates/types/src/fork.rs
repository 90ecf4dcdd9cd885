//! The OP Stack's forks in activation order.

use core::fmt;
use core::str::FromStr;

/// A fork of the OP Stack. Ordered by activation, so `fork >= OpFork::Ecotone` reads as
/// "Ecotone's rules are in force".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpFork {
    /// Bedrock: the Merge rules with deposits.
    Bedrock,
    /// Regolith: deposit gas accounting and nonces.
    Regolith,
    /// Canyon: Shanghai rules, deposit receipt version, create2 deployer.
    Canyon,
    /// Ecotone: Cancun rules, blob-based L1 fees.
    Ecotone,
    /// Fjord: FastLZ L1 fees, P256 precompile.
    Fjord,
    /// Granite: bn254 pairing input limit.
    Granite,
    /// Holocene: EIP-1559 parameters in `extraData`.
    Holocene,
    /// Isthmus: Prague rules, withdrawals root from the message passer, operator fee.
    Isthmus,
    /// Jovian: DA footprint in `blobGasUsed`, minimum base fee.
    Jovian,
    /// Karst: Osaka rules.
    Karst,
}

impl OpFork {
    /// Every fork, oldest first.
    pub const ALL: [Self; 10] = [
        Self::Bedrock,
        Self::Regolith,
        Self::Canyon,
        Self::Ecotone,
        Self::Fjord,
        Self::Granite,
        Self::Holocene,
        Self::Isthmus,
        Self::Jovian,
        Self::Karst,
    ];

    /// Lower-case name as used in configuration and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bedrock => "bedrock",
            Self::Regolith => "regolith",
            Self::Canyon => "canyon",
            Self::Ecotone => "ecotone",
            Self::Fjord => "fjord",
            Self::Granite => "granite",
            Self::Holocene => "holocene",
            Self::Isthmus => "isthmus",
            Self::Jovian => "jovian",
            Self::Karst => "karst",
        }
    }
}

impl fmt::Display for OpFork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A fork name that is none of [`OpFork::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown fork {0:?}: expected one of bedrock, regolith, canyon, ecotone, fjord, granite, holocene, isthmus, jovian, karst"
)]
pub struct UnknownFork(pub String);

impl FromStr for OpFork {
    type Err = UnknownFork;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|fork| fork.name().eq_ignore_ascii_case(s))
            .ok_or_else(|| UnknownFork(s.to_owned()))
    }
}
