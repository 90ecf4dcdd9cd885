//! How much may be in the intake at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::Gauge;
use parking_lot::Mutex;
use tracing::warn;

use crate::config::PoolConfig;
use crate::error::PoolError;

/// Refusals are logged at most once in this time.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Bounds what waits for the intake threads or is being worked on.
pub(crate) struct Gate {
    count_max: usize,
    size_bytes_max: usize,
    load: Mutex<Load>,
    count_gauge: Gauge,
}

#[derive(Default)]
struct Load {
    count: usize,
    size_bytes: usize,
    /// Transactions refused since it was last logged.
    refused: usize,
    logged_at: Option<Instant>,
}

/// A share of the intake's capacity, given back when dropped.
pub(crate) struct Permit {
    gate: Arc<Gate>,
    count: usize,
    size_bytes: usize,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let count = {
            let mut load = self.gate.load.lock();
            load.count -= self.count;
            load.size_bytes -= self.size_bytes;
            load.count
        };
        self.gate.count_gauge.set(count as f64);
    }
}

impl Gate {
    pub(crate) fn new(config: &PoolConfig, count_gauge: Gauge) -> Self {
        Self {
            count_max: config.intake_count_max,
            size_bytes_max: config.intake_size_bytes_max,
            load: Mutex::default(),
            count_gauge,
        }
    }

    /// Room for a batch as a whole, or [`PoolError::IntakeFull`] at once.
    pub(crate) fn enter(
        self: &Arc<Self>,
        count: usize,
        size_bytes: usize,
    ) -> Result<Permit, PoolError> {
        let count_now = {
            let mut load = self.load.lock();
            if load.count + count > self.count_max
                || load.size_bytes + size_bytes > self.size_bytes_max
            {
                let waiting = load.count;
                load.refused += count;
                let refused = load.refused_to_log();
                drop(load);
                if let Some(refused) = refused {
                    warn!(
                        refused,
                        waiting, "transaction intake is full, batches are refused"
                    );
                }
                return Err(PoolError::IntakeFull { waiting });
            }
            load.count += count;
            load.size_bytes += size_bytes;
            load.count
        };
        self.count_gauge.set(count_now as f64);
        Ok(Permit {
            gate: self.clone(),
            count,
            size_bytes,
        })
    }
}

impl Load {
    /// How many refusals to log now, if any.
    fn refused_to_log(&mut self) -> Option<usize> {
        let now = Instant::now();
        let due = self
            .logged_at
            .is_none_or(|at| now.duration_since(at) >= LOG_INTERVAL);
        if !due {
            return None;
        }
        self.logged_at = Some(now);
        Some(std::mem::take(&mut self.refused))
    }
}
