//! A connection that is not waited for longer than is agreed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::{ServerLimits, metrics};

/// What a client is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It sends a request, or ought to.
    Asking,
    /// It takes an answer.
    Answered,
    /// It may stay for another request.
    Idle,
}

/// How far the service is with a request, told to the connection under it. What is written before an
/// answer is there asks the client for more of its request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: AtomicU8,
    /// When the request was complete that is being answered.
    complete_at: Mutex<Option<Instant>>,
}

impl Progress {
    const WAITING: u8 = 0;
    const WORKING: u8 = 1;
    const ANSWERED: u8 = 2;

    /// The request is complete, since `at`: until it is answered, it is not the client who is waited for.
    pub(crate) fn complete(&self, at: Instant) {
        *self.0.complete_at.lock() = Some(at);
        self.0.state.store(Self::WORKING, Ordering::Release);
    }

    /// There is an answer.
    pub(crate) fn answered(&self) {
        self.0.state.store(Self::ANSWERED, Ordering::Release);
    }

    /// The answer is in the system's hands.
    fn sent(&self) {
        if let Some(at) = self.0.complete_at.lock().take() {
            metrics::sent(at.elapsed());
        }
    }

    fn is_working(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == Self::WORKING
    }

    /// Whether there is an answer that was not begun yet.
    fn take_answer(&self) -> bool {
        let (from, to) = (Self::ANSWERED, Self::WAITING);
        let taken = self
            .0
            .state
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
        taken.is_ok()
    }
}

/// Fails reads and writes once their phase has lasted too long. One byte now and then does not help a
/// client: a deadline belongs to a whole request, and to a whole answer.
pub(crate) struct Paced<S> {
    stream: S,
    limits: ServerLimits,
    phase: Phase,
    deadline: Pin<Box<Sleep>>,
    progress: Progress,
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, limits: ServerLimits, progress: Progress) -> Self {
        Self {
            stream,
            phase: Phase::Asking,
            deadline: Box::pin(sleep(limits.request_timeout)),
            limits,
            progress,
        }
    }

    fn enter(&mut self, phase: Phase) {
        let lasts = match phase {
            Phase::Asking => self.limits.request_timeout,
            Phase::Answered => self.limits.answer_timeout,
            Phase::Idle => self.limits.idle_timeout,
        };
        self.phase = phase;
        self.deadline
            .as_mut()
            .reset(tokio::time::Instant::now() + lasts);
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.progress.is_working() || self.deadline.as_mut().poll(context).is_pending() {
            return Ok(());
        }
        match self.phase {
            Phase::Asking => metrics::timed_out("request"),
            Phase::Answered => metrics::timed_out("answer"),
            Phase::Idle => metrics::timed_out("idle"),
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    fn check_write(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.progress.take_answer() {
            self.enter(Phase::Answered);
        }
        self.check(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        let before = buffer.filled().len();
        let done = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.phase == Phase::Idle && buffer.filled().len() > before {
            self.enter(Phase::Asking);
        }
        done
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_write(context)?;
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_write(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        let done = Pin::new(&mut self.stream).poll_flush(context);
        if self.phase == Phase::Answered && matches!(done, Poll::Ready(Ok(()))) {
            self.enter(Phase::Idle);
            self.progress.sent();
        }
        done
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
