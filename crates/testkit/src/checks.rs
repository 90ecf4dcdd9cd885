//! The invariants of a job, checked on what came out of it.

use alloy_primitives::B256;
use blockwright_core::{PriorityOrder, Shares};
use blockwright_seams::{Candidate, Policy};
use blockwright_types::{Budget, DaBytes, Flashblock, Gas, SealedBlock, Usage};
use blockwright_verify::{OrderedTx, check_consecutive, check_ranked};

use crate::{Happening, Scenario, Transcript};

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invariant {invariant} is violated: {what}")]
pub struct Violation {
    /// Its name.
    pub invariant: &'static str,
    /// How.
    pub what: String,
}

fn require(
    holds: bool,
    invariant: &'static str,
    what: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if holds {
        return Ok(());
    }
    Err(Violation {
        invariant,
        what: what(),
    })
}

fn hashes<'a>(flashblocks: impl Iterator<Item = &'a Flashblock>) -> Vec<B256> {
    flashblocks
        .flat_map(|flashblock| flashblock.part.transactions.iter())
        .map(|tx| tx.hash)
        .collect()
}

/// State root, block hash and withdrawals root, where a flashblock carries them.
fn stated_roots(flashblock: &Flashblock) -> Option<[B256; 3]> {
    let roots = [
        flashblock.state_root,
        flashblock.block_hash,
        flashblock.withdrawals_root,
    ];
    (roots != [B256::ZERO; 3]).then_some(roots)
}

fn block_roots(block: &SealedBlock) -> [B256; 3] {
    let header = &block.header;
    let withdrawals_root = header.withdrawals_root.unwrap_or_default();
    [header.state_root, block.hash, withdrawals_root]
}

/// Prefix, Silence and Availability: indices are contiguous from 0, index 0 is what the sequencer
/// asked for, each payload is exactly what was published so far, and so is the resolved one.
pub fn check_block<A>(scenario: &Scenario, transcript: &Transcript<A>) -> Result<(), Violation> {
    require(!transcript.restless, "liveness", || {
        "the job never came to rest".to_owned()
    })?;
    for (position, published) in transcript.published.iter().enumerate() {
        let flashblock = &published.publication.flashblock;
        let block = &published.best.block;
        let so_far = transcript.published[..=position]
            .iter()
            .map(|published| &*published.publication.flashblock);
        let wanted = hashes(so_far);
        let found: Vec<B256> = block.transactions().map(|tx| tx.hash).collect();
        require(wanted == found, "prefix", || {
            format!("payload {position} is not what was published")
        })?;
        require(flashblock.index == position as u64, "prefix", || {
            format!(
                "flashblock {} came at position {position}",
                flashblock.index
            )
        })?;
        require(
            flashblock.base.is_some() == (position == 0),
            "prefix",
            || format!("base at index {position}"),
        )?;
        let last_index = transcript.plan.len();
        let has_roots = scenario.config.roots.covers(flashblock.index, last_index);
        let agrees = stated_roots(flashblock) == has_roots.then(|| block_roots(block))
            && published.publication.payload.sealed().is_some() == has_roots
            && flashblock.receipts_root == block.header.receipts_root
            && flashblock.gas_used == block.header.gas_used
            && block.hash == block.header.hash_slow()
            && block.receipts().count() == block.transaction_count();
        require(agrees, "prefix", || {
            format!("flashblock {position} and its block disagree")
        })?;
    }
    if let Some(first) = transcript.published.first() {
        let wanted = &scenario.request.sequencer_transactions;
        let found = &first.publication.flashblock.part.transactions;
        let same = wanted
            .iter()
            .map(|tx| tx.hash)
            .eq(found.iter().map(|tx| tx.hash));
        require(same, "prefix", || {
            "index 0 is not the attributes".to_owned()
        })?;
    }
    if let Some((at, best)) = &transcript.resolved {
        let last = transcript.published.last();
        let silent = last.is_none_or(|published| published.at <= *at);
        require(silent, "silence", || {
            "published after the resolve".to_owned()
        })?;
        let resolved = best.as_ref().map(|best| best.block.hash);
        let published = last.map(|published| published.best.block.hash);
        require(resolved == published, "availability", || {
            "the resolved block is not the last published one".to_owned()
        })?;
    }
    Ok(())
}

/// Flashblocks are published at their due time or, where their roots were late, after it; all that
/// was planned is published unless the job was ended.
pub fn check_schedule<A>(scenario: &Scenario, transcript: &Transcript<A>) -> Result<(), Violation> {
    for published in transcript.published.iter().skip(1) {
        let index = published.publication.flashblock.index;
        let due = transcript.plan.due(index);
        require(
            due.is_some_and(|due| published.at >= due),
            "schedule",
            || format!("flashblock {index} came before it was due"),
        )?;
    }
    let ended = transcript.end.is_some();
    let planned = transcript.plan.len() + 1;
    let all = transcript.published.len() as u64 == planned;
    require(ended || all, "schedule", || {
        format!("{} of {planned} flashblocks", transcript.published.len())
    })?;
    require(
        !scenario.request.no_tx_pool || transcript.published.len() <= 1,
        "schedule",
        || "no_tx_pool is index 0 only".to_owned(),
    )
}

