//! Which forms a server has.

use std::str::FromStr;

use blockwright_flashblocks::{Dialect, Form, MetadataDetail, UnknownName};

/// What subscribers may choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// Every form of flashblocks of ours.
    Any {
        /// The metadata of JSON frames where nothing is asked.
        metadata: MetadataDetail,
    },
    /// The one form that is relayed.
    Only(Form),
}

impl Served {
    /// The dialect of this name, or what is served where nothing is asked.
    ///
    /// # Errors
    /// The text for the HTTP answer, naming the key and what is served.
    pub(crate) fn dialect(&self, asked: Option<&str>) -> Result<Dialect, String> {
        let (default, only) = match self {
            Self::Any { .. } => (Dialect::default(), None),
            Self::Only(form) => (form.dialect(), Some(form.dialect())),
        };
        choice("dialect", asked, default, only)
    }

    /// The form of a dialect that is served, with the metadata of this name.
    ///
    /// # Errors
    /// As [`Self::dialect`].
    pub(crate) fn form(&self, dialect: Dialect, asked: Option<&str>) -> Result<Form, String> {
        let whole = MetadataDetail::Full;
        let (default, only) = match self {
            _ if dialect == Dialect::Spec => (whole, Some(whole)),
            Self::Any { metadata } => (*metadata, None),
            Self::Only(form) => (form.metadata(), Some(form.metadata())),
        };
        let metadata = choice("metadata", asked, default, only)?;
        Ok(Form::new(dialect, metadata))
    }
}

fn choice<T>(key: &str, asked: Option<&str>, default: T, only: Option<T>) -> Result<T, String>
where
    T: Copy + PartialEq + core::fmt::Display + FromStr<Err = UnknownName>,
{
    let Some(name) = asked else {
        return Ok(default);
    };
    let known = name.parse::<T>();
    match (known, only) {
        (Ok(value), None) => Ok(value),
        (Ok(value), Some(only)) if value == only => Ok(value),
        (Err(unknown), None) => Err(format!("{key}: served here: {}\n", unknown.expected)),
        (_, Some(only)) => Err(format!("{key}: served here: {only}\n")),
    }
}
