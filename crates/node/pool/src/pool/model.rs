//! The pool against a naive one: random scripts of arrivals, blocks, reorgs and jobs; after every
//! step both hold the same transactions in the same classes, and every refusal has the same name.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use alloy_consensus::{Transaction, TxEip1559};
use alloy_primitives::{Address, B256, Bytes, U256};
use blockwright_seams::{Candidate, Candidates};
use blockwright_types::{SealedBlock, SharedTx, SkipReason};
use proptest::prelude::*;

use crate::candidates::PoolCandidates;
use crate::testing::{
    Accounts, BASE_FEE, Chain, ROLLUP_FEE, counting_wake, priced, property, recovered, request,
    sealed, sender, transfer,
};

const SENDERS: u8 = 4;
const COUNT_MAX: usize = 12;
const SIZE_MAX: u64 = 2_600;
const SLOTS_MAX: usize = 5;

#[derive(Clone, Debug)]
enum Op {
    Add {
        sender: u8,
        nonce: u64,
        fee_cap: u64,
        tip: u64,
        value: u64,
        data: usize,
    },
    /// Includes so many of each sender's executable ones; `foreign` uses one nonce more of sender 0.
    Block {
        counts: Vec<usize>,
        foreign: bool,
        balances: Vec<u64>,
        base_fee: u64,
    },
    /// Takes the last block back.
    Reorg,
    OpenJob,
    Poll {
        max: usize,
    },
    Commit,
    Reject {
        last: bool,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let add = (
        0..SENDERS,
        0u64..8,
        100u64..140,
        0u64..30,
        0u64..3,
        prop_oneof![3 => Just(0usize), 1 => 100usize..700],
    )
        .prop_map(|(sender, nonce, fee_cap, tip, value, data)| Op::Add {
            sender,
            nonce,
            fee_cap,
            tip,
            value,
            data,
        });
    let counts = prop::collection::vec(0usize..3, SENDERS as usize);
    let balances = prop::collection::vec(11u64..40, SENDERS as usize);
    let block = (counts, prop::bool::weighted(0.2), balances, 90u64..130).prop_map(
        |(counts, foreign, balances, base_fee)| Op::Block {
            counts,
            foreign,
            balances,
            base_fee,
        },
    );
    prop_oneof![
        24 => add,
        3 => block,
        1 => Just(Op::Reorg),
        1 => Just(Op::OpenJob),
        4 => (1usize..4).prop_map(|max| Op::Poll { max }),
        6 => Just(Op::Commit),
        1 => any::<bool>().prop_map(|last| Op::Reject { last }),
    ]
}

/// One transaction of the naive pool.
#[derive(Clone, Debug)]
struct Entry {
    tx: SharedTx,
    arrival: u64,
}

impl Entry {
    fn cost(&self) -> U256 {
        let envelope = &self.tx.envelope;
        U256::from(envelope.max_fee_per_gas()) * U256::from(envelope.gas_limit())
            + envelope.value()
            + U256::from(ROLLUP_FEE)
    }

    fn caps(&self) -> (u64, u64) {
        let tip = self.tx.envelope.max_priority_fee_per_gas().unwrap();
        (self.tx.envelope.max_fee_per_gas() as u64, tip as u64)
    }

    fn price(&self, base_fee: u64) -> u64 {
        let (fee_cap, tip) = self.caps();
        fee_cap.min(base_fee + tip)
    }
}

/// The naive pool: a list that is scanned for every question.
#[derive(Default)]
struct Model {
    entries: Vec<Entry>,
    accounts: Accounts,
    base_fee: u64,
    arrivals: u64,
}

impl Model {
    fn nonce(&self, address: Address) -> u64 {
        self.accounts.known.get(&address).map_or(0, |at| at.nonce)
    }

