#![doc = include_str!("../README.md")]

mod candidates;
pub use candidates::{Candidate, Candidates, Wake};

mod clock;
pub use clock::Clock;

mod closing;
pub use closing::{Closing, ClosingView, MakeClosing};

mod host;
pub use host::{Host, HostError};

mod open_block;
pub use open_block::{OpenBlock, Previewed, Sealed, SimError, Simulated, Stale};

mod policy;
pub use policy::{Admission, Frontier, Policy, Rank, SlotView};

mod roots;
pub use roots::{RootFault, RootKeys, RootSession, RootsAnswer, RootsReply};

mod sink;
pub use sink::{Feedback, FlashblockSink};
