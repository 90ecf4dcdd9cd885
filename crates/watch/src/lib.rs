#![doc = include_str!("../README.md")]

mod error;
pub use error::WatchError;

mod fork;

mod listen;
pub use listen::{Heard, Listening, listen};

mod monitor;
pub use monitor::{BlockSeen, Finding, FindingKind, FlashblockSeen, Monitor, Totals};

mod recording;
pub use recording::{Recording, RecordingWriter};

mod rpc;
pub use rpc::{SealedBlock, sealed_block};

mod screen;
pub use screen::{Header, draw};
