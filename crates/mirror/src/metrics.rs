//! The metrics of the mirror, all in one place.

use blockwright_subscribe::Event;
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::Verdict;

const FRAMES: &str = "blockwright_mirror_frames_total";
const LAG: &str = "blockwright_mirror_lag_seconds";
const CONNECTED: &str = "blockwright_mirror_connected_count";
const CONNECTS: &str = "blockwright_mirror_connects_total";
const DISCONNECTS: &str = "blockwright_mirror_disconnects_total";
const STALLS: &str = "blockwright_mirror_stalls_total";
const GAPS: &str = "blockwright_mirror_gaps_total";
const LOST: &str = "blockwright_mirror_lost_total";

/// Tells the recorder what each metric means.
pub(crate) fn describe() {
    describe_counter!(
        FRAMES,
        Unit::Count,
        "Flashblocks from upstreams, by upstream and by what they were"
    );
    describe_histogram!(
        LAG,
        Unit::Seconds,
        "How much later than the first copy an upstream's came"
    );
    describe_gauge!(CONNECTED, Unit::Count, "Upstreams that are connected");
    describe_counter!(
        CONNECTS,
        Unit::Count,
        "Connections to upstreams, by whether they were resumed"
    );
    describe_counter!(
        DISCONNECTS,
        Unit::Count,
        "Connections to upstreams that ended or did not come about"
    );
    describe_counter!(
        STALLS,
        Unit::Count,
        "Times an upstream sent nothing for two intervals"
    );
    describe_counter!(
        GAPS,
        Unit::Count,
        "Times an upstream may have missed flashblocks"
    );
    describe_counter!(
        LOST,
        Unit::Count,
        "Payloads of which subscribers lack a part; they were told to reconnect"
    );
    // An alarm on growth needs a beginning.
    counter!(LOST).increment(0);
}

/// A payload was given up.
pub(crate) fn lost() {
    counter!(LOST).increment(1);
}

/// One upstream's metrics.
pub(crate) struct UpstreamMetrics {
    first: Counter,
    held: Counter,
    duplicate: Counter,
    late: Counter,
    different: Counter,
    refused: Counter,
    unreadable: Counter,
    lag: Histogram,
    connected: Gauge,
    resumed: Counter,
    anew: Counter,
    disconnects: Counter,
    stalls: Counter,
    gaps: Counter,
}

impl UpstreamMetrics {
    /// Those of the upstream with this name.
    pub(crate) fn new(name: &str) -> Self {
        let frames =
            |kind: &'static str| counter!(FRAMES, "upstream" => name.to_owned(), "kind" => kind);
        let connects = |resumed: &'static str| counter!(CONNECTS, "upstream" => name.to_owned(), "resumed" => resumed);
        Self {
            first: frames("first"),
            held: frames("held"),
            duplicate: frames("duplicate"),
            late: frames("late"),
            different: frames("different"),
            refused: frames("refused"),
            unreadable: frames("unreadable"),
            lag: histogram!(LAG, "upstream" => name.to_owned()),
            connected: gauge!(CONNECTED, "upstream" => name.to_owned()),
            resumed: connects("yes"),
            anew: connects("no"),
            disconnects: counter!(DISCONNECTS, "upstream" => name.to_owned()),
            stalls: counter!(STALLS, "upstream" => name.to_owned()),
            gaps: counter!(GAPS, "upstream" => name.to_owned()),
        }
    }

    /// Counts what an upstream did. Frames are counted by what they were.
    pub(crate) fn event(&self, event: &Event) {
        match event {
            Event::Connected { is_resumed, .. } => {
                self.connected.set(1.0);
                let kind = if *is_resumed {
                    &self.resumed
                } else {
                    &self.anew
                };
                kind.increment(1);
            }
            Event::Disconnected { .. } => {
                self.connected.set(0.0);
                self.disconnects.increment(1);
            }
            Event::Stalled { .. } => self.stalls.increment(1),
            Event::Gap(_) => self.gaps.increment(1),
            Event::Unreadable { .. } => self.unreadable.increment(1),
            Event::Frame(_) => {}
        }
    }

    /// Counts a frame.
    pub(crate) fn frame(&self, verdict: Verdict) {
        let kind = match verdict {
            Verdict::First => &self.first,
            Verdict::Held => &self.held,
            Verdict::Duplicate { lag_us } => {
                self.lag.record(lag_us as f64 / 1e6);
                &self.duplicate
            }
            Verdict::Late => &self.late,
            Verdict::Different => &self.different,
            Verdict::Refused => &self.refused,
        };
        kind.increment(1);
    }
}
