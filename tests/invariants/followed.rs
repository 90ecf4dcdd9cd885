//! Following: whoever executes the frames of a block arrives at the block, its state and its roots.

use std::sync::Arc;

use blockwright_engine::Preconfirmed;
use blockwright_flashblocks::{V1Encoder, decode_json};
use blockwright_follow::{Handover, Replica, ReplicaDeps};
use blockwright_state::TrieDelta;
use blockwright_testkit::Transcript;
use blockwright_types::SealedBlock;

use crate::node::Node;
use crate::rules::require;

/// What a node that follows executes with; its store is the node's.
pub fn deps(node: &Node) -> ReplicaDeps {
    ReplicaDeps {
        chain: Arc::new(node.chain.spec.clone()),
        store: node.store.clone(),
        handover: Handover::default(),
    }
}

/// Each flashblock, read from its frame and executed, gives the sealed block; and what is handed over
/// is that block with its state, also where the frame has no roots.
///
/// Scripts have placeholder signatures, so the senders are not recovered from the frames.
pub fn check_followed(
    deps: &ReplicaDeps,
    transcript: &Transcript<TrieDelta>,
) -> Result<(), String> {
    let mut encoder = V1Encoder::new();
    let mut replica: Option<Replica> = None;
    for published in &transcript.published {
        let (flashblock, best) = (&published.publication.flashblock, &published.best);
        let frame = encoder.encode(flashblock).map_err(|e| e.to_string())?;
        let read = decode_json(&frame).map_err(|e| e.to_string())?.payload;
        let transactions = &flashblock.part.transactions;
        let executed = match &mut replica {
            None => Replica::open(deps, &read, transactions).map(|(opened, executed)| {
                replica = Some(opened);
                executed
            }),
            Some(replica) => replica.append(&read, transactions),
        };
        let executed = executed.map_err(|refutation| refutation.to_string())?;
        let stated = read.diff.block_hash;
        require(executed.block.hash == stated, || {
            format!("{stated} gave {}", executed.block.hash)
        })?;
        let replica = replica.as_ref().ok_or("no replica")?;
        let block = replica.block().map_err(|fault| fault.to_string())?;
        same(&block, &best.block)?;
        let (handed, delta) = deps.handover.executed(best.block.hash).ok_or("not kept")?;
        require(Arc::ptr_eq(&handed, &block), || "another block".to_owned())?;
        require(delta.roots() == best.artifact.roots(), || {
            format!("roots are {:?}", delta.roots())
        })?;
    }
    Ok(())
}

fn same(followed: &SealedBlock, built: &SealedBlock) -> Result<(), String> {
    require(followed.header == built.header, || {
        format!("built {:?}, followed {:?}", built.header, followed.header)
    })?;
    require(followed.hash == built.hash, || "hashes differ".to_owned())?;
    require(followed.value == built.value, || {
        "fees earned differ".to_owned()
    })?;
    require(followed.receipts().eq(built.receipts()), || {
        "receipts differ".to_owned()
    })?;
    require(followed.changes() == built.changes(), || {
        "post-values differ".to_owned()
    })
}
