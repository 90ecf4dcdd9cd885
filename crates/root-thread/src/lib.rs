#![doc = include_str!("../README.md")]

mod mailbox;

mod metrics;

mod state;
pub use state::RootState;

mod thread;
pub use thread::RootThread;
