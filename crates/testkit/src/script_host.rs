//! Any host with a scripted pool and root sessions that can be made to misbehave.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_primitives::B256;
use blockwright_seams::{
    Closing, Host, HostError, MakeClosing, RootFault, RootKeys, RootSession, RootsAnswer,
    RootsReply, Wake,
};
use blockwright_types::{BuildRequest, Changes, Roots};
use crossbeam_channel::bounded;
use parking_lot::Mutex;

use crate::{ScriptCandidates, ScriptPool};

/// How root sessions misbehave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RootsScript {
    /// They do not.
    #[default]
    Honest,
    /// The root of this flashblock fails.
    FailAt(u64),
    /// Closing this flashblock panics on the job's thread.
    PanicAt(u64),
    /// Roots of this flashblock are never answered.
    SilentAt(u64),
    /// All sessions of these numbers fail, from the first one to before the last one. A job's own
    /// is the first one after those before it; what completes its block opens further ones.
    FailSessions(u64, u64),
    /// Answers are kept until the test lets them go, see [`ScriptHost::release_roots`].
    Gated,
}

/// How long a real root session may take, in real time.
const PATIENCE: Duration = Duration::from_secs(20);

type Parked = Arc<Mutex<VecDeque<Box<dyn FnOnce() + Send>>>>;

/// Any host with a scripted pool and root sessions that can be made to misbehave; they also count
/// what they were asked, so that a simulator can wait for a real session's answers.
#[derive(Clone)]
pub struct ScriptHost<H> {
    inner: H,
    pool: ScriptPool,
    script: RootsScript,
    parked: Parked,
    closes: Arc<AtomicU64>,
    sessions: Arc<AtomicU64>,
    closing: Option<MakeClosing>,
}

impl<H: Host> ScriptHost<H> {
    /// Wraps `inner`; its own candidates are not used.
    pub fn new(inner: H, pool: ScriptPool, script: RootsScript) -> Self {
        Self {
            inner,
            pool,
            script,
            parked: Parked::default(),
            closes: Arc::default(),
            sessions: Arc::default(),
            closing: None,
        }
    }

    /// Blocks end with what `make` gives.
    #[must_use]
    pub fn closed_by(
        mut self,
        make: impl Fn(&BuildRequest) -> Option<Box<dyn Closing>> + Send + Sync + 'static,
    ) -> Self {
        self.closing = Some(Arc::new(make));
        self
    }

    /// The scripted pool.
    pub const fn pool(&self) -> &ScriptPool {
        &self.pool
    }

    /// Roots asked for so far, over all sessions.
    pub fn closes(&self) -> u64 {
        self.closes.load(Ordering::Acquire)
    }

    /// The roots after `changes`, from a session of the wrapped host that no script touches.
    pub fn honest_roots<'a>(
        &self,
        parent: B256,
        changes: impl Iterator<Item = &'a Arc<Changes>>,
    ) -> Result<(Roots, H::Artifact), HostError> {
        let (sender, answer) = bounded(1);
        let reply = Box::new(move |answer| drop(sender.try_send(answer)));
        let mut session = self.inner.roots(parent, reply)?;
        changes.for_each(|piece| session.push(Arc::clone(piece)));
        session.close(0);
        let answer: RootsAnswer<H::Artifact> = answer
            .recv_timeout(PATIENCE)
            .map_err(|error| HostError::Internal(Box::new(error)))?;
        answer
            .result
            .map_err(|fault| HostError::Internal(Box::new(fault)))
    }

    /// Lets the oldest kept answer go; false where none is kept.
    pub fn release_roots(&self) -> bool {
        let parked = self.parked.lock().pop_front();
        parked.is_some_and(|answer| {
            answer();
            true
        })
    }
}

impl<H: Host> Host for ScriptHost<H> {
    type Reader = H::Reader;
    type Artifact = H::Artifact;
    type Open = H::Open;
    type Roots = TappedRoots<H::Roots>;
    type Candidates = ScriptCandidates;

    fn reader(&self, parent: B256) -> Result<H::Reader, HostError> {
        self.inner.reader(parent)
    }

    fn open(&self, request: &BuildRequest) -> Result<H::Open, HostError> {
        self.inner.open(request)
    }

    fn roots(
        &self,
        parent: B256,
        reply: RootsReply<H::Artifact>,
    ) -> Result<Self::Roots, HostError> {
        let script = self.script;
        let session = self.sessions.fetch_add(1, Ordering::AcqRel);
        let parked = Arc::clone(&self.parked);
        let reply = Arc::new(Mutex::new(reply));
        let inner = self.inner.roots(
            parent,
            Box::new(move |answer: RootsAnswer<H::Artifact>| match script {
                RootsScript::FailAt(index) if index == answer.index => {
                    (reply.lock())(failed(answer));
                }
                RootsScript::FailSessions(from, to) if (from..to).contains(&session) => {
                    (reply.lock())(failed(answer));
                }
                RootsScript::SilentAt(index) if index == answer.index => {}
                RootsScript::Gated => {
                    let reply = Arc::clone(&reply);
                    parked
                        .lock()
                        .push_back(Box::new(move || (reply.lock())(answer)));
                }
                RootsScript::Honest
                | RootsScript::FailAt(_)
                | RootsScript::FailSessions(..)
                | RootsScript::SilentAt(_)
                | RootsScript::PanicAt(_) => (reply.lock())(answer),
            }),
        )?;
        Ok(TappedRoots {
            inner,
            script,
            closes: Arc::clone(&self.closes),
        })
    }

    fn candidates(&self, _request: &BuildRequest, wake: Wake) -> ScriptCandidates {
        self.pool.subscribe(wake)
    }

    fn closing(&self, request: &BuildRequest) -> Option<Box<dyn Closing>> {
        match &self.closing {
            Some(make) => make(request),
            None => self.inner.closing(request),
        }
    }
}

fn failed<A>(mut answer: RootsAnswer<A>) -> RootsAnswer<A> {
    answer.result = Err(RootFault("scripted failure".to_owned()));
    answer
}

/// A root session under a script.
pub struct TappedRoots<R> {
    inner: R,
    script: RootsScript,
    closes: Arc<AtomicU64>,
}

impl<R: RootSession> RootSession for TappedRoots<R> {
    fn push(&mut self, changes: Arc<Changes>) {
        self.inner.push(changes);
    }

    fn prefetch(&mut self, keys: RootKeys) {
        self.inner.prefetch(keys);
    }

    fn close(&mut self, index: u64) {
        #[allow(clippy::panic, reason = "the panic is what tests ask for")]
        if self.script == RootsScript::PanicAt(index) {
            std::panic::panic_any("scripted panic");
        }
        self.closes.fetch_add(1, Ordering::AcqRel);
        self.inner.close(index);
    }
}