/// Budget: pool transactions stay within the cumulative shares and the block's limits; where limits
/// were changed on the way, within the loosest of the block's.
pub fn check_budget<A>(
    scenario: &Scenario,
    transcript: &Transcript<A>,
    da_scalar: u64,
) -> Result<(), Violation> {
    let gas_limit = Gas(scenario.request.context.gas_limit);
    let changed = scenario
        .happenings
        .iter()
        .any(|(_, what)| matches!(what, Happening::Limits(_)));
    let block = Budget {
        gas: gas_limit,
        da: if changed {
            DaBytes::MAX
        } else {
            scenario.limits.block
        },
        da_footprint: gas_limit,
        size_bytes: scenario.config.size_max_bytes,
        da_tx: if changed {
            DaBytes::MAX
        } else {
            scenario.limits.tx
        },
    };
    let shares = Shares::new(scenario.config.share, block, transcript.sequencer);
    let mut used = Usage::default();
    for published in &transcript.published {
        let flashblock = &published.publication.flashblock;
        for tx in &flashblock.part.transactions {
            used.da += tx.da;
            used.da_footprint += Gas(tx.da.0 * da_scalar);
            used.size_bytes += tx.size_bytes();
            let fits = tx.da <= block.da_tx || flashblock.index == 0;
            require(fits, "budget", || {
                format!("{} is over the DA limit", tx.hash)
            })?;
        }
        used.gas = Gas(flashblock.gas_used);
        if flashblock.index > 0 {
            let slot = shares.slot(flashblock.index, transcript.plan.len());
            let over = slot.exceeded_by(&used);
            require(over.is_none(), "budget", || {
                format!("flashblock {}: {used:?} is over {slot:?}", flashblock.index)
            })?;
        }
    }
    Ok(())
}

/// Order: every flashblock is in priority order, as far as it shows, and over the block the nonces of
/// a sender rise by one: scripts have nothing that uses nonces up on the way.
pub fn check_order<A>(scenario: &Scenario, transcript: &Transcript<A>) -> Result<(), Violation> {
    let mut all = Vec::new();
    for published in transcript.published.iter().skip(1) {
        let flashblock = &published.publication.flashblock;
        let mut ordered = Vec::new();
        for tx in &flashblock.part.transactions {
            let candidate = Candidate {
                tx: tx.clone(),
                arrival: 0,
            };
            let rank = PriorityOrder.order(&candidate, scenario.request.context.base_fee);
            require(rank.is_some(), "order", || {
                format!("{} does not pay the base fee", tx.hash)
            })?;
            ordered.push(OrderedTx {
                hash: tx.hash,
                sender: tx.sender,
                nonce: tx.nonce(),
                tip: rank.unwrap_or_default().0,
            });
        }
        let verdict = check_ranked(&ordered);
        require(verdict.is_ok(), "order", || {
            format!("flashblock {}: {verdict:?}", flashblock.index)
        })?;
        all.extend(ordered);
    }
    let verdict = check_consecutive(&all);
    require(verdict.is_ok(), "order", || format!("{verdict:?}"))
}

/// Replay: two runs of the same script published the same, byte for byte, at the same times.
pub fn check_replay<A>(one: &Transcript<A>, two: &Transcript<A>) -> Result<(), Violation> {
    let print = |transcript: &Transcript<A>| -> Vec<String> {
        let published = transcript.published.iter();
        published
            .map(|published| {
                let publication = &published.publication;
                format!(
                    "{} {:?}",
                    published.at,
                    hashes_and_fields(&publication.flashblock)
                )
            })
            .collect()
    };
    require(print(one) == print(two), "replay", || {
        "two runs of one script differ".to_owned()
    })
}

/// Everything of a flashblock that goes on the wire, in an order that does not depend on maps.
fn hashes_and_fields(flashblock: &Flashblock) -> String {
    let changes = flashblock.part.net_changes();
    let mut accounts: Vec<_> = changes.accounts.iter().collect();
    accounts.sort_by_key(|(address, _)| **address);
    let head = Flashblock {
        part: Default::default(),
        ..flashblock.clone()
    };
    let transactions: Vec<_> = flashblock
        .part
        .transactions
        .iter()
        .map(|tx| &tx.encoded)
        .collect();
    let accounts: Vec<String> = accounts
        .into_iter()
        .map(|(address, change)| {
            let mut storage: Vec<_> = change.storage.iter().collect();
            storage.sort();
            format!("{address} {:?} {storage:?}", change.post)
        })
        .collect();
    let receipts = &flashblock.part.receipts;
    format!("{head:?} {transactions:?} {receipts:?} {accounts:?}")
}
