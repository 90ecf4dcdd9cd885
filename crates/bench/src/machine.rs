//! The machine a run is made on, and what else it did meanwhile.

use std::fs;

use crate::process::{TICKS_PER_S, kilobytes};
use crate::{Machine, ProcessUsage};

/// The machine's busy time from [`MachineMeter::start`] on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MachineMeter {
    busy_before_s: f64,
}

impl MachineMeter {
    /// Begins to measure.
    pub(crate) fn start() -> Self {
        Self {
            busy_before_s: busy_s(),
        }
    }

    /// The machine, with its busy time since the start less that of `processes`.
    pub(crate) fn machine(&self, processes: &[ProcessUsage]) -> Machine {
        let ours: f64 = processes.iter().map(|usage| usage.cpu_s).sum();
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let processors = read("/proc/cpuinfo");
        let memory = kilobytes(&read("/proc/meminfo"), "MemTotal:").unwrap_or_default();
        Machine {
            cpu: cpu_model(&processors),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory * 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            // Ticks are counted apart for processes and the machine, so the difference may dip below 0.
            other_cpu_s: (busy_s() - self.busy_before_s - ours).max(0.0),
        }
    }
}

fn cpu_model(processors: &str) -> String {
    let line = processors
        .lines()
        .find(|line| line.starts_with("model name"));
    let model = line.and_then(|line| line.split_once(':'));
    model
        .map(|(_, model)| model.trim())
        .unwrap_or_default()
        .to_owned()
}

fn busy_s() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    busy_ticks(&stat).unwrap_or_default() as f64 / TICKS_PER_S
}

/// Ticks in which a processor worked, or the hypervisor kept it from us; idle ones and those spent
/// waiting for the disk are left out.
fn busy_ticks(stat: &str) -> Option<u64> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = fields
        .split_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    let [user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = ticks[..] else {
        return None;
    };
    Some(user + nice + system + irq + softirq + steal)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_iowait_are_not_busy() {
        let stat = "cpu  1 2 4 1000 2000 8 16 32 64 128\ncpu0 0 0\n";
        assert_eq!(busy_ticks(stat), Some(63));
        assert_eq!(busy_ticks("cpu  1 2"), None);
        assert_eq!(busy_ticks(""), None);
    }

    #[test]
    fn this_machine_is_described() {
        let machine = MachineMeter::start().machine(&[]);
        assert!(machine.cores >= 1, "{machine:?}");
        assert!(machine.memory_bytes > 1 << 20, "{machine:?}");
        assert!(!machine.kernel.is_empty(), "{machine:?}");
    }

    #[test]
    fn the_model_is_the_first_processors() {
        let text = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\n\nmodel name\t: B\n";
        assert_eq!(cpu_model(text), "A CPU @ 2 GHz");
        assert_eq!(cpu_model(""), "");
    }
}
