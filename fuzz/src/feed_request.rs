//! What must hold whatever a proposer posts as a request for a payload.

use blockwright_builder_codec::{PayloadRequest, signing_digest};

/// A refusal goes to whoever asked, and into the log.
const REFUSAL_BYTES_MAX: usize = 200;

/// Decodes `input` as the body of a request. Returns whether it is one.
///
/// # Panics
/// Where something does not hold, which is what a fuzzer looks for.
pub fn feed(input: &[u8]) -> bool {
    match PayloadRequest::from_json(input) {
        Ok(request) => {
            let json = request.to_json();
            let again = PayloadRequest::from_json(json.as_bytes());
            assert_eq!(again.as_ref(), Ok(&request), "it says what it says");
            let digest = signing_digest(10, &request.message);
            assert_ne!(
                digest,
                signing_digest(11, &request.message),
                "another chain"
            );
            let mut other = request.message;
            other.slot ^= 1;
            assert_ne!(digest, signing_digest(10, &other), "another block");
            true
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.len() <= REFUSAL_BYTES_MAX, "{said}");
            false
        }
    }
}
