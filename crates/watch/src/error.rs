//! What can go wrong around a stream.

use std::path::PathBuf;

use blockwright_subscribe::Unreadable;

/// Errors of listening, recording and asking a node.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// A URL is not of the form that is spoken.
    #[error("{url}: {cause}")]
    Url {
        /// As given.
        url: String,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// A stream could not be opened, or broke.
    #[error("stream {url}: {cause}")]
    Stream {
        /// Its URL.
        url: String,
        /// What happened.
        cause: String,
    },
    /// Flashblocks were missed, or may have been.
    #[error("stream {url}: {cause}")]
    Missed {
        /// URL of the stream.
        url: String,
        /// Why they may have been.
        cause: &'static str,
    },
    /// A server that was never connected to does not want this subscriber, and will not.
    #[error("stream {url}: refused with HTTP {status}: {text}")]
    Refused {
        /// URL of the stream.
        url: String,
        /// The HTTP status: 400, 401, 403 or 404.
        status: u16,
        /// The beginning of what the server said.
        text: String,
    },
    /// A frame is dropped.
    #[error("a frame of {size_bytes} bytes is dropped: {cause}")]
    Unreadable {
        /// When it came, in microseconds since the epoch.
        at_us: u64,
        /// Its size as it came.
        size_bytes: usize,
        /// What is wrong with it.
        cause: Unreadable,
    },
    /// A node did not answer as it should.
    #[error("node {url}: {cause}")]
    Node {
        /// Its URL.
        url: String,
        /// What happened.
        cause: String,
    },
    /// A recording could not be read or written.
    #[error("recording {}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line of a recording is not one.
    #[error("recording {}, line {line}: {cause}", path.display())]
    Line {
        /// Path of the recording.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
}
