#![doc = include_str!("../README.md")]

mod base;

mod follower;
pub use follower::{FollowDeps, Follower};

mod handover;
pub use handover::Handover;

mod held;

mod line;

mod listener;
pub use listener::{Sources, start_following};

mod metrics;
pub use metrics::describe as describe_metrics;

mod refutation;
pub use refutation::Refutation;

mod replica;
pub use replica::{Executed, Replica, ReplicaDeps};

mod roots;

mod statement;

mod step;
pub use step::Step;

mod voice;

mod waiting;
