//! The framing of server-sent events.

use bytes::Bytes;

/// The event with this data as it goes over the wire: an empty id, one line of data, no name.
pub fn sse_frame(data: &str) -> Bytes {
    Bytes::from(format!("id: \ndata: {data}\n\n"))
}

/// An event that was received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// Its name; empty where it has none.
    pub name: Vec<u8>,
    /// Its lines of data, with line feeds between them.
    pub data: Vec<u8>,
}

/// An event is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event has more than {bytes_max} bytes")]
pub struct TooLong {
    /// The most it may have.
    pub bytes_max: usize,
}

/// Puts events together from pieces of a body. Lines end with LF or CR LF.
#[derive(Debug)]
pub struct SseReader {
    bytes_max: usize,
    /// The line so far.
    line: Vec<u8>,
    /// The event so far, where it has any data.
    event: SseEvent,
    has_data: bool,
}

impl SseReader {
    /// A reader of events of at most `bytes_max` bytes each.
    pub const fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            line: Vec::new(),
            event: SseEvent {
                name: Vec::new(),
                data: Vec::new(),
            },
            has_data: false,
        }
    }

    /// The events that `piece` completes.
    ///
    /// # Errors
    /// [`TooLong`]; the stream cannot be read any further then.
    pub fn push(&mut self, mut piece: &[u8]) -> Result<Vec<SseEvent>, TooLong> {
        let mut events = Vec::new();
        while let Some(end) = memchr::memchr(b'\n', piece) {
            let (before, rest) = piece.split_at(end);
            piece = rest.get(1..).unwrap_or_default();
            self.grow(before)?;
            let line = std::mem::take(&mut self.line);
            events.extend(self.end_line(line.strip_suffix(b"\r").unwrap_or(&line)));
        }
        self.grow(piece)?;
        Ok(events)
    }

    fn grow(&mut self, more: &[u8]) -> Result<(), TooLong> {
        let bytes_max = self.bytes_max;
        if self.line.len() + self.event.data.len() + more.len() > bytes_max {
            return Err(TooLong { bytes_max });
        }
        self.line.extend_from_slice(more);
        Ok(())
    }

    fn end_line(&mut self, line: &[u8]) -> Option<SseEvent> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &line[line.len()..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.has_data {
                    self.event.data.push(b'\n');
                }
                self.event.data.extend_from_slice(value);
                self.has_data = true;
            }
            b"event" => self.event.name = value.to_vec(),
            // Ids are of no use without replay; a line without a field is a comment.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn data(events: &[SseEvent]) -> Vec<&str> {
        events
            .iter()
            .map(|event| core::str::from_utf8(&event.data).unwrap())
            .collect()
    }

    #[test]
    fn a_frame_is_an_empty_id_one_line_of_data_and_a_blank_line() {
        assert_eq!(&sse_frame("{}")[..], b"id: \ndata: {}\n\n");
    }

    #[test]
    fn events_are_the_same_however_the_body_is_cut() {
        let body = b": hello\nid: \ndata: one\n\nevent: x\r\ndata:two\r\ndata: more\r\n\r\nid: 7\n\n\ndata\n\ndata: cut";
        for size in 1..body.len() {
            let mut reader = SseReader::new(64);
            let mut events = Vec::new();
            for piece in body.chunks(size) {
                events.extend(reader.push(piece).unwrap());
            }
            assert_eq!(data(&events), ["one", "two\nmore", ""], "pieces of {size}");
            assert_eq!(events[1].name, b"x");
            assert_eq!(events[2].name, b"");
        }
    }

    #[test]
    fn an_event_without_end_is_refused() {
        let mut reader = SseReader::new(64);
        let refused = (0..).find_map(|_| reader.push(b"data: 0123456789").err());
        assert_eq!(refused, Some(TooLong { bytes_max: 64 }));
        let mut reader = SseReader::new(64);
        let refused = (0..).find_map(|_| reader.push(b"data: 0123456789\n").err());
        assert_eq!(refused, Some(TooLong { bytes_max: 64 }));
    }
}
