//! Where time goes, told by the builder's metrics and by the system's scheduler.

use std::time::Duration;

use crate::support::process::Blockwright;

/// The threads that answer, by the name that the system knows.
const ANSWERING: &str = "builder-api";

/// From a complete request to its signed answer.
const SIGNED: &str = "blockwright_builder_api_request_seconds";
/// From a complete request to its answer's last byte being in the system's hands.
const SENT: &str = "blockwright_builder_api_sent_seconds";

/// What happened inside, from some moment on.
#[derive(Clone, Default)]
pub(crate) struct Inside {
    signed: Histogram,
    sent: Histogram,
    answering: Cores,
    meter: Cores,
}

impl Inside {
    /// Since the process was started.
    pub(crate) fn now(node: &Blockwright) -> Self {
        let text = node.monitoring("/metrics");
        Self {
            signed: Histogram::read(&text, SIGNED),
            sent: Histogram::read(&text, SENT),
            answering: Cores::of_threads(node.pid()),
            meter: Cores::read("/proc/thread-self/schedstat"),
        }
    }

    /// Adds what happened from `before` to `after`.
    pub(crate) fn add(&mut self, before: &Self, after: &Self) {
        self.signed.add(&before.signed, &after.signed);
        self.sent.add(&before.sent, &after.sent);
        self.answering.add(before.answering, after.answering);
        self.meter.add(before.meter, after.meter);
    }

    pub(crate) fn print(&self, answers: usize) {
        for (what, times) in [("signed", &self.signed), ("sent", &self.sent)] {
            let (p50, p99) = (times.at_most(0.5), times.at_most(0.99));
            let mean = times.mean() * 1e3;
            println!(
                "  inside, from the complete request to {what}: mean {mean:.2} ms, p50 within {p50}, p99 within {p99}"
            );
        }
        for (who, cores) in [("answering threads", self.answering), ("meter", self.meter)] {
            let each = |time: Duration| time.as_secs_f64() * 1e3 / answers.max(1) as f64;
            let (ran, waited) = (each(cores.ran), each(cores.waited));
            println!("  {who}, an answer: {ran:.2} ms on a core, {waited:.2} ms waiting for one");
        }
    }
}

/// Time on a core, and ready but without one.
#[derive(Clone, Copy, Default)]
struct Cores {
    ran: Duration,
    waited: Duration,
}

impl Cores {
    /// Nothing where the system does not tell.
    fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut numbers = text.split_whitespace().map_while(|text| text.parse().ok());
        let mut next = || Duration::from_nanos(numbers.next().unwrap_or_default());
        Self {
            ran: next(),
            waited: next(),
        }
    }

    /// Of all threads that answer. None of them ends while others are asked.
    fn of_threads(pid: u32) -> Self {
        let mut sum = Self::default();
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        for task in tasks.flatten() {
            let path = task.path();
            let name = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
            if name.trim() == ANSWERING {
                let of_thread = Self::read(path.join("schedstat").to_str().unwrap());
                sum.ran += of_thread.ran;
                sum.waited += of_thread.waited;
            }
        }
        sum
    }

    fn add(&mut self, before: Self, after: Self) {
        self.ran += after.ran.saturating_sub(before.ran);
        self.waited += after.waited.saturating_sub(before.waited);
    }
}

/// A histogram of the metrics server.
#[derive(Clone, Default)]
struct Histogram {
    /// Upper bound in seconds as it is written, and how many are within it.
    buckets: Vec<(String, f64)>,
    sum: f64,
}

impl Histogram {
    fn read(text: &str, name: &str) -> Self {
        let mut read = Self::default();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix(name) else {
                continue;
            };
            let Some((series, value)) = rest.rsplit_once(' ') else {
                continue;
            };
            let value: f64 = value.parse().unwrap();
            if series == "_sum" {
                read.sum = value;
            }
            let bound = series.strip_prefix("_bucket{le=\"");
            if let Some(bound) = bound.and_then(|bound| bound.strip_suffix("\"}")) {
                read.buckets.push((bound.to_owned(), value));
            }
        }
        read
    }

    fn add(&mut self, before: &Self, after: &Self) {
        if self.buckets.is_empty() {
            let empty = after.buckets.iter();
            self.buckets = empty.map(|(bound, _)| (bound.clone(), 0.0)).collect();
        }
        for (place, (_, count)) in self.buckets.iter_mut().enumerate() {
            let of = |read: &Self| read.buckets.get(place).map_or(0.0, |(_, count)| *count);
            *count += of(after) - of(before);
        }
        self.sum += after.sum - before.sum;
    }

    fn count(&self) -> f64 {
        self.buckets.last().map_or(0.0, |(_, count)| *count)
    }

    fn mean(&self) -> f64 {
        self.sum / self.count().max(1.0)
    }

    /// The bound that this share of all is within.
    fn at_most(&self, share: f64) -> String {
        let wanted = self.count() * share;
        let bucket = self.buckets.iter().find(|(_, count)| *count >= wanted);
        match bucket.and_then(|(bound, _)| bound.parse::<f64>().ok()) {
            Some(bound) if bound.is_finite() => format!("{} ms", bound * 1e3),
            _ => "?".to_owned(),
        }
    }
}
