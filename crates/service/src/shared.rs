//! What the service, its handles and its workers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use blockwright_core::{DaLimits, Pace};
use blockwright_seams::{Clock, FlashblockSink};
use blockwright_types::PayloadId;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::ServiceConfig;
use crate::table::Table;

/// What the service, its handles and its workers share.
pub(crate) struct Shared<A> {
    pub(crate) config: ServiceConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sink: Arc<dyn FlashblockSink>,
    pub(crate) table: Mutex<Table<A>>,
    pub(crate) pace: Mutex<Pace>,
    /// The payload that was started last.
    pub(crate) newest: watch::Sender<Option<PayloadId>>,
    limits: Mutex<DaLimits>,
    limits_version: AtomicU64,
}

impl<A> Shared<A> {
    pub(crate) fn new(
        config: ServiceConfig,
        sink: Arc<dyn FlashblockSink>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            limits: Mutex::new(config.da_limits),
            config,
            clock,
            sink,
            table: Mutex::new(Table::default()),
            pace: Mutex::new(Pace::default()),
            newest: watch::Sender::new(None),
            limits_version: AtomicU64::new(0),
        }
    }

    /// Both limits at once: a job never sees one of them changed without the other.
    pub(crate) fn set_limits(&self, limits: DaLimits) {
        *self.limits.lock() = limits;
        self.limits_version.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn limits(&self) -> DaLimits {
        *self.limits.lock()
    }

    /// Changes whenever the limits do; cheap.
    pub(crate) fn limits_version(&self) -> u64 {
        self.limits_version.load(Ordering::Acquire)
    }
}
