//! A block's transactions as the text that payloads contain, beside what is received.

use blockwright_payload::TransactionsText;
use hyper::body::Bytes;

use super::body::Pieces;

/// Puts the whole text behind `pieces`.
pub(super) fn append(text: &TransactionsText, pieces: &mut Pieces) {
    for piece in text.pieces() {
        pieces.push(piece.clone());
    }
}

/// Compares received data with a text, as it comes in.
#[derive(Debug)]
pub(super) struct Matching<'a> {
    text: &'a TransactionsText,
    /// The piece to be compared next, and how much of it was found.
    piece: usize,
    offset: usize,
}

/// How far a comparison came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All data was in the text; more is needed.
    Open,
    /// The whole text was found; `data` goes on behind it.
    Complete { data: Bytes },
    /// `data` is not what comes next.
    Differs { data: Bytes },
}

impl<'a> Matching<'a> {
    pub(super) const fn new(text: &'a TransactionsText) -> Self {
        Self {
            text,
            piece: 0,
            offset: 0,
        }
    }

    /// Compares what is received next.
    pub(super) fn step(&mut self, mut data: Bytes) -> Progress {
        while let Some(piece) = self.text.pieces().get(self.piece) {
            if data.is_empty() {
                return Progress::Open;
            }
            let expected = &piece[self.offset..];
            let length = expected.len().min(data.len());
            if expected[..length] != data[..length] {
                return Progress::Differs { data };
            }
            let _ = data.split_to(length);
            self.offset += length;
            if self.offset == piece.len() {
                self.piece += 1;
                self.offset = 0;
            }
        }
        Progress::Complete { data }
    }

    /// What was found so far: the text's own bytes, which are those that were received.
    pub(super) fn found(&self, pieces: &mut Pieces) {
        for piece in &self.text.pieces()[..self.piece] {
            pieces.push(piece.clone());
        }
        if let Some(piece) = self.text.pieces().get(self.piece) {
            pieces.push(piece.slice(..self.offset));
        }
    }
}
