//! A data frame on its way to a subscriber's socket.

use std::io::{self, IoSlice};

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Bytes;

use crate::frame::Frame;

/// Longest header of an unmasked frame.
const HEADER_BYTES_MAX: usize = 10;

/// One message in one unmasked frame, as a server sends it (RFC 6455, section 5.2).
///
/// The WebSocket library copies every message into a buffer of the connection's before it is written.
/// Here the shared bytes go to the socket as they are; with thousands of subscribers that copy is a
/// sixth of all work. What was written is remembered, so that the future that writes can be dropped.
#[derive(Debug)]
pub(crate) struct Outgoing {
    header: [u8; HEADER_BYTES_MAX],
    header_bytes: usize,
    payload: Bytes,
    written: usize,
}

impl Outgoing {
    pub(crate) fn new(frame: Frame) -> Self {
        const FIN: u8 = 0x80;
        let (opcode, payload) = match frame {
            Frame::Text(text) => (1, Bytes::from(text)),
            Frame::Binary(bytes) => (2, bytes),
        };
        let mut header = [0; HEADER_BYTES_MAX];
        header[0] = FIN | opcode;
        let length = payload.len() as u64;
        let header_bytes = match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short @ ..126), _) => {
                header[1] = short;
                2
            }
            (_, Ok(middle)) => {
                header[1] = 126;
                header[2..4].copy_from_slice(&middle.to_be_bytes());
                4
            }
            _ => {
                header[1] = 127;
                header[2..].copy_from_slice(&length.to_be_bytes());
                HEADER_BYTES_MAX
            }
        };
        Self {
            header,
            header_bytes,
            payload,
            written: 0,
        }
    }

    /// Bytes of the message.
    pub(crate) const fn payload_bytes(&self) -> usize {
        self.payload.len()
    }

    /// Writes what is left. Where the future is dropped, a later call goes on where it was.
    pub(crate) async fn write_to<S: AsyncWrite + Unpin>(
        &mut self,
        socket: &mut S,
    ) -> io::Result<()> {
        loop {
            let header = self
                .header
                .get(self.written..self.header_bytes)
                .unwrap_or_default();
            let begun = self.written.saturating_sub(self.header_bytes);
            let payload = self.payload.get(begun..).unwrap_or_default();
            if header.is_empty() && payload.is_empty() {
                return socket.flush().await;
            }
            let count = socket
                .write_vectored(&[IoSlice::new(header), IoSlice::new(payload)])
                .await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.written += count;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use futures_util::StreamExt;
    use tokio::io::{DuplexStream, duplex};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    async fn reader(stream: DuplexStream) -> WebSocketStream<DuplexStream> {
        WebSocketStream::from_raw_socket(stream, Role::Client, None).await
    }

    #[tokio::test]
    async fn the_library_reads_what_was_written_at_every_length_of_header() {
        // A pipe of 7 bytes: everything is written in many pieces.
        let (mut ours, theirs) = duplex(7);
        let mut theirs = reader(theirs).await;
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let text = "y".repeat(length);
            let mut outgoing = Outgoing::new(Frame::Text(text.as_str().into()));
            assert_eq!(outgoing.payload_bytes(), length);
            let (written, read) = tokio::join!(outgoing.write_to(&mut ours), theirs.next());
            written.unwrap();
            assert_eq!(
                read.unwrap().unwrap(),
                Message::text(text),
                "{length} bytes"
            );
        }
        let mut outgoing = Outgoing::new(Frame::Binary(Bytes::from_static(&[1, 2, 3])));
        let (written, read) = tokio::join!(outgoing.write_to(&mut ours), theirs.next());
        written.unwrap();
        assert_eq!(read.unwrap().unwrap(), Message::binary(vec![1, 2, 3]));
    }

    #[tokio::test]
    async fn what_was_interrupted_goes_on_where_it_was() {
        let (mut ours, theirs) = duplex(16);
        let text = "0123456789".repeat(10);
        let mut outgoing = Outgoing::new(Frame::Text(text.as_str().into()));
        // Nobody reads: the pipe is full, and the future is dropped in the middle of the frame.
        tokio::select! {
            biased;
            _ = outgoing.write_to(&mut ours) => panic!("it cannot be written whole"),
            () = std::future::ready(()) => {}
        }
        let mut theirs = reader(theirs).await;
        let (written, read) = tokio::join!(outgoing.write_to(&mut ours), theirs.next());
        written.unwrap();
        assert_eq!(read.unwrap().unwrap(), Message::text(text));
    }

    #[tokio::test]
    async fn a_socket_that_is_gone_is_an_error() {
        let (mut ours, theirs) = duplex(16);
        drop(theirs);
        let mut outgoing = Outgoing::new(Frame::Text("x".into()));
        assert!(outgoing.write_to(&mut ours).await.is_err());
    }
}
