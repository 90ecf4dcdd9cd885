//! The names of payload versions.

use core::fmt;
use core::str::FromStr;

use blockwright_types::OpFork;

/// Which names the `version` of an answer has. The fork it tells is that of the *parent's* timestamp: a
/// proposer looks the parent up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VersionNames {
    /// Those that the proposers of today accept, whose table is upside down: `bedrock` from Ecotone on,
    /// `canyon` under Canyon, `ecotone` before.
    #[default]
    Legacy,
    /// The fork's own name, in lower case.
    Named,
}

impl VersionNames {
    /// The name for a block whose parent is of `fork`.
    pub const fn of(self, fork: OpFork) -> &'static str {
        match self {
            Self::Named => fork.name(),
            Self::Legacy => match fork {
                OpFork::Bedrock | OpFork::Regolith => "ecotone",
                OpFork::Canyon => "canyon",
                OpFork::Ecotone
                | OpFork::Fjord
                | OpFork::Granite
                | OpFork::Holocene
                | OpFork::Isthmus
                | OpFork::Jovian
                | OpFork::Karst => "bedrock",
            },
        }
    }
}

impl fmt::Display for VersionNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Legacy => "legacy",
            Self::Named => "named",
        })
    }
}

/// Neither `legacy` nor `named`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown version names {0:?}: expected legacy or named")]
pub struct UnknownVersionNames(String);

impl FromStr for VersionNames {
    type Err = UnknownVersionNames;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "legacy" => Ok(Self::Legacy),
            "named" => Ok(Self::Named),
            other => Err(UnknownVersionNames(other.to_owned())),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_living_proposers_table_is_upside_down() {
        for (fork, name) in OpFork::ALL.into_iter().zip([
            "ecotone", "ecotone", "canyon", "bedrock", "bedrock", "bedrock", "bedrock", "bedrock",
            "bedrock", "bedrock",
        ]) {
            assert_eq!(VersionNames::Legacy.of(fork), name, "{fork}");
            assert_eq!(VersionNames::Named.of(fork), fork.name());
        }
    }

    #[test]
    fn texts_are_read_as_they_are_written() {
        for names in [VersionNames::Legacy, VersionNames::Named] {
            assert_eq!(names.to_string().parse::<VersionNames>().unwrap(), names);
        }
        "Legacy".parse::<VersionNames>().unwrap_err();
    }
}
