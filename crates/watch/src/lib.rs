#![doc = include_str!("../README.md")]

mod continuity;

mod equivocation;
pub use equivocation::Contents;

mod error;
pub use error::WatchError;

mod finding;
pub use finding::{Finding, FindingKind};

mod fork;

mod listen;
pub use listen::{Access, Heard, Listening, StreamKey, listen};

mod monitor;
pub use monitor::{Monitor, MonitorRules, Totals};

mod pairing;
pub use pairing::{Pair, Pairing, PairingLimits};

mod read;

mod recording;
pub use recording::{Recording, RecordingWriter};

mod rpc;
pub use rpc::{SealedBlock, sealed_block};

mod screen;
pub use screen::{Header, draw};

mod seen;
pub use seen::{BlockSeen, FlashblockSeen};

mod signers;
pub use signers::SignerRule;
