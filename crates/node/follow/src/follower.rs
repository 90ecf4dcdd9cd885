//! Follows one stream: which block grows, what it stands on, and what the head makes of it.

use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::B256;
use blockwright_engine::decode_all;
use blockwright_flashblocks::OpFlashblockPayload;
use blockwright_pending::{Ground, Growth, PendingBlock, PendingFeed};
use blockwright_pool::Pool;
use blockwright_state::BlockRef;
use blockwright_types::{PayloadId, SharedTx, UnixUs};
use blockwright_verify::{Outcome, Sequence};

use crate::held::Held;
use crate::line::{Footing, Line, Link};
use crate::waiting::{Arrived, Waiting};
use crate::{Executed, Refutation, Replica, ReplicaDeps, Step, metrics};

/// What following needs.
pub struct FollowDeps {
    /// What executing needs.
    pub replica: ReplicaDeps,
    /// Transactions known already: their senders need no second recovery.
    pub pool: Pool,
    /// Where snapshots go.
    pub feed: PendingFeed,
}

/// Executes the flashblocks of one stream, in their order, and makes snapshots of them. Synchronous:
/// it moves when it is told of a flashblock or of a new head.
pub struct Follower {
    deps: FollowDeps,
    sequence: Sequence,
    line: Line,
    held: Held,
    current: Current,
    /// Payload of the last snapshot made.
    shown: Option<PayloadId>,
}

/// The payload that the stream is at.
#[derive(Default)]
enum Current {
    /// None, or one that was given up.
    #[default]
    Idle,
    Waiting(Waiting),
    Running(Box<Running>),
}

struct Running {
    replica: Replica,
    pending: Arc<PendingBlock>,
}

impl Running {
    fn parent(&self) -> B256 {
        self.pending.context.parent_hash
    }

    fn number(&self) -> u64 {
        self.pending.context.number
    }
}

impl Follower {
    /// A follower that waits for an index 0.
    pub fn new(deps: FollowDeps) -> Self {
        let head = deps.replica.store.head();
        Self {
            deps,
            sequence: Sequence::default(),
            line: Line::new(head),
            held: Held::default(),
            current: Current::Idle,
            shown: None,
        }
    }

    /// Takes the next flashblock of the stream, which came at `at`: its snapshot is believed for two
    /// intervals from then on, however long it waited here.
    pub fn take(&mut self, flashblock: &Arc<OpFlashblockPayload>, at: UnixUs) -> Step {
        self.follow_head();
        match self.sequence.check(flashblock) {
            Outcome::Accepted => {}
            Outcome::Equivocation(equivocation) => return Step::Equivocation(equivocation),
            Outcome::Invalid(error) => return Step::Invalid(error),
            ignored => return Step::Ignored(ignored.label()),
        }
        let arrived = Arrived {
            flashblock: Arc::clone(flashblock),
            at,
        };
        let step = match &flashblock.base {
            Some(base) => self.begin(arrived, base.parent_hash),
            None => self.go_on(arrived),
        };
        if matches!(step, Step::Refuted(_)) {
            self.withdraw(flashblock.payload_id);
        }
        step
    }

    /// Looks whether the head moved. What does not lead on from it is withdrawn, and what waited for
    /// it is executed; then what became of the last flashblock of that is returned.
    pub fn follow_head(&mut self) -> Option<Step> {
        let head = self.deps.replica.store.head();
        if head == self.line.head() {
            return None;
        }
        self.line.set_head(head);
        self.held.set_head(head, &self.deps.replica.store);
        self.deps.replica.handover.forget_to(head.number);
        metrics::ahead(self.line.len());
        let (number, parent) = match &self.current {
            Current::Idle => return None,
            Current::Running(running) => (running.number(), running.parent()),
            Current::Waiting(waiting) => (waiting.number, waiting.parent),
        };
        let footing = self.line.footing(parent).filter(|_| number > head.number);
        match (core::mem::take(&mut self.current), footing) {
            (Current::Waiting(waiting), Some(footing)) => Some(self.resume(&waiting, footing)),
            // It may still become the head's child.
            (Current::Waiting(waiting), None) if number > head.number => {
                self.current = Current::Waiting(waiting);
                None
            }
            (Current::Running(running), None) => {
                self.deps.feed.clear(running.pending.payload_id);
                None
            }
            (current @ Current::Running(_), Some(_)) => {
                self.current = current;
                None
            }
            (Current::Idle | Current::Waiting(_), _) => None,
        }
    }

    /// Forgets the payload that the stream is at, whatever state it is in.
    pub(crate) fn give_up(&mut self) {
        self.current = Current::Idle;
        if let Some(shown) = self.shown.take() {
            self.deps.feed.clear(shown);
        }
    }

    fn withdraw(&mut self, payload_id: PayloadId) {
        self.current = Current::Idle;
        self.deps.feed.clear(payload_id);
    }

    /// A payload opens on `parent`.
    fn begin(&mut self, opening: Arrived, parent: B256) -> Step {
        let before = core::mem::take(&mut self.current);
        if let Current::Running(running) = before
            && !self.promote(&running, parent)
        {
            // Another block for the same place, or one whose end was not seen.
            self.deps.feed.clear(running.pending.payload_id);
        }
        let Some(footing) = self.line.footing(parent) else {
            metrics::unknown_parent();
            self.current = Current::Waiting(Waiting::new(opening, parent));
            return Step::Waiting;
        };
        self.line.fork_at(parent);
        self.open(&opening, footing).unwrap_or_else(Step::Refuted)
    }

