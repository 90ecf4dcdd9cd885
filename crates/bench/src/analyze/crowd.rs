//! How far the crowd's members were behind the first of them.

use std::collections::BTreeMap;

use crate::{CrowdFigures, FlashblockKey, Percentiles, RunRecord};

/// Figures of the crowd; `None` where there was none.
pub(super) fn figures(record: &RunRecord) -> Option<CrowdFigures> {
    let crowd = &record.crowd;
    if record.plan.crowd.subscribers == 0 {
        return None;
    }
    let mut arrivals: BTreeMap<FlashblockKey, Vec<u64>> = BTreeMap::new();
    for delivery in &crowd.deliveries {
        let at_us = arrivals.entry(delivery.flashblock).or_default();
        at_us.push(delivery.at_us);
    }
    let mut behind_us = Vec::with_capacity(crowd.deliveries.len());
    let mut last_behind_us = Vec::with_capacity(arrivals.len());
    for at_us in arrivals.values() {
        let first_us = at_us.iter().copied().min().unwrap_or_default();
        // What was replayed when the crowd came is no delivery of the run.
        if first_us < record.started_us {
            continue;
        }
        behind_us.extend(at_us.iter().map(|at_us| at_us - first_us));
        last_behind_us.extend(at_us.iter().max().map(|last_us| last_us - first_us));
    }
    Some(CrowdFigures {
        flashblocks: last_behind_us.len() as u64,
        deliveries: behind_us.len() as u64,
        unrecorded: crowd.unrecorded,
        gaps: crowd.gaps,
        lost: crowd.lost,
        first_loss: crowd.first_loss.clone(),
        behind_first_ms: Percentiles::of_us(behind_us),
        last_behind_first_ms: Percentiles::of_us(last_behind_us),
        hostile: crowd.hostile,
    })
}
