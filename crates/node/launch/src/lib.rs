//! blockwright-launch
