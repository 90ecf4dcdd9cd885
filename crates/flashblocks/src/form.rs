//! The forms in which one flashblock can be sent.

use core::fmt;
use core::str::FromStr;

/// How much a JSON frame's `metadata` tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetadataDetail {
    /// Block number, all balances of the block so far, the receipts of this flashblock.
    #[default]
    Full,
    /// `block_number` and `prev_flashblock_id` alone.
    Minimal,
    /// The keys of [`Self::Full`] with both maps empty, for consumers that require the keys.
    Empty,
}

impl MetadataDetail {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::Full, Self::Minimal, Self::Empty];

    /// The value's name in query strings and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Minimal => "minimal",
            Self::Empty => "empty",
        }
    }
}

/// The dialects that are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// JSON, what consumers read today.
    #[default]
    V1,
    /// The same JSON without the roots that need the state trie.
    Subblocks,
    /// SSZ with a hash chain.
    Spec,
}

impl Dialect {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::V1, Self::Subblocks, Self::Spec];

    /// The value's name in query strings and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Subblocks => "subblocks",
            Self::Spec => "spec",
        }
    }
}

/// A name that no value of a setting has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not one of {expected}")]
pub struct UnknownName {
    /// What was given.
    pub name: String,
    /// What would be understood.
    pub expected: &'static str,
}

impl FromStr for MetadataDetail {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|value| value.name() == name);
        found.ok_or_else(|| UnknownName {
            name: name.to_owned(),
            expected: "full, minimal, empty",
        })
    }
}

impl FromStr for Dialect {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|value| value.name() == name);
        found.ok_or_else(|| UnknownName {
            name: name.to_owned(),
            expected: "v1, subblocks, spec",
        })
    }
}

impl fmt::Display for MetadataDetail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which bytes a flashblock becomes, before compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Dialect `v1`.
    V1(MetadataDetail),
    /// Dialect `subblocks`.
    Subblocks(MetadataDetail),
    /// Dialect `spec`, whose metadata is always whole.
    Spec,
}

impl Form {
    /// Number of forms.
    pub const COUNT: usize = 7;

    /// Every form there is, by [`Self::place`].
    pub const ALL: [Self; Self::COUNT] = [
        Self::V1(MetadataDetail::Full),
        Self::V1(MetadataDetail::Minimal),
        Self::V1(MetadataDetail::Empty),
        Self::Subblocks(MetadataDetail::Full),
        Self::Subblocks(MetadataDetail::Minimal),
        Self::Subblocks(MetadataDetail::Empty),
        Self::Spec,
    ];

    /// The form of a dialect; `metadata` matters to the JSON dialects alone.
    pub const fn new(dialect: Dialect, metadata: MetadataDetail) -> Self {
        match dialect {
            Dialect::V1 => Self::V1(metadata),
            Dialect::Subblocks => Self::Subblocks(metadata),
            Dialect::Spec => Self::Spec,
        }
    }

    /// The dialect.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::V1(_) => Dialect::V1,
            Self::Subblocks(_) => Dialect::Subblocks,
            Self::Spec => Dialect::Spec,
        }
    }

    /// How much the metadata tells; that of `spec` is always whole.
    pub const fn metadata(self) -> MetadataDetail {
        match self {
            Self::V1(metadata) | Self::Subblocks(metadata) => metadata,
            Self::Spec => MetadataDetail::Full,
        }
    }

    /// Its place in [`Self::ALL`].
    pub const fn place(self) -> usize {
        match self {
            Self::V1(metadata) => metadata as usize,
            Self::Subblocks(metadata) => MetadataDetail::ALL.len() + metadata as usize,
            Self::Spec => Self::COUNT - 1,
        }
    }

    /// Whether the bytes are text (JSON, valid UTF-8).
    pub const fn is_text(self) -> bool {
        !matches!(self, Self::Spec)
    }
}

impl Default for Form {
    /// What a subscriber gets that asks for nothing.
    fn default() -> Self {
        Self::V1(MetadataDetail::Full)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_values() {
        for value in MetadataDetail::ALL {
            assert_eq!(value.to_string().parse(), Ok(value));
        }
        for value in Dialect::ALL {
            assert_eq!(value.to_string().parse(), Ok(value));
        }
        let error = "V1".parse::<Dialect>().unwrap_err();
        assert_eq!(error.to_string(), "`V1` is not one of v1, subblocks, spec");
        assert!("".parse::<MetadataDetail>().is_err());
    }

    #[test]
    fn every_dialect_and_detail_has_a_form() {
        for dialect in Dialect::ALL {
            for metadata in MetadataDetail::ALL {
                let form = Form::new(dialect, metadata);
                assert!(Form::ALL.contains(&form), "{form:?}");
                assert_eq!(form.dialect(), dialect);
                assert_eq!(form.is_text(), dialect != Dialect::Spec);
                let whole = dialect == Dialect::Spec;
                let detail = if whole {
                    MetadataDetail::Full
                } else {
                    metadata
                };
                assert_eq!(form.metadata(), detail);
            }
        }
    }

    #[test]
    fn every_form_is_at_its_place() {
        for (place, form) in Form::ALL.into_iter().enumerate() {
            assert_eq!(form.place(), place, "{form:?}");
        }
    }
}
