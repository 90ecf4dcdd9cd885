//! Streams of payload attributes as other nodes serve them.
#![no_main]

#[path = "../src/feed_attributes.rs"]
mod feed_attributes;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    feed_attributes::feed(input);
});
