//! What continues a stream of flashblocks.

use core::fmt;
use core::str::FromStr;

use blockwright_types::{Flashblock, PayloadId};

use crate::EncodeError;

/// A flashblock's place across blocks, written `"<block>-<index>"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlashblockId {
    /// Number of the block.
    pub block_number: u64,
    /// Index within the block's payload.
    pub index: u64,
}

impl FlashblockId {
    /// The place of `flashblock`.
    pub const fn of(flashblock: &Flashblock) -> Self {
        Self {
            block_number: flashblock.block_number,
            index: flashblock.index,
        }
    }
}

impl fmt::Display for FlashblockId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.block_number, self.index)
    }
}

/// A text that is no [`FlashblockId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form <block>-<index>")]
pub struct InvalidFlashblockId(pub String);

impl FromStr for FlashblockId {
    type Err = InvalidFlashblockId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |digits: &str| {
            let decimal = digits.bytes().all(|digit| digit.is_ascii_digit());
            decimal.then(|| digits.parse().ok()).flatten()
        };
        let parts = text.split_once('-');
        parts
            .and_then(|(block, index)| {
                Some(Self {
                    block_number: number(block)?,
                    index: number(index)?,
                })
            })
            .ok_or_else(|| InvalidFlashblockId(text.to_owned()))
    }
}

/// The rule that indices of a payload are contiguous from 0.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    /// Payload and index that continue the sequence.
    next: Option<(PayloadId, u64)>,
}

impl Sequence {
    /// Whether `flashblock` may come next, and is in itself what consumers rely on.
    pub(crate) fn check(&self, flashblock: &Flashblock) -> Result<(), EncodeError> {
        let Flashblock {
            payload_id, index, ..
        } = *flashblock;
        if index != 0 && self.next != Some((payload_id, index)) {
            return Err(EncodeError::NotContiguous {
                payload_id,
                index,
                expected: self.next,
            });
        }
        if flashblock.base.is_some() != (index == 0) {
            return Err(EncodeError::Base {
                payload_id,
                index,
                present: flashblock.base.is_some(),
            });
        }
        let part = &flashblock.part;
        if part.transactions.len() != part.receipts.len() {
            return Err(EncodeError::ReceiptCount {
                payload_id,
                index,
                transactions: part.transactions.len(),
                receipts: part.receipts.len(),
            });
        }
        Ok(())
    }

    /// Whether `flashblock` is the last one taken in.
    pub(crate) fn check_last(&self, flashblock: &Flashblock) -> Result<(), EncodeError> {
        let Flashblock {
            payload_id, index, ..
        } = *flashblock;
        if self.next == Some((payload_id, index.saturating_add(1))) {
            return Ok(());
        }
        Err(EncodeError::NotContiguous {
            payload_id,
            index,
            expected: self.next,
        })
    }

    /// Takes `flashblock` for the last one.
    pub(crate) fn advance(&mut self, flashblock: &Flashblock) {
        self.next = Some((flashblock.payload_id, flashblock.index.saturating_add(1)));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        for (block_number, index) in [(0, 0), (100, 7), (u64::MAX, u64::MAX)] {
            let id = FlashblockId {
                block_number,
                index,
            };
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "1-2-3",
            "+1-2",
            "0x1-2",
            "18446744073709551616-0",
        ] {
            let error = text.parse::<FlashblockId>().unwrap_err();
            assert!(error.to_string().contains("<block>-<index>"), "{error}");
        }
    }
}
