//! What must hold whatever a stream of payload attributes brings.

use blockwright_attributes::{AttributesEvent, SseEvent, SseReader, sse_frame};

/// Longest event that is taken.
const EVENT_BYTES_MAX: usize = 1 << 16;

/// Takes `input` as an event's data, and as the body of a stream in pieces whose size the sum of its bytes
/// chooses. Returns how many events the stream has, and how many of them and of the data can be read.
///
/// # Panics
/// Where something does not hold, which is what a fuzzer looks for.
pub fn feed(input: &[u8]) -> (usize, usize) {
    let sum: usize = input.iter().map(|byte| usize::from(*byte)).sum();
    let whole = events(input, input.len().max(1));
    let pieces = events(input, sum % 61 + 1);
    assert_eq!(pieces, whole, "pieces of {}", sum % 61 + 1);
    let count = whole.iter().filter(|event| read(&event.data)).count();
    (whole.len(), count + usize::from(read(input)))
}

/// The events of a body that comes in pieces of `size` bytes, as far as it can be read.
fn events(body: &[u8], size: usize) -> Vec<SseEvent> {
    let mut reader = SseReader::new(EVENT_BYTES_MAX);
    let mut events = Vec::new();
    for piece in body.chunks(size) {
        match reader.push(piece) {
            Ok(more) => events.extend(more),
            // How much of a stream that is too long was read depends on its pieces.
            Err(_) => return Vec::new(),
        }
    }
    events
}

fn read(data: &[u8]) -> bool {
    let Ok(event) = AttributesEvent::from_json(data) else {
        return false;
    };
    let frame = sse_frame(&event.to_json());
    let mut reader = SseReader::new(usize::MAX);
    let told = reader.push(&frame).expect("nothing is too long");
    let [told] = told.as_slice() else {
        panic!("a frame is one event");
    };
    let again = AttributesEvent::from_json(&told.data);
    assert_eq!(again.as_ref(), Ok(&event), "others read the same");
    let mut other = event.clone();
    other.slot ^= 1;
    assert_ne!(event.digest(), other.digest(), "another block");
    true
}
