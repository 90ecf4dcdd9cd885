//! Writing dialect `v1` alone.

use blockwright_types::Flashblock;

use crate::EncodeError;
use crate::json_frame::{FrameOptions, JsonState};

/// Encodes the flashblocks of a stream, in publishing order.
///
/// Transactions and receipts in a frame are those of its flashblock alone, while
/// `new_account_balances` lists every account the block has touched so far. The encoder keeps
/// those balances for the running payload as finished text, and the transactions' text is the
/// part's own, which others share: a flashblock costs what is new in it, and copying what is old.
/// Index 0 of any payload starts anew.
#[derive(Debug, Default)]
pub struct V1Encoder {
    state: JsonState,
}

impl V1Encoder {
    /// An encoder that expects an index 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes the frame of `flashblock`.
    ///
    /// # Errors
    /// [`EncodeError`] where the flashblock does not continue the sequence or contradicts itself;
    /// nothing is changed then.
    pub fn encode(&mut self, flashblock: &Flashblock) -> Result<Vec<u8>, EncodeError> {
        self.encode_into(flashblock, Vec::new())
    }

    /// As [`Self::encode`], in the memory of a frame that is needed no more.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_into(
        &mut self,
        flashblock: &Flashblock,
        memory: Vec<u8>,
    ) -> Result<Vec<u8>, EncodeError> {
        self.state.advance(flashblock)?;
        Ok(self.state.write(flashblock, &FrameOptions::V1, memory))
    }
}
