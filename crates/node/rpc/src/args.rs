//! Positional parameters, with the field's name in every complaint.

use jsonrpsee::types::Params;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::RpcError;

/// The parameters of one request. Absent `params`, `null` and `[]` are all none.
#[derive(Debug)]
pub(crate) struct Args(Vec<Box<RawValue>>);

impl Args {
    /// Takes a request's parameters.
    pub(crate) fn parse(params: &Params<'_>) -> Result<Self, RpcError> {
        if params.is_object() {
            return Err(RpcError::invalid("params", "must be a list"));
        }
        let list: Option<Vec<Box<RawValue>>> = params
            .parse()
            .map_err(|error| RpcError::invalid("params", detail(&error)))?;
        Ok(Self(list.unwrap_or_default()))
    }

    /// The parameter at `position`, which must be there.
    pub(crate) fn required<T: DeserializeOwned>(
        &self,
        position: usize,
        field: &'static str,
    ) -> Result<T, RpcError> {
        self.optional(position, field)?
            .ok_or_else(|| RpcError::invalid(field, "missing value"))
    }

    /// The parameter at `position`; absent and `null` are the same.
    pub(crate) fn optional<T: DeserializeOwned>(
        &self,
        position: usize,
        field: &'static str,
    ) -> Result<Option<T>, RpcError> {
        match self.0.get(position) {
            None => Ok(None),
            Some(raw) if raw.get() == "null" => Ok(None),
            Some(raw) => serde_json::from_str(raw.get())
                .map(Some)
                .map_err(|error| RpcError::invalid(field, error.to_string())),
        }
    }

    /// Refuses parameters nobody would look at.
    pub(crate) fn at_most(&self, count: usize) -> Result<(), RpcError> {
        if self.0.len() > count {
            return Err(RpcError::invalid(
                "params",
                format!("too many arguments, want at most {count}"),
            ));
        }
        Ok(())
    }
}

fn detail(error: &jsonrpsee::types::ErrorObjectOwned) -> String {
    error
        .data()
        .map_or_else(|| error.message().to_owned(), |data| data.get().to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn absent_null_and_empty_are_no_parameters() {
        for raw in [None, Some("null"), Some("[]")] {
            let args = Args::parse(&Params::new(raw)).unwrap();
            assert!(args.at_most(0).is_ok());
            assert_eq!(args.optional::<u64>(0, "x").unwrap(), None);
        }
    }

    #[test]
    fn complaints_name_the_field() {
        let args = Args::parse(&Params::new(Some(r#"["zz", null]"#))).unwrap();
        let wrong = args.required::<u64>(0, "address").unwrap_err().to_string();
        assert!(wrong.starts_with("invalid params: address: "), "{wrong}");
        let missing = args.required::<u64>(1, "block").unwrap_err().to_string();
        assert!(
            missing.starts_with("invalid params: block: missing"),
            "{missing}"
        );
        assert!(args.at_most(1).is_err());
        assert!(Args::parse(&Params::new(Some(r#"{"a":1}"#))).is_err());
    }
}
