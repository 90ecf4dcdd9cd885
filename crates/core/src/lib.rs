#![doc = include_str!("../README.md")]

mod budget;
pub use budget::Shares;

mod closing;

mod config;
pub use config::{ConfigError, DaLimits, JobConfig, RootsRule, ShareRule};

mod fault;
pub use fault::JobFault;

mod fill;

mod floor;

mod job;
pub use job::{Job, JobInputs};

mod judge;

mod pace;
pub use pace::Pace;

mod part;

mod pipeline;

mod plan;
pub use plan::{Plan, PlanInput, Slot};

mod policy;
pub use policy::PriorityOrder;

mod ready;

mod step;
pub use step::{Best, End, Event, PartReport, Payload, Publication, Step};
