//! Requests for payloads as proposers post them.
#![no_main]

#[path = "../src/feed_request.rs"]
mod feed_request;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    feed_request::feed(input);
});
