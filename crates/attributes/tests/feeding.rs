//! The fuzz target's code over events that were changed.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../../fuzz/src/feed_attributes.rs"]
mod feed_attributes;

const LIVING: &str = include_str!("data/event.json");
/// One transaction of every kind.
const EVERY_KIND: &str = include_str!("data/every_kind.json");

#[test]
fn changed_streams_are_read_or_refused() {
    for event in [LIVING, EVERY_KIND] {
        let event = event.trim_end();
        assert_eq!(feed_attributes::feed(event.as_bytes()), (0, 1));
        let stream = format!("id: \ndata: {event}\n\nevent: x\r\ndata: {event}\r\n\r\n");
        let stream = stream.as_bytes();
        assert_eq!(feed_attributes::feed(stream), (2, 2));
        let (mut both, mut one) = (0, 0);
        for at in (0..stream.len()).step_by(7) {
            let bytes = *b"0a\"\n:, \xff";
            let mut changed = stream.to_vec();
            changed[at] = bytes[at % bytes.len()];
            match feed_attributes::feed(&changed) {
                (2, 2) => both += 1,
                (_, read) => {
                    assert!(read < 2 || changed == stream);
                    one += 1;
                }
            }
            feed_attributes::feed(&stream[..at]);
        }
        assert!(both > 0 && one > 100, "{both} {one}");
    }
}
