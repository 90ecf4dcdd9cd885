//! Positional parameters, with the field's name in every complaint.

use alloy_primitives::FixedBytes;
use jsonrpsee::types::Params;
use serde_json::value::RawValue;

use crate::BlindError;

/// The parameters of one call. Absent `params`, `null` and `[]` are all none.
#[derive(Debug)]
pub(crate) struct Args(Vec<Box<RawValue>>);

impl Args {
    /// A call's parameters, of which there may be `count_max`.
    pub(crate) fn parse(params: &Params<'_>, count_max: usize) -> Result<Self, BlindError> {
        if params.is_object() {
            return Err(BlindError::param("params", "must be a list"));
        }
        let list: Result<Option<Vec<Box<RawValue>>>, _> = params.parse();
        let list = list.map_err(|_| BlindError::param("params", "must be a list"))?;
        let list = list.unwrap_or_default();
        if list.len() > count_max {
            let problem = format!("too many, want at most {count_max}");
            return Err(BlindError::param("params", problem));
        }
        Ok(Self(list))
    }

    /// The text of the parameter at `position`; `None` where it is absent or `null`.
    pub(crate) fn raw(&self, position: usize) -> Option<&str> {
        let raw = self.0.get(position)?.get();
        (raw != "null").then_some(raw)
    }

    /// Bytes as hex.
    pub(crate) fn bytes(
        &self,
        position: usize,
        field: &'static str,
    ) -> Result<Vec<u8>, BlindError> {
        let raw = self.raw(position);
        let raw = raw.ok_or_else(|| BlindError::param(field, "is missing"))?;
        let not_hex = || BlindError::param(field, "must be hex text with 0x before it");
        // No character of hex is ever escaped.
        let text = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
        let digits = text.and_then(|text| text.strip_prefix("0x"));
        // The decoder would pass over a second one.
        let digits = digits.filter(|digits| !digits.starts_with("0x"));
        alloy_primitives::hex::decode(digits.ok_or_else(not_hex)?).map_err(|_| not_hex())
    }

    /// Exactly `N` bytes as hex.
    pub(crate) fn fixed<const N: usize>(
        &self,
        position: usize,
        field: &'static str,
    ) -> Result<FixedBytes<N>, BlindError> {
        let bytes = self.bytes(position, field)?;
        FixedBytes::try_from(bytes.as_slice())
            .map_err(|_| BlindError::param(field, format!("must have {N} bytes")))
    }

    /// The same where there is any.
    pub(crate) fn optional_fixed<const N: usize>(
        &self,
        position: usize,
        field: &'static str,
    ) -> Result<Option<FixedBytes<N>>, BlindError> {
        self.raw(position)
            .map(|_| self.fixed(position, field))
            .transpose()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn problem(params: &str) -> String {
        let params = Params::new(Some(params));
        let fixed = Args::parse(&params, 1).and_then(|args| args.fixed::<2>(0, "field"));
        fixed.unwrap_err().to_string()
    }

    #[test]
    fn hex_of_the_right_length_is_taken_and_the_rest_named() {
        let params = Params::new(Some(r#"["0xAbcd"]"#));
        let args = Args::parse(&params, 1).unwrap();
        assert_eq!(args.fixed::<2>(0, "field").unwrap(), [0xab, 0xcd]);
        assert_eq!(args.optional_fixed::<2>(1, "more").unwrap(), None);
        for (params, said) in [
            ("[]", "field: is missing"),
            ("[null]", "field: is missing"),
            (r#"["abcd"]"#, "field: must be hex text"),
            (r#"["0xabc"]"#, "field: must be hex text"),
            (r#"["0x0xab"]"#, "field: must be hex text"),
            (r#"["0xabcdef"]"#, "field: must have 2 bytes"),
            (r#"["0x"]"#, "field: must have 2 bytes"),
            ("[7]", "field: must be hex text"),
            (r#"["0xabcd", 1]"#, "params: too many"),
            (r#"{"field": "0xabcd"}"#, "params: must be a list"),
        ] {
            let problem = problem(params);
            assert!(problem.starts_with(said), "{params}: {problem}");
        }
    }
}
