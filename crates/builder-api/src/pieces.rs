//! Bodies in pieces that others own as well.

use core::convert::Infallible;
use std::collections::VecDeque;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};

/// A body that is there as a whole, and goes to the system as a whole: in one call, its pieces side by side,
/// without being copied together.
#[derive(Debug, Default)]
pub(crate) struct Whole(Option<Pieces>);

/// What is left to be sent; no piece is empty.
#[derive(Debug, Default)]
pub(crate) struct Pieces(VecDeque<Bytes>);

impl From<Vec<Bytes>> for Whole {
    fn from(pieces: Vec<Bytes>) -> Self {
        let pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
        let pieces: VecDeque<Bytes> = pieces.collect();
        Self((!pieces.is_empty()).then_some(Pieces(pieces)))
    }
}

impl From<String> for Whole {
    fn from(text: String) -> Self {
        Self::from(vec![Bytes::from(text)])
    }
}

impl Body for Whole {
    type Data = Pieces;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Pieces>, Infallible>>> {
        Poll::Ready(self.0.take().map(|pieces| Ok(Frame::data(pieces))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(
            self.0
                .as_ref()
                .map_or(0, |pieces| pieces.remaining() as u64),
        )
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.0.front().map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let both = slices.iter_mut().zip(&self.0);
        both.map(|(slice, piece)| *slice = IoSlice::new(piece))
            .count()
    }

    /// `bytes` is at most what remains, as [`Buf`] asks of whoever calls this.
    fn advance(&mut self, mut bytes: usize) {
        while let Some(piece) = self.0.front_mut() {
            if bytes < piece.len() {
                return piece.advance(bytes);
            }
            bytes -= piece.len();
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_gone_wherever_it_ends() {
        let texts = ["", "one", "", "two", "three"];
        let whole: String = texts.concat();
        for first in 0..=whole.len() {
            let pieces = texts.map(Bytes::from).to_vec();
            let mut body = Whole::from(pieces);
            assert_eq!(body.size_hint().exact(), Some(whole.len() as u64));
            let mut pieces = body.0.take().unwrap();
            assert!(body.is_end_stream());
            pieces.advance(first);
            let mut slices = [IoSlice::new(&[]); 8];
            let count = pieces.chunks_vectored(&mut slices);
            let left: Vec<u8> = slices[..count].iter().flat_map(|s| s.to_vec()).collect();
            assert_eq!(left, whole.as_bytes()[first..]);
            assert_eq!(pieces.remaining(), left.len());
            assert!(left.starts_with(pieces.chunk()));
            assert_eq!(pieces.chunk().is_empty(), left.is_empty());
        }
    }

    #[test]
    fn nothing_is_no_piece() {
        assert!(Whole::from(vec![Bytes::new()]).is_end_stream());
        let mut two = [IoSlice::new(&[]); 2];
        let pieces = Pieces(["a", "b", "c"].map(Bytes::from).into());
        assert_eq!(
            pieces.chunks_vectored(&mut two),
            2,
            "as many as there is room for"
        );
    }
}
