//! The threads that make frames when they are asked for: one for forms, one a codec.

use std::sync::{Arc, Weak};
use std::time::Instant;

use blockwright_flashblocks::Form;
use blockwright_threads::Priority;
use tokio::sync::{mpsc, oneshot};

use crate::encoding::{Codec, Encoding};
use crate::entry::{Entry, Format};
use crate::forms::Forms;
use crate::frame::Frame;
use crate::metrics;

/// A frame to be made.
struct Job {
    /// Weak: a frame that left the ring and that nobody waits for is not made.
    entry: Weak<Entry>,
    form: Form,
    /// Dropped when the frame is in place or cannot be made.
    done: oneshot::Sender<()>,
}

/// Ways to the threads, which end when this is dropped.
#[derive(Debug)]
pub(crate) struct Makers {
    /// By [`Encoding::place`].
    queues: [mpsc::Sender<Job>; Encoding::COUNT],
}

/// A place in a thread's queue.
pub(crate) struct Room<'a>(mpsc::Permit<'a, Job>);

impl Room<'_> {
    /// Asks for the frame of `entry` in `form`; `done` is dropped when it is there, or never will be.
    pub(crate) fn send(self, entry: &Arc<Entry>, form: Form, done: oneshot::Sender<()>) {
        self.0.send(Job {
            entry: Arc::downgrade(entry),
            form,
            done,
        });
    }
}

impl Makers {
    /// Starts the threads. `waiting_max` frames may wait for each. With `prev_id` all JSON metadata
    /// names the flashblock before.
    pub(crate) fn start(waiting_max: usize, prev_id: bool) -> std::io::Result<Self> {
        let start = |encoding: Encoding| {
            let (sender, jobs) = mpsc::channel(waiting_max);
            // All of it gives way to building and to what a bare connection gets.
            blockwright_threads::spawn(
                format!("frames-{}", encoding.label()),
                Priority::Requests,
                move || match encoding {
                    Encoding::Plain => encode(jobs, Forms::new(prev_id)),
                    Encoding::Packed(codec) => compress(codec, jobs),
                },
            )?;
            Ok::<_, std::io::Error>(sender)
        };
        let [plain, brotli, zstd] = Encoding::ALL;
        Ok(Self {
            queues: [start(plain)?, start(brotli)?, start(zstd)?],
        })
    }

    /// A place in the queue for `encoding`; `None`, and counted, where it is full.
    pub(crate) fn room(&self, encoding: Encoding) -> Option<Room<'_>> {
        let permit = self.queues[encoding.place()].try_reserve().ok();
        if permit.is_none() {
            metrics::refused_to_make(encoding);
        }
        permit.map(Room)
    }
}

/// Makes forms until nobody can ask any more.
fn encode(mut jobs: mpsc::Receiver<Job>, mut forms: Forms) {
    while let Some(Job { entry, form, done }) = jobs.blocking_recv() {
        let Some(entry) = entry.upgrade() else {
            continue;
        };
        let started = Instant::now();
        match forms.encode(&entry, form) {
            Ok(frame) => {
                metrics::formed(form, frame.bytes().len(), started.elapsed());
                entry.put(plain(form), frame);
            }
            Err(error) => {
                metrics::not_formed(form);
                tracing::warn!(%error, ?form, "a flashblock has no frame of this form");
            }
        }
        drop(done);
    }
}

/// Compresses until nobody can ask any more.
fn compress(codec: Codec, mut jobs: mpsc::Receiver<Job>) {
    while let Some(Job { entry, form, done }) = jobs.blocking_recv() {
        let Some(entry) = entry.upgrade() else {
            continue;
        };
        // Nobody asks before the plain frame is there.
        let Some(frame) = entry.slot(plain(form)).get() else {
            continue;
        };
        let started = Instant::now();
        match codec.compress(frame.bytes()) {
            Ok(packed) => {
                metrics::compressed(codec, packed.len(), started.elapsed());
                let encoding = Encoding::Packed(codec);
                let frame = Frame::Binary(packed.into());
                entry.put(Format { form, encoding }, frame);
            }
            Err(error) => tracing::error!(%error, codec = codec.label(), "frame not compressed"),
        }
        drop(done);
    }
}

const fn plain(form: Form) -> Format {
    let encoding = Encoding::Plain;
    Format { form, encoding }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod stalled {
    use super::*;

    /// The threads' ends of queues from which nothing is taken unless a test does.
    pub(crate) struct Stalled([mpsc::Receiver<Job>; Encoding::COUNT]);

    impl Makers {
        pub(crate) fn stalled(waiting_max: usize) -> (Self, Stalled) {
            let [
                (plain, plain_jobs),
                (brotli, brotli_jobs),
                (zstd, zstd_jobs),
            ] = Encoding::ALL.map(|_| mpsc::channel(waiting_max));
            let makers = Self {
                queues: [plain, brotli, zstd],
            };
            (makers, Stalled([plain_jobs, brotli_jobs, zstd_jobs]))
        }
    }

    impl Stalled {
        pub(crate) fn take(&mut self, encoding: Encoding) {
            self.0[encoding.place()].try_recv().unwrap();
        }
    }
}
