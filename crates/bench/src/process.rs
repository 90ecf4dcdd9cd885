//! What a process used, from `/proc`.

use std::fs;

use crate::ProcessUsage;

/// `/proc` counts in ticks of 1/100 s on every architecture Linux runs builders on.
pub(crate) const TICKS_PER_S: f64 = 100.0;

/// A process whose use is measured from [`ProcessMeter::start`] on.
#[derive(Clone, Debug)]
pub(crate) struct ProcessMeter {
    folder: String,
    cpu_before_s: f64,
}

impl ProcessMeter {
    /// Begins to measure the process `pid`; this one where there is none. Resets its peak of memory
    /// where the kernel permits.
    pub(crate) fn start(pid: Option<u32>) -> Self {
        let folder = pid.map_or_else(|| "/proc/self".to_owned(), |pid| format!("/proc/{pid}"));
        if let Err(error) = fs::write(format!("{folder}/clear_refs"), "5") {
            tracing::warn!(%error, process = folder, "peak memory is that of its whole life");
        }
        let cpu_before_s = cpu_s(&folder).unwrap_or_default();
        Self {
            folder,
            cpu_before_s,
        }
    }

    /// Whether the process is there.
    pub(crate) fn is_alive(&self) -> bool {
        cpu_s(&self.folder).is_some()
    }

    /// Use since the start; none where the process is gone.
    pub(crate) fn usage(&self) -> Option<ProcessUsage> {
        let status = fs::read_to_string(format!("{}/status", self.folder)).ok()?;
        Some(ProcessUsage {
            cpu_s: cpu_s(&self.folder)? - self.cpu_before_s,
            rss_peak_bytes: kilobytes(&status, "VmHWM:")? * 1024,
        })
    }
}

/// User and system time of all threads, those that ended included, in seconds.
fn cpu_s(folder: &str) -> Option<f64> {
    let stat = fs::read_to_string(format!("{folder}/stat")).ok()?;
    cpu_ticks(&stat).map(|ticks| ticks as f64 / TICKS_PER_S)
}

fn cpu_ticks(stat: &str) -> Option<u64> {
    // The name in brackets may itself contain blanks and brackets.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(ticks()? + ticks()?)
}

/// The value of a line `key  N kB`.
pub(crate) fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn ticks_follow_the_name_whatever_it_is() {
        let stat = "1 (a) (b c)) S 0 1 1 0 -1 4194560 10 20 30 40 250 17 5 6 20 0 9 0 12";
        assert_eq!(cpu_ticks(stat), Some(267));
        assert_eq!(cpu_ticks("1 (a) S 0"), None);
    }

    #[test]
    fn this_process_is_measured() {
        let meter = ProcessMeter::start(None);
        assert!(meter.is_alive());
        let usage = meter.usage().unwrap();
        assert!(usage.rss_peak_bytes > 1 << 20, "{usage:?}");
        assert!(usage.cpu_s >= 0.0, "{usage:?}");
    }

    #[test]
    fn a_process_that_is_gone_has_no_usage() {
        // Above the largest id the kernel gives.
        let meter = ProcessMeter::start(Some(u32::MAX));
        assert!(!meter.is_alive());
        assert!(meter.usage().is_none());
    }
}