    /// Makes the block that ran a link of the line, where it is the one with this hash. The store
    /// holds it from then on, so that the next one can be executed on it.
    fn promote(&mut self, running: &Running, hash: B256) -> bool {
        let stated = running.pending.block.hash;
        if !self.line.has_room() || !(stated == hash || stated.is_zero()) {
            return false;
        }
        // Where the stream carried no roots, this is where somebody needs them.
        match running.replica.block() {
            Ok(block) if block.hash == hash => {}
            Ok(_) => return false,
            Err(fault) => {
                tracing::error!(number = running.number(), %fault, "no roots of a followed block");
                return false;
            }
        }
        let ReplicaDeps {
            store, handover, ..
        } = &self.deps.replica;
        let Some((block, delta)) = blockwright_engine::Preconfirmed::executed(handover, hash)
        else {
            return false;
        };
        if !store.contains(hash) {
            if !self.held.has_room() {
                tracing::debug!(%hash, "too many blocks are held that no consensus client has brought");
                return false;
            }
            if let Err(error) = store.insert(block, delta) {
                tracing::warn!(%hash, %error, "a followed block cannot be held");
                return false;
            }
            metrics::held_ahead();
            self.held.add(BlockRef {
                number: running.number(),
                hash,
            });
        }
        self.line.push(Link {
            hash,
            parent: running.parent(),
            pending: Arc::clone(&running.pending),
        });
        metrics::ahead(self.line.len());
        true
    }

    fn open(&mut self, opening: &Arrived, footing: Footing) -> Result<Step, Refutation> {
        let started = Instant::now();
        let Arrived {
            flashblock: opening,
            at,
        } = opening;
        let transactions = self.decode(opening)?;
        let (replica, executed) = Replica::open(&self.deps.replica, opening, &transactions)?;
        let context = replica.context().clone();
        let parent = context.parent_hash;
        let state = self.deps.replica.store.reader(parent);
        let gone = || Refutation::Fault(format!("the state of block {parent} is gone"));
        let state = state.ok_or_else(gone)?;
        let ground = match footing {
            Footing::Preconfirmed(parent) => Ground::Held { state, parent },
            Footing::Head => Ground::Stored(state),
        };
        let (id, growth) = (opening.payload_id, growth(executed));
        let pending = Arc::new(PendingBlock::first(id, context, ground, growth));
        metrics::executed(started.elapsed());
        Ok(self.publish(replica, pending, *at))
    }

    fn go_on(&mut self, next: Arrived) -> Step {
        let id = next.flashblock.payload_id;
        match core::mem::take(&mut self.current) {
            Current::Running(running) if running.replica.payload_id() == id => {
                self.append(*running, &next).unwrap_or_else(Step::Refuted)
            }
            Current::Waiting(mut waiting) if waiting.payload_id == id => {
                if waiting.push(next) {
                    self.current = Current::Waiting(waiting);
                    Step::Waiting
                } else {
                    Step::Ignored("waiting_full")
                }
            }
            other => {
                self.current = other;
                Step::Ignored("given_up")
            }
        }
    }

    fn append(
        &mut self,
        running: Running,
        Arrived { flashblock, at }: &Arrived,
    ) -> Result<Step, Refutation> {
        let started = Instant::now();
        let Running {
            mut replica,
            pending,
        } = running;
        let transactions = self.decode(flashblock)?;
        let executed = replica.append(flashblock, &transactions)?;
        let pending = Arc::new(pending.grown(growth(executed)));
        metrics::executed(started.elapsed());
        Ok(self.publish(replica, pending, *at))
    }

    fn publish(&mut self, replica: Replica, pending: Arc<PendingBlock>, at: UnixUs) -> Step {
        self.shown = Some(pending.payload_id);
        self.deps.feed.publish_as_of(at, Arc::clone(&pending));
        self.current = Current::Running(Box::new(Running {
            replica,
            pending: Arc::clone(&pending),
        }));
        Step::Published(pending)
    }

    /// Executes what waited.
    fn resume(&mut self, waiting: &Waiting, footing: Footing) -> Step {
        let mut flashblocks = waiting.flashblocks.iter();
        let Some(opening) = flashblocks.next() else {
            return Step::Waiting;
        };
        let mut step = self.open(opening, footing).unwrap_or_else(Step::Refuted);
        for flashblock in flashblocks {
            if !matches!(step, Step::Published(_)) {
                break;
            }
            step = self.go_on(flashblock.clone());
        }
        if matches!(step, Step::Refuted(_)) {
            self.withdraw(waiting.payload_id);
        }
        step
    }

    fn decode(&self, flashblock: &OpFlashblockPayload) -> Result<Vec<SharedTx>, Refutation> {
        let encoded = &flashblock.diff.transactions;
        Ok(decode_all(
            &self.deps.pool,
            &self.deps.replica.store,
            encoded,
        )?)
    }
}

fn growth(executed: Executed) -> Growth {
    let Executed { block, part, .. } = executed;
    Growth {
        header: block.header.clone(),
        hash: block.hash,
        part,
    }
}
