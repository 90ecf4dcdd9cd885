//! blockwright-stream