    fn find(&self, address: Address, nonce: u64) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|at| at.tx.sender == address && at.tx.nonce() == nonce)
    }

    fn chain_end(&self, address: Address) -> u64 {
        (self.nonce(address)..)
            .find(|&nonce| self.find(address, nonce).is_none())
            .unwrap()
    }

    fn is_executable(&self, tx: &SharedTx) -> bool {
        tx.nonce() < self.chain_end(tx.sender)
    }

    fn remove(&mut self, hash: B256) {
        self.entries.retain(|at| at.tx.hash != hash);
    }

    fn add(&mut self, tx: &SharedTx) -> Result<(), &'static str> {
        let new = Entry {
            tx: tx.clone(),
            arrival: self.arrivals,
        };
        self.arrivals += 1;
        let facts = self.accounts.known[&tx.sender];
        if tx.nonce() < facts.nonce {
            return Err("nonce_too_low");
        }
        if new.cost() > facts.balance {
            return Err("insufficient_funds");
        }
        if self.entries.iter().any(|at| at.tx.hash == tx.hash) {
            return Err("already_known");
        }
        let mut leaving = Vec::new();
        if let Some(old) = self.find(tx.sender, tx.nonce()) {
            let ((old_fee, old_tip), (fee, tip)) = (old.caps(), new.caps());
            if fee * 10 < old_fee * 11 || tip * 10 < old_tip * 11 {
                return Err("replacement_underpriced");
            }
            leaving.push(old.tx.hash);
        } else {
            let own = self.entries.iter().filter(|at| at.tx.sender == tx.sender);
            if own.clone().count() >= SLOTS_MAX {
                let highest = own.max_by_key(|at| at.tx.nonce()).unwrap();
                if highest.tx.nonce() < tx.nonce() {
                    return Err("sender_limit");
                }
                leaving.push(highest.tx.hash);
            }
        }
        self.make_room(&new, &mut leaving)?;
        leaving.into_iter().for_each(|hash| self.remove(hash));
        self.entries.push(new);
        Ok(())
    }

    fn fits(&self, new: &Entry, leaving: &[B256]) -> bool {
        let stay = self
            .entries
            .iter()
            .filter(|at| !leaving.contains(&at.tx.hash));
        let size: u64 = stay.clone().map(|at| at.tx.size_bytes()).sum();
        stay.count() < COUNT_MAX && size + new.tx.size_bytes() <= SIZE_MAX
    }

    fn make_room(&self, new: &Entry, leaving: &mut Vec<B256>) -> Result<(), &'static str> {
        let executable = new.tx.nonce() <= self.chain_end(new.tx.sender);
        let price = new.price(self.base_fee);
        let mut order: Vec<&Entry> = self.entries.iter().collect();
        order.sort_by_key(|at| {
            let price = at.price(self.base_fee);
            (self.is_executable(&at.tx), price, Reverse(at.arrival))
        });
        for victim in order {
            if self.fits(new, leaving) {
                break;
            }
            let own = victim.tx.sender == new.tx.sender;
            let pays_less = victim.price(self.base_fee) < price;
            if self.is_executable(&victim.tx) {
                if !executable || !pays_less || own {
                    return Err("full");
                }
            } else if !executable && !pays_less {
                return Err("full");
            } else if own {
                continue;
            }
            leaving.push(victim.tx.hash);
        }
        if self.fits(new, leaving) {
            Ok(())
        } else {
            Err("full")
        }
    }

    /// The accounts moved: used nonces and what nobody can pay any more leave.
    fn follow(&mut self, accounts: &Accounts, base_fee: u64) {
        self.accounts = accounts.clone();
        self.base_fee = base_fee;
        let known = &accounts.known;
        self.entries.retain(|at| {
            let facts = known[&at.tx.sender];
            at.tx.nonce() >= facts.nonce && at.cost() <= facts.balance
        });
    }
}

/// A job under test with what it may expect.
struct Job {
    candidates: PoolCandidates,
    next: HashMap<Address, u64>,
    /// Offered and not yet committed or rejected, one a sender.
    open: BTreeMap<Address, Candidate>,
    drained: bool,
}

struct Script {
    chain: Chain,
    model: Model,
    job: Option<Job>,
    /// Blocks with the accounts before them.
    blocks: Vec<(Arc<SealedBlock>, Accounts)>,
}

