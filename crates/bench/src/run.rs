//! A run from the first check to the record.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::now_us;
use crate::crowd::Crowd;
use crate::player::Player;
use crate::recorder::Recorder;
use crate::resuming::Resuming;
use crate::session::Session;
use crate::target_check::check;
use crate::warm_memory::WarmMemory;
use crate::{BenchError, Feed, Progress, RunPlan, RunRecord, Target, Workload};

/// Frames of a load take up to twice what its signed transactions take in memory.
const FRAME_SHARE: u64 = 2;

/// Measures the builder behind `target` with `workload`, as `plan` says.
///
/// To be called on a Tokio runtime with two worker threads: the consensus client's calls are timed on
/// the caller's thread, the load is sent from the workers, the stream is recorded on a thread of its
/// own. The chain must be fresh: the workload's genesis, and nothing sent by its senders yet.
///
/// # Errors
///
/// Where the plan is out of range; where the target cannot be reached, refuses the secret or is not on
/// the plan's chain, before anything is sent; where the builder gives no block for several slots or
/// does not import its own; where more is recorded than fits in memory.
pub async fn run(
    plan: &RunPlan,
    workload: Workload,
    target: &Target,
    progress: &dyn Progress,
) -> Result<RunRecord, BenchError> {
    plan.validate()?;
    let workload = Arc::new(workload);
    let checked = check(plan, &workload, target).await?;
    let memory = WarmMemory::of(FRAME_SHARE * workload.bytes());
    let recorder = Recorder::connect(&target.stream_url, memory).await?;
    let crowd = Crowd::gather(&target.stream_url, plan.crowd, plan.load_time()).await?;
    let cut_every = Duration::from_millis(plan.trouble.cut_every_ms);
    let resuming = Resuming::start(&target.stream_url, cut_every).await?;
    let (sealed, sealed_seen) = watch::channel(0);
    let feed = Feed::connect(workload, &target.rpc_url, sealed_seen).await?;
    let genesis = checked.player.head.hash;
    let player = Player::new(checked.engine, checked.player, sealed);
    let session = Session::new(plan, player, &recorder, progress);
    let seen = Box::pin(session.play(feed, target.pid)).await?;
    let ended_us = now_us();
    recorder.silence().await;
    let recording = recorder.finish();
    let crowd = crowd.disperse();
    let resuming = resuming.finish();
    let validations = match checked.validator {
        Some(mut validator) => {
            let envelopes = seen.envelopes();
            validator.replay(genesis, &envelopes, progress).await
        }
        None => Vec::new(),
    };
    let mut frames = recording.frames;
    frames.retain(|frame| frame.at_us >= seen.started_us);
    Ok(RunRecord {
        plan: plan.clone(),
        client_version: checked.client_version,
        started_us: seen.started_us,
        ended_us,
        transactions: seen.transactions,
        blocks: seen.blocks,
        blocks_under_load: seen.blocks_under_load,
        slots_missed: seen.slots_missed,
        frames,
        stream_error: recording.error,
        crowd,
        trouble: seen.trouble,
        resuming,
        builder: seen.usage.builder,
        meter: seen.usage.meter,
        machine: seen.usage.machine,
        validations,
    })
}
