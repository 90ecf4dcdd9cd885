//! Frames of dialect `spec` through hash chain, comparison, signature check and verifier.
#![no_main]

#[path = "../src/feed_spec.rs"]
mod feed_spec;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    feed_spec::feed(input);
});
