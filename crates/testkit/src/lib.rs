#![doc = include_str!("../README.md")]

mod checks;
pub use checks::{Violation, check_block, check_budget, check_order, check_replay, check_schedule};

mod clock;
pub use clock::ManualClock;

mod fake_block;
pub use fake_block::{FakeBlock, FakeSim};

mod fake_host;
pub use fake_host::{FakeArtifact, FakeHost};

mod fake_roots;
pub use fake_roots::{FakeRoots, fake_state_root};

mod accounts;
pub use accounts::Accounts;

mod requests;
pub use requests::{BLOCK_START_S, request};

mod rng;
pub use rng::Rng;

mod scenario;
pub use scenario::{Arrival, Happening, Scenario, random_scenario};

mod script_host;
pub use script_host::{RootsScript, ScriptHost, TappedRoots};

mod script_pool;
pub use script_pool::{Decision, ScriptCandidates, ScriptPool};

mod simulator;
pub use simulator::{Published, Transcript, simulate};

mod sink;
pub use sink::RecordingSink;

mod transactions;
pub use transactions::{Program, TxSpec, address, deposit};
