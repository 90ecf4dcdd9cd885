//! Use of the builder, the meter and the machine during a run.

use crate::machine::MachineMeter;
use crate::process::ProcessMeter;
use crate::{Machine, ProcessUsage};

/// Everything whose use is measured, from [`UsageMeter::start`] on.
#[derive(Debug)]
pub(crate) struct UsageMeter {
    builder: Option<ProcessMeter>,
    meter: ProcessMeter,
    machine: MachineMeter,
}

/// What was used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    /// By the builder, where its process is known and still there.
    pub(crate) builder: Option<ProcessUsage>,
    /// By the meter.
    pub(crate) meter: ProcessUsage,
    /// The machine.
    pub(crate) machine: Machine,
}

impl UsageMeter {
    /// Begins to measure.
    pub(crate) fn start(builder_pid: Option<u32>) -> Self {
        Self {
            builder: builder_pid.map(|pid| ProcessMeter::start(Some(pid))),
            meter: ProcessMeter::start(None),
            machine: MachineMeter::start(),
        }
    }

    /// Use since the start.
    pub(crate) fn usage(&self) -> Usage {
        let builder = self.builder.as_ref().and_then(ProcessMeter::usage);
        let meter = self.meter.usage().unwrap_or_default();
        let mut ours = vec![meter];
        ours.extend(builder);
        Usage {
            builder,
            meter,
            machine: self.machine.machine(&ours),
        }
    }
}
