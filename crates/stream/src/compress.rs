//! The threads that compress frames, one a codec.

use std::sync::{Arc, Weak};
use std::time::Instant;

use blockwright_threads::Priority;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Bytes;

use crate::content::Content;
use crate::encoding::Codec;
use crate::entry::Entry;
use crate::metrics;

/// A frame to be compressed.
struct Job {
    /// Weak: a frame that left the ring and that nobody waits for is not compressed.
    entry: Weak<Entry>,
    content: Content,
    reply: oneshot::Sender<Bytes>,
}

/// Ways to the compressing threads, which end when this is dropped.
#[derive(Debug)]
pub(crate) struct Compressors {
    queues: [mpsc::Sender<Job>; Codec::ALL.len()],
}

/// A place in a thread's queue.
pub(crate) struct Room<'a>(mpsc::Permit<'a, Job>);

impl Room<'_> {
    /// Asks for the frame of `entry`; an answer that is dropped says that there will be none.
    pub(crate) fn send(self, entry: &Arc<Entry>, content: Content, reply: oneshot::Sender<Bytes>) {
        self.0.send(Job {
            entry: Arc::downgrade(entry),
            content,
            reply,
        });
    }
}

impl Compressors {
    /// Starts the threads. `waiting_max` frames may wait for each.
    pub(crate) fn start(waiting_max: usize) -> std::io::Result<Self> {
        let start = |codec: Codec| {
            let (sender, jobs) = mpsc::channel(waiting_max);
            // Compressing gives way to building and to the frames of everybody else.
            blockwright_threads::spawn(
                format!("frames-{}", codec.label()),
                Priority::Requests,
                move || run(codec, jobs),
            )?;
            Ok::<_, std::io::Error>(sender)
        };
        let [brotli, zstd] = Codec::ALL;
        Ok(Self {
            queues: [start(brotli)?, start(zstd)?],
        })
    }

    /// A place in the queue of `codec`; `None`, and counted, where it is full.
    pub(crate) fn room(&self, codec: Codec) -> Option<Room<'_>> {
        let permit = self.queues[codec.place()].try_reserve().ok();
        if permit.is_none() {
            metrics::compress_refused(codec);
        }
        permit.map(Room)
    }
}

fn run(codec: Codec, mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.blocking_recv() {
        let Some(entry) = job.entry.upgrade() else {
            continue;
        };
        let started = Instant::now();
        match codec.compress(entry.plain(job.content).bytes()) {
            Ok(packed) => {
                metrics::compressed(codec, packed.len(), started.elapsed());
                // Whoever waited may be gone.
                let _ = job.reply.send(packed.into());
            }
            Err(error) => tracing::error!(%error, codec = codec.label(), "frame not compressed"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod stalled {
    use super::*;

    /// The threads' ends of queues from which nothing is taken unless a test does.
    pub(crate) struct Stalled([mpsc::Receiver<Job>; Codec::ALL.len()]);

    impl Compressors {
        pub(crate) fn stalled(waiting_max: usize) -> (Self, Stalled) {
            let [(brotli, brotli_jobs), (zstd, zstd_jobs)] =
                Codec::ALL.map(|_| mpsc::channel(waiting_max));
            let compressors = Self {
                queues: [brotli, zstd],
            };
            (compressors, Stalled([brotli_jobs, zstd_jobs]))
        }
    }

    impl Stalled {
        pub(crate) fn take(&mut self, codec: Codec) {
            self.0[codec.place()].try_recv().unwrap();
        }
    }
}