impl Script {
    fn new() -> Self {
        let mut chain = Chain::new(|config| {
            config.count_max = COUNT_MAX;
            config.size_bytes_max = SIZE_MAX;
            config.sender_slots_max = SLOTS_MAX;
            config.intake_threads = 1;
        });
        for index in 0..SENDERS {
            chain.fund(sender(index), 0, 25_000_000);
        }
        let model = Model {
            accounts: chain.accounts.clone(),
            base_fee: BASE_FEE,
            ..Model::default()
        };
        Self {
            chain,
            model,
            job: None,
            blocks: Vec::new(),
        }
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Add {
                sender: index,
                nonce,
                fee_cap,
                tip,
                value,
                data,
            } => {
                let tx = TxEip1559 {
                    max_fee_per_gas: fee_cap.into(),
                    max_priority_fee_per_gas: tip.into(),
                    gas_limit: 100_000,
                    value: U256::from(value * 5_000_000 + u64::from(index)),
                    input: Bytes::from(vec![1; data]),
                    ..transfer(nonce)
                };
                let tx = recovered(sender(index), tx);
                let real = self.chain.add(&tx).map(drop).map_err(|error| error.label());
                assert_eq!(real, self.model.add(&tx));
            }
            Op::Block {
                counts,
                foreign,
                balances,
                base_fee,
            } => self.block(&counts, foreign, &balances, base_fee),
            Op::Reorg => self.reorg(),
            Op::OpenJob => self.open_job(),
            Op::Poll { max } => self.poll(max),
            Op::Commit => self.commit(),
            Op::Reject { last } => self.reject(last),
        }
    }

    fn block(&mut self, counts: &[usize], foreign: bool, balances: &[u64], base_fee: u64) {
        let before = self.chain.accounts.clone();
        let mut txs = Vec::new();
        for (index, &count) in (0..SENDERS).zip(counts) {
            let content = self.chain.pool.content(sender(index));
            txs.extend(content.executable.into_iter().take(count));
        }
        if foreign {
            let used = txs.iter().filter(|tx| tx.sender == sender(0)).count() as u64;
            let nonce = self.model.nonce(sender(0)) + used;
            txs.push(priced(sender(0), nonce, 9_999, 99));
        }
        for (index, &millions) in (0..SENDERS).zip(balances) {
            if txs.iter().any(|tx| tx.sender == sender(index)) {
                let account = self.chain.accounts.known.get_mut(&sender(index)).unwrap();
                account.balance = U256::from(millions * 1_000_000);
            }
        }
        let block = self.chain.block(&txs);
        self.chain.head.base_fee = base_fee;
        self.model.follow(&self.chain.accounts, base_fee);
        let included = std::slice::from_ref(&block);
        self.chain
            .pool
            .on_new_head(self.chain.view(), &[], included);
        self.blocks.push((block, before));
    }

    fn reorg(&mut self) {
        let Some((block, before)) = self.blocks.pop() else {
            return;
        };
        self.chain.accounts = before;
        let empty = sealed(self.chain.head.number, &[], &self.chain.accounts);
        self.chain.head.hash = B256::with_last_byte(self.blocks.len() as u8);
        let base_fee = self.chain.head.base_fee;
        self.model.follow(&self.chain.accounts, base_fee);
        for tx in block.transactions() {
            let _ = self.model.add(tx);
        }
        self.chain
            .pool
            .on_new_head(self.chain.view(), &[block], &[empty]);
    }

    fn open_job(&mut self) {
        let (wake, _) = counting_wake();
        let accounts = self.chain.accounts.clone();
        let next = accounts.known.iter().map(|(at, facts)| (*at, facts.nonce));
        let request = request(self.chain.head.hash, vec![]);
        self.job = Some(Job {
            next: next.collect(),
            candidates: self
                .chain
                .pool
                .candidates(&request, Arc::new(accounts.clone()), wake),
            open: BTreeMap::new(),
            drained: false,
        });
    }

    fn poll(&mut self, max: usize) {
        let Some(job) = &mut self.job else { return };
        let mut out = Vec::new();
        job.drained = !job.candidates.poll_new(max, &mut out);
        assert!(out.len() <= max);
        for candidate in out {
            let address = candidate.tx.sender;
            assert_eq!(candidate.tx.nonce(), job.next[&address], "the next nonce");
            let entry = self.model.find(address, candidate.tx.nonce()).unwrap();
            assert_eq!(candidate.arrival, entry.arrival);
            let old = job.open.insert(address, candidate.clone());
            let again = old.is_some_and(|old| old.tx.hash == candidate.tx.hash);
            assert!(!again, "offered twice");
        }
        if job.drained {
            for (address, &next) in &job.next {
                if let Some(entry) = self.model.find(*address, next) {
                    let offered = &job.open[address];
                    assert_eq!(offered.tx.hash, entry.tx.hash, "the newest is offered");
                }
            }
        }
    }

    fn commit(&mut self) {
        let Some(job) = &mut self.job else { return };
        let Some((address, candidate)) = job.open.pop_first() else {
            return;
        };
        let next = candidate.tx.nonce() + 1;
        job.next.insert(address, next);
        let followed = job.candidates.committed(&candidate.tx);
        let expected = self.model.find(address, next).map(|at| at.tx.hash);
        assert_eq!(followed.as_ref().map(|at| at.tx.hash), expected);
        job.open
            .extend(followed.map(|candidate| (address, candidate)));
    }

    fn reject(&mut self, last: bool) {
        let Some(job) = &mut self.job else { return };
        let Some((address, candidate)) = job.open.pop_first() else {
            return;
        };
        let tx = &candidate.tx;
        if last {
            let reason = SkipReason::Invalid("by script".into());
            job.candidates.reject(tx, &reason);
            self.model.remove(tx.hash);
        } else {
            job.candidates.reject(tx, &SkipReason::InsufficientFunds);
        }
        // The job holds on to this sender's place; only a replacement comes again.
        job.open.insert(address, candidate);
    }

    fn compare(&self) {
        let pool = &self.chain.pool;
        pool.shared.state.lock().table.assert_consistent();
        let status = pool.status();
        assert!(status.executable + status.parked <= COUNT_MAX);
        assert!(status.size_bytes <= SIZE_MAX);
        for index in 0..SENDERS {
            let address = sender(index);
            let content = pool.content(address);
            let hashes = |txs: &[SharedTx]| txs.iter().map(|tx| tx.hash).collect::<Vec<_>>();
            let end = self.model.chain_end(address);
            let mut own: Vec<_> = self
                .model
                .entries
                .iter()
                .filter(|at| at.tx.sender == address)
                .map(|at| at.tx.clone())
                .collect();
            own.sort_by_key(|tx| tx.nonce());
            let split = own.partition_point(|tx| tx.nonce() < end);
            assert_eq!(hashes(&content.executable), hashes(&own[..split]));
            assert_eq!(hashes(&content.parked), hashes(&own[split..]));
            assert_eq!(pool.next_nonce(address), Ok(end));
        }
    }
}

proptest! {
    #![proptest_config(property(400))]

    #[test]
    fn behaves_like_the_naive_pool(script in prop::collection::vec(op(), 1..120)) {
        let mut run = Script::new();
        for op in script {
            run.run(op);
            run.compare();
        }
    }
}
