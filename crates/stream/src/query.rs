//! What a subscriber may ask for in the query string.

use std::str::FromStr as _;

use alloy_primitives::B64;
use blockwright_flashblocks::Form;
use blockwright_types::PayloadId;

use crate::encoding::{ENCODINGS, Encoding};
use crate::entry::Format;
use crate::hub::Start;
use crate::position::LastSeen;
use crate::served::Served;

/// Values of `replay`.
const REPLAYS: [&str; 2] = ["block", "none"];

/// What a subscriber of the stream asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) format: Format,
    pub(crate) start: Start,
}

/// Reads a query string. Keys of the protocol must have a value that is served, so that nobody reads
/// one format as another. Other keys are ignored, like the path: consumers append what their
/// operators need.
///
/// # Errors
/// The text for the HTTP answer, naming the key.
pub(crate) fn parse(query: &str, served: &Served) -> Result<Asked, String> {
    let dialect = served.dialect(value(query, "dialect"))?;
    let form = served.form(dialect, value(query, "metadata"))?;
    let encoding = Encoding::of(choice(query, "encoding", &ENCODINGS)?);
    if form == Form::Spec && encoding != Encoding::Plain {
        return Err("encoding: dialect spec is always SSZ, without compression\n".to_owned());
    }
    let replay = choice(query, "replay", &REPLAYS)?;
    let start = match last_seen(query)? {
        Some(seen) => Start::After(seen),
        None if replay == "none" => Start::Now,
        None => Start::Block,
    };
    Ok(Asked {
        format: Format { form, encoding },
        start,
    })
}

/// The last value of `key`.
fn value<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split('&').rev().find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == key).then_some(value)
    })
}

/// One of `served`; the first of them where nothing is asked.
fn choice<'a>(query: &'a str, key: &str, served: &[&'a str]) -> Result<&'a str, String> {
    match value(query, key) {
        None => Ok(served[0]),
        Some(value) if served.contains(&value) => Ok(value),
        Some(_) => Err(format!("{key}: served here: {}\n", served.join(", "))),
    }
}

fn last_seen(query: &str) -> Result<Option<LastSeen>, String> {
    let block_number = number(query, "block_number")?;
    let index = number(query, "flashblock_index")?;
    let payload_id = match value(query, "payload_id") {
        None => None,
        Some(text) => Some(B64::from_str(text).map(PayloadId).map_err(|_| {
            "payload_id: 8 bytes in hex are expected, with 0x in front\n".to_owned()
        })?),
    };
    match (block_number, index) {
        (Some(block_number), Some(index)) => Ok(Some(LastSeen {
            block_number,
            index,
            payload_id,
        })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err("block_number: it is missing beside flashblock_index\n".to_owned()),
        (Some(_), None) => Err("flashblock_index: it is missing beside block_number\n".to_owned()),
    }
}

fn number(query: &str, key: &str) -> Result<Option<u64>, String> {
    value(query, key)
        .map(|text| {
            text.parse()
                .map_err(|_| format!("{key}: a decimal number is expected\n"))
        })
        .transpose()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use blockwright_flashblocks::MetadataDetail;

    use super::*;
    use crate::encoding::Codec;

    const BARE: Asked = Asked {
        format: Format {
            form: Form::V1(MetadataDetail::Full),
            encoding: Encoding::Plain,
        },
        start: Start::Block,
    };

    const ANY: Served = Served::Any {
        metadata: MetadataDetail::Full,
    };

    fn form(query: &str, served: &Served) -> Form {
        parse(query, served).unwrap().format.form
    }

    #[test]
    fn a_bare_connection_and_foreign_keys_get_v1_text_from_the_blocks_start() {
        for query in [
            "",
            "dialect=v1&encoding=json&metadata=full",
            "token=abc",
            "replay=block&x",
        ] {
            assert_eq!(parse(query, &ANY), Ok(BARE), "{query}");
        }
    }

    #[test]
    fn every_form_has_its_query() {
        for served in Form::ALL {
            let (dialect, metadata) = (served.dialect(), served.metadata());
            let query = format!("dialect={dialect}&metadata={metadata}");
            assert_eq!(form(&query, &ANY), served);
            // A relay of this form serves it, asked or not, and nothing else.
            let only = Served::Only(served);
            assert_eq!(form(&query, &only), served);
            assert_eq!(form("", &only), served);
            for other in Form::ALL.into_iter().filter(|other| *other != served) {
                let query = format!("dialect={}&metadata={}", other.dialect(), other.metadata());
                let said = parse(&query, &only).unwrap_err();
                let names = if other.dialect() == dialect {
                    format!("metadata: served here: {metadata}\n")
                } else {
                    format!("dialect: served here: {dialect}\n")
                };
                assert_eq!(said, names, "{query}");
            }
        }
    }

    #[test]
    fn the_default_metadata_is_the_servers() {
        let minimal = Served::Any {
            metadata: MetadataDetail::Minimal,
        };
        assert_eq!(form("", &minimal), Form::V1(MetadataDetail::Minimal));
        let full = form("metadata=full", &minimal);
        assert_eq!(full, Form::V1(MetadataDetail::Full));
        assert_eq!(form("dialect=spec", &minimal), Form::Spec);
    }

    #[test]
    fn encodings_replay_and_position_are_understood() {
        let parse = |query| parse(query, &ANY);
        let brotli = parse("encoding=brotli&dialect=subblocks").unwrap();
        assert_eq!(brotli.format.encoding, Encoding::Packed(Codec::Brotli));
        let zstd = parse("x=1&encoding=zstd").unwrap();
        assert_eq!(zstd.format.encoding, Encoding::Packed(Codec::Zstd));
        assert_eq!(parse("replay=none").unwrap().start, Start::Now);
        let seen = LastSeen {
            block_number: 100,
            index: 3,
            payload_id: None,
        };
        let resumed = parse("block_number=100&flashblock_index=3&replay=none").unwrap();
        assert_eq!(resumed.start, Start::After(seen));
        let told = parse("block_number=100&flashblock_index=3&payload_id=0x0a0a0a0a0a0a0a0a");
        let payload_id = Some(PayloadId::new([10; 8]));
        assert_eq!(
            told.unwrap().start,
            Start::After(LastSeen { payload_id, ..seen })
        );
    }

    #[test]
    fn other_values_are_refused_by_name() {
        for (query, key) in [
            ("dialect=v9", "dialect: served here: v1, subblocks, spec"),
            ("a=b&encoding=gzip", "encoding:"),
            ("encoding=zstd&dialect=spec", "encoding:"),
            ("encoding=brotli&dialect=spec", "encoding:"),
            (
                "metadata=some",
                "metadata: served here: full, minimal, empty",
            ),
            (
                "metadata=minimal&dialect=spec",
                "metadata: served here: full\n",
            ),
            ("replay", "replay:"),
            ("block_number=1", "flashblock_index:"),
            ("flashblock_index=1", "block_number:"),
            ("block_number=0x1&flashblock_index=1", "block_number:"),
            ("block_number=1&flashblock_index=-1", "flashblock_index:"),
            (
                "block_number=1&flashblock_index=1&payload_id=7",
                "payload_id:",
            ),
        ] {
            let said = parse(query, &ANY).unwrap_err();
            assert!(said.starts_with(key), "{query}: {said}");
        }
    }
}
