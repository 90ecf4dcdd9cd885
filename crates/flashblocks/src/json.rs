//! JSON text straight into a byte vector.

use alloy_primitives::{U256, hex};

/// Appends JSON tokens to a frame. Every value of the dialect is hex or a number, so nothing ever
/// needs escaping.
#[derive(Debug, Default)]
pub(crate) struct JsonWriter {
    out: Vec<u8>,
}

impl JsonWriter {
    /// An empty frame in `memory`, whatever that contains, with room for `capacity_bytes`.
    pub(crate) fn in_memory(memory: Vec<u8>, capacity_bytes: usize) -> Self {
        let mut json = Self { out: memory };
        json.clear();
        json.reserve(capacity_bytes);
        json
    }

    /// What was written so far.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// Bytes written so far.
    pub(crate) const fn len(&self) -> usize {
        self.out.len()
    }

    /// Makes room for `bytes` more.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.out.reserve(bytes);
    }

    /// Begins again, in the same memory.
    pub(crate) fn clear(&mut self) {
        self.out.clear();
    }

    /// The finished frame.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Literal JSON: punctuation and keys.
    pub(crate) fn raw(&mut self, text: &str) {
        self.raw_bytes(text.as_bytes());
    }

    /// Finished JSON.
    pub(crate) fn raw_bytes(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    /// Bytes as a `"0x…"` string, two digits a byte.
    pub(crate) fn hex(&mut self, bytes: &[u8]) {
        self.raw("\"0x");
        let start = self.out.len();
        self.out.resize(start + 2 * bytes.len(), b'0');
        hex::encode_to_slice(bytes, &mut self.out[start..])
            .expect("the target is twice as long as the bytes");
        self.out.push(b'"');
    }

    /// A quantity as a `"0x…"` string without leading zeros.
    pub(crate) fn quantity(&mut self, value: u64) {
        self.digits(&value.to_be_bytes(), value.leading_zeros() as usize / 4);
    }

    /// A 256-bit quantity as a `"0x…"` string without leading zeros.
    pub(crate) fn quantity_u256(&mut self, value: &U256) {
        match u64::try_from(value) {
            Ok(small) => self.quantity(small),
            Err(_) => self.digits(&value.to_be_bytes::<32>(), value.leading_zeros() / 4),
        }
    }

    /// A JSON number.
    pub(crate) fn number(&mut self, value: u64) {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut rest = value;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.out.extend_from_slice(&digits[at..]);
    }

    /// Items between brackets, separated by commas.
    pub(crate) fn list<I: IntoIterator>(
        &mut self,
        items: I,
        mut item: impl FnMut(&mut Self, I::Item),
    ) {
        self.raw("[");
        self.separated(items, &mut item);
        self.raw("]");
    }

    /// Entries between braces, separated by commas; `entry` writes key, colon and value.
    pub(crate) fn map<I: IntoIterator>(
        &mut self,
        entries: I,
        mut entry: impl FnMut(&mut Self, I::Item),
    ) {
        self.raw("{");
        self.separated(entries, &mut entry);
        self.raw("}");
    }

    fn separated<I: IntoIterator>(&mut self, items: I, write: &mut impl FnMut(&mut Self, I::Item)) {
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                self.raw(",");
            }
            write(self, item);
        }
    }

    /// Big-endian `bytes` as hex without the first `zeros` digits, but with one at least.
    fn digits(&mut self, bytes: &[u8], zeros: usize) {
        let mut digits = [0u8; 64];
        let digits = &mut digits[..2 * bytes.len()];
        hex::encode_to_slice(bytes, digits).expect("the target is twice as long as the bytes");
        let first = zeros.min(digits.len() - 1);
        self.raw("\"0x");
        self.out.extend_from_slice(&digits[first..]);
        self.out.push(b'"');
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut JsonWriter)) -> String {
        let mut writer = JsonWriter::in_memory(Vec::new(), 0);
        write(&mut writer);
        String::from_utf8(writer.into_bytes()).unwrap()
    }

    #[test]
    fn quantities_have_no_leading_zeros() {
        for value in [0, 1, 15, 16, 255, 0x0123_4567, u64::MAX] {
            assert_eq!(written(|w| w.quantity(value)), format!("\"0x{value:x}\""));
            assert_eq!(
                written(|w| w.quantity_u256(&U256::from(value))),
                format!("\"0x{value:x}\"")
            );
        }
        assert_eq!(
            written(|w| w.quantity_u256(&U256::MAX)),
            format!("\"0x{}\"", "f".repeat(64))
        );
    }

    #[test]
    fn numbers_are_decimal() {
        for value in [0, 7, 10, 99, 1_000_000, u64::MAX] {
            assert_eq!(written(|w| w.number(value)), value.to_string());
        }
    }

    #[test]
    fn hex_keeps_every_digit() {
        assert_eq!(written(|w| w.hex(&[])), "\"0x\"");
        assert_eq!(written(|w| w.hex(&[0, 0x0f, 0xa0])), "\"0x000fa0\"");
    }
}
