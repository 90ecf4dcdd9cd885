//! Beacon blocks as proposers send them.
#![no_main]

#[path = "../src/feed_block.rs"]
mod feed_block;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    feed_block::feed(input);
});
