//! The builder's settings, and its start.

use std::sync::Arc;
use std::time::Duration;

use blockwright_seams::{FlashblockSink, Host};
use blockwright_service::{
    BuilderHandle, BuilderService, ConfigError, DaLimits, JobConfig, RootsRule, ServiceConfig,
    ShareRule, SystemClock,
};

use crate::OutletError;

/// The builder's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuilderConfig {
    /// Interval between flashblocks; at least 50 ms.
    pub flashblock_interval: Duration,
    /// How long before the block's timestamp the last flashblock is due.
    pub end_margin: Duration,
    /// Which flashblocks carry roots.
    pub roots: RootsRule,
    /// How a block's capacity is handed out over its flashblocks.
    pub share: ShareRule,
    /// How long before the block's timestamp a flashblock must be ready to be published; zero is no
    /// limit.
    pub publish_by: Duration,
    /// Largest estimated compressed size of one transaction in bytes; 0 is unlimited.
    pub da_tx_bytes_max: u64,
    /// Largest estimated compressed size of a block in bytes; 0 is unlimited.
    pub da_block_bytes_max: u64,
    /// First byte of payload ids: 3 for sidecars up to 0.7.16, 4 from 0.7.17.
    pub payload_id_version: u8,
}

impl Default for BuilderConfig {
    fn default() -> Self {
        Self {
            flashblock_interval: Duration::from_millis(200),
            end_margin: Duration::from_millis(75),
            roots: RootsRule::Every,
            share: ShareRule::Even,
            publish_by: Duration::ZERO,
            da_tx_bytes_max: 0,
            da_block_bytes_max: 0,
            payload_id_version: 3,
        }
    }
}

impl BuilderConfig {
    /// The settings of each block's building.
    ///
    /// # Errors
    /// [`OutletError::Config`] naming the flag at fault.
    pub fn job(&self) -> Result<JobConfig, OutletError> {
        let job = JobConfig {
            interval_us: micros(self.flashblock_interval),
            end_margin_us: micros(self.end_margin),
            roots: self.roots,
            share: self.share,
            ..JobConfig::default()
        };
        if self.end_margin >= Duration::from_secs(1) {
            let margin = self.end_margin;
            let reason = format!("{margin:?} is not below one second, the shortest block");
            return Err(OutletError::flag("--flashblocks.end-margin", &reason));
        }
        if !self.publish_by.is_zero() && self.publish_by >= self.end_margin {
            let reason = format!(
                "{:?} is not below --flashblocks.end-margin, {:?}: the last flashblock would always be too late",
                self.publish_by, self.end_margin
            );
            return Err(OutletError::flag("--flashblocks.publish-by", &reason));
        }
        job.validate()?;
        Ok(job)
    }

    /// The service that builds with `job` in `host`, to be run, and its handle. Flashblocks go to `sink`.
    ///
    /// # Errors
    /// [`OutletError::Config`] naming the flag at fault.
    pub fn service<H: Host>(
        &self,
        job: JobConfig,
        host: H,
        sink: Arc<dyn FlashblockSink>,
    ) -> Result<(BuilderService<H>, BuilderHandle<H>), OutletError> {
        blockwright_service::describe_metrics();
        let config = ServiceConfig {
            job,
            publish_by_us: micros(self.publish_by),
            da_limits: DaLimits::from_rpc(self.da_tx_bytes_max, self.da_block_bytes_max),
            ..ServiceConfig::default()
        };
        Ok(BuilderService::new(
            config,
            host,
            sink,
            Arc::new(SystemClock),
        )?)
    }
}

impl From<ConfigError> for OutletError {
    fn from(error: ConfigError) -> Self {
        Self::flag("--flashblocks.block-time", &error)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
