//! What a subscriber may ask for in the query string.

use std::str::FromStr;

use blockwright_types::PayloadId;

use crate::content::{Content, DIALECTS, METADATA};
use crate::encoding::{ENCODINGS, Encoding};
use crate::entry::Form;
use crate::hub::Start;
use crate::position::LastSeen;

/// Values of `replay`.
const REPLAYS: [&str; 2] = ["block", "none"];

/// What a subscriber of the stream asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) form: Form,
    pub(crate) start: Start,
}

/// Reads a query string. Keys of the protocol must have a value that is served, so that nobody reads
/// one format as another. Other keys are ignored, like the path: consumers append what their
/// operators need.
///
/// # Errors
/// The text for the HTTP answer, naming the key.
pub(crate) fn parse(query: &str) -> Result<Asked, String> {
    let dialect = choice(query, "dialect", &DIALECTS)?;
    let metadata = choice(query, "metadata", &METADATA)?;
    let encoding = choice(query, "encoding", &ENCODINGS)?;
    let replay = choice(query, "replay", &REPLAYS)?;
    let start = match last_seen(query)? {
        Some(seen) => Start::After(seen),
        None if replay == "none" => Start::Now,
        None => Start::Block,
    };
    Ok(Asked {
        form: Form {
            content: Content::of(dialect, metadata),
            encoding: Encoding::of(encoding),
        },
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
        Some(text) => Some(PayloadId::from_str(text).map_err(|_| {
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
    use super::*;
    use crate::encoding::Codec;

    const BARE: Asked = Asked {
        form: Form {
            content: Content::V1Full,
            encoding: Encoding::Plain,
        },
        start: Start::Block,
    };

    #[test]
    fn a_bare_connection_and_foreign_keys_get_v1_text_from_the_blocks_start() {
        for query in [
            "",
            "dialect=v1&encoding=json&metadata=full",
            "token=abc",
            "replay=block&x",
        ] {
            assert_eq!(parse(query), Ok(BARE), "{query}");
        }
    }

    #[test]
    fn encodings_replay_and_position_are_understood() {
        let brotli = parse("encoding=brotli").unwrap();
        assert_eq!(brotli.form.encoding, Encoding::Packed(Codec::Brotli));
        let zstd = parse("x=1&encoding=zstd").unwrap();
        assert_eq!(zstd.form.encoding, Encoding::Packed(Codec::Zstd));
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
            ("dialect=v9", "dialect:"),
            ("a=b&encoding=gzip", "encoding:"),
            ("metadata=some", "metadata:"),
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
            assert!(parse(query).unwrap_err().starts_with(key), "{query}");
        }
    }
}
