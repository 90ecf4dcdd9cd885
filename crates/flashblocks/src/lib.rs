//! blockwright-flashblocks
