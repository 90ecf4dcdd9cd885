//! Finds members of a JSON object without parsing it.
//!
//! A payload of 25,000 transactions is ten megabytes of which a handful of bytes are of interest while
//! the clock runs. Strings, which are nearly all of it, are crossed with `memchr`; what lies between
//! them is looked at byte by byte. Nothing is validated beyond what is needed to find the next member:
//! malformed text ends the iteration early, and the caller then misses what it needs.

use memchr::memchr2;

/// Names and values of an object's members, in order, as they stand in the text.
pub(crate) struct Members<'a> {
    text: &'a [u8],
    at: usize,
}

/// Members of `object`, whose first byte after white space must be `{`; else there are none.
pub(crate) fn members(object: &[u8]) -> Members<'_> {
    inside(object, b'{')
}

/// The value of `object`'s first member called `name`.
pub(crate) fn member<'a>(object: &'a [u8], name: &str) -> Option<&'a [u8]> {
    members(object).find_map(|(found, value)| (found == name.as_bytes()).then_some(value))
}

/// Values of `array`, in order, as they stand in the text.
pub(crate) struct Elements<'a>(Members<'a>);

/// Elements of `array`, whose first byte after white space must be `[`; else there are none.
pub(crate) fn elements(array: &[u8]) -> Elements<'_> {
    Elements(inside(array, b'['))
}

/// The content of a JSON string without escapes.
pub(crate) fn string(value: &[u8]) -> Option<&str> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    core::str::from_utf8(inner).ok()
}

/// A quantity: a JSON string of hex digits with `0x`.
pub(crate) fn quantity(value: &[u8]) -> Option<u64> {
    u64::from_str_radix(string(value)?.strip_prefix("0x")?, 16).ok()
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.value()?;
        let name = name.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Some((name, self.value()?))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        self.0.value()
    }
}

impl<'a> Members<'a> {
    /// The next string, number, object or array; none at the end.
    fn value(&mut self) -> Option<&'a [u8]> {
        let separators = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b':');
        let rest = self.text.get(self.at..)?;
        let start = self.at + rest.iter().position(|byte| !separators(byte))?;
        let end = value_end(self.text, start)?;
        self.at = end;
        self.text.get(start..end)
    }
}

fn inside(text: &[u8], open: u8) -> Members<'_> {
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace());
    let at = match start {
        Some(start) if text[start] == open => start + 1,
        _ => text.len(),
    };
    Members { text, at }
}

/// Where the value that begins at `start` ends; none at a closing bracket.
fn value_end(text: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match *text.get(at)? {
            b'"' => {
                at = string_end(text, at + 1)?;
                if depth == 0 {
                    return Some(at);
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return (at > start).then_some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' if depth == 0 => return Some(at),
            byte if depth == 0 && byte.is_ascii_whitespace() => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// One past the quote that closes the string whose content begins at `at`.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = at + memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[found] == b'"' {
            return Some(found + 1);
        }
        at = found + 2;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        br#" {"id": 7, "a" :"x\"}\\","b":{"c":["0x1",{"d":"]"}],"e":null},"f":[],"g":true}"#;

    #[test]
    fn members_come_as_they_stand() {
        let found: Vec<_> = members(TEXT)
            .map(|(name, value)| {
                (
                    core::str::from_utf8(name).unwrap(),
                    core::str::from_utf8(value).unwrap(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("id", "7"),
                ("a", r#""x\"}\\""#),
                ("b", r#"{"c":["0x1",{"d":"]"}],"e":null}"#),
                ("f", "[]"),
                ("g", "true"),
            ]
        );
        assert_eq!(member(member(TEXT, "b").unwrap(), "e").unwrap(), b"null");
        assert!(member(TEXT, "c").is_none());
    }

    #[test]
    fn elements_are_counted_without_their_content() {
        let array = br#"["0x7e01", "0x02",["0x03","x"], {} ,5]"#;
        assert_eq!(elements(array).count(), 5);
        assert_eq!(elements(b"[]").count(), 0);
        assert_eq!(elements(b"{}").count(), 0);
    }

    #[test]
    fn cut_text_ends_early_and_never_panics() {
        for end in 0..TEXT.len() {
            for (_, value) in members(&TEXT[..end]) {
                let _ = elements(value).count();
            }
        }
    }

    #[test]
    fn quantities_are_hex() {
        assert_eq!(quantity(br#""0x1a""#), Some(26));
        assert_eq!(quantity(br#""26""#), None);
        assert_eq!(quantity(b"26"), None);
    }
}
