//! Frames of dialect `v1` through the verifier.
#![no_main]

#[path = "../src/feed.rs"]
mod feed;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    feed::feed(input);
});
