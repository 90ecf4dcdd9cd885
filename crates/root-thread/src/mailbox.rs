//! The queue between a block under construction and its root worker.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use blockwright_types::Changes;
use parking_lot::{Condvar, Mutex};

use crate::metrics;

/// Pieces that wait before the sender begins to merge them.
const PIECES_MAX: usize = 64;

/// What the worker is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Lay these post-values over the session's state.
    Push(Arc<Changes>),
    /// Answer with the roots of everything before.
    Close { index: u64, asked_at: Instant },
}

/// A bounded queue whose sender never waits: when it is full, a piece is merged into the last one
/// that waits (sets of post-values allow that) and counted. A close is always taken; there is one
/// a flashblock, which bounds them by the block time.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    commands: VecDeque<Command>,
    pieces: usize,
    ended: bool,
}

impl Mailbox {
    pub(crate) fn push(&self, changes: Arc<Changes>) {
        let mut queue = self.queue.lock();
        if queue.pieces >= PIECES_MAX
            && let Some(Command::Push(waiting)) = queue.commands.back_mut()
        {
            Arc::make_mut(waiting).extend(&changes);
            metrics::piece_coalesced();
            return;
        }
        queue.pieces += 1;
        queue.commands.push_back(Command::Push(changes));
        drop(queue);
        self.arrived.notify_one();
    }

    pub(crate) fn close(&self, index: u64) {
        self.queue.lock().commands.push_back(Command::Close {
            index,
            asked_at: Instant::now(),
        });
        self.arrived.notify_one();
    }

    /// No more commands; what waits is dropped.
    pub(crate) fn end(&self) {
        let mut queue = self.queue.lock();
        queue.ended = true;
        queue.commands.clear();
        queue.pieces = 0;
        drop(queue);
        self.arrived.notify_one();
    }

    /// The next command; `None` after the end.
    pub(crate) fn next(&self) -> Option<Command> {
        let mut queue = self.queue.lock();
        loop {
            if queue.ended {
                return None;
            }
            match queue.commands.pop_front() {
                Some(Command::Push(changes)) => {
                    queue.pieces -= 1;
                    return Some(Command::Push(changes));
                }
                Some(close) => return Some(close),
                None => self.arrived.wait(&mut queue),
            }
        }
    }

    /// Commands that were not taken yet.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.lock().commands.len()
    }
}
