//! Settings of the service.

use std::fmt;
use std::sync::Arc;

use blockwright_core::{ConfigError, DaLimits, JobConfig, PriorityOrder};
use blockwright_seams::Policy;

/// Makes a fresh policy for each job.
#[derive(Clone)]
pub struct PolicyFactory(Arc<dyn Fn() -> Box<dyn Policy> + Send + Sync>);

impl PolicyFactory {
    /// Calls `make` for each job.
    pub fn new(make: impl Fn() -> Box<dyn Policy> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    pub(crate) fn make(&self) -> Box<dyn Policy> {
        (self.0)()
    }
}

impl fmt::Debug for PolicyFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyFactory")
    }
}

impl Default for PolicyFactory {
    fn default() -> Self {
        Self::new(|| Box::new(PriorityOrder))
    }
}

/// Settings of the [`BuilderService`](crate::BuilderService).
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Settings of each job.
    pub job: JobConfig,
    /// DA limits until they are set at run time.
    pub da_limits: DaLimits,
    /// Order and admission.
    pub policy: PolicyFactory,
    /// Start calls that may wait for the service; more are refused as busy. Default 64.
    pub starts_waiting_max: usize,
    /// Jobs that may build at the same time; more are refused as busy. Default 8.
    pub jobs_live_max: usize,
    /// Payloads kept for `resolve` and `built`, live ones included. Default 16.
    pub payloads_retained_max: usize,
    /// What the blocks of these payloads may take in memory, in bytes; above it the oldest go, but
    /// two always stay. Default 64 MiB.
    pub payloads_retained_bytes_max: usize,
    /// A job that nobody resolved ends this long after its block's timestamp (or after the fork
    /// choice, if that is later), in microseconds. Default 12 s.
    pub expire_after_us: u64,
    /// Flashblock 0 is held this long after `start` was answered, in microseconds, so that the
    /// answer is on the wire first. Default 1,000.
    pub first_hold_us: u64,
    /// A flashblock that is ready only later than this before the block's timestamp, in microseconds,
    /// is not published any more, and none after it: a sidecar that seals from the flashblocks it has
    /// seen could have sealed without it. Flashblock 0 always is. Default 0: no such limit.
    pub publish_by_us: u64,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            job: JobConfig::default(),
            da_limits: DaLimits::default(),
            policy: PolicyFactory::default(),
            starts_waiting_max: 64,
            jobs_live_max: 8,
            payloads_retained_max: 16,
            payloads_retained_bytes_max: 64 * 1024 * 1024,
            expire_after_us: 12_000_000,
            first_hold_us: 1_000,
            publish_by_us: 0,
        }
    }
}

impl ServiceConfig {
    /// Checks the settings; zero capacities are read as one.
    pub(crate) fn checked(mut self) -> Result<Self, ConfigError> {
        self.job.validate()?;
        self.starts_waiting_max = self.starts_waiting_max.max(1);
        self.jobs_live_max = self.jobs_live_max.max(1);
        self.payloads_retained_max = self.payloads_retained_max.max(self.jobs_live_max);
        Ok(self)
    }
}
