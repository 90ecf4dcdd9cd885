//! Agreement: what was built is what a node that only imports arrives at.

use blockwright_core::Best;
use blockwright_exec::{assemble_header, execute_block};
use blockwright_state::TrieDelta;
use blockwright_testkit::Scenario;
use blockwright_types::{SealedBlock, SharedTx};

use crate::node::Node;
use crate::rules::require;
use crate::script::Parent;

/// Imports `block` on `parent` from its transactions alone; the result leads to the same hash.
pub fn import(node: &Node, parent: &Parent, block: &SealedBlock) -> Result<TrieDelta, String> {
    let fault = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    let context = node
        .chain
        .spec
        .context_for_header(&parent.header, &block.header)
        .map_err(|error| fault("header", &error))?;
    let reader = node.store.reader(parent.hash).unwrap();
    let transactions: Vec<SharedTx> = block.transactions().cloned().collect();
    let executed = execute_block(context.clone(), reader, &transactions)
        .map_err(|error| fault("execution", &error))?;
    let (roots, delta) = node
        .store
        .roots_after(parent.hash, &executed.part.net_changes())
        .map_err(|error| fault("roots", &error))?;
    let header = assemble_header(&context, &executed.totals, &roots);
    require(header.hash_slow() == block.hash, || {
        format!("built {:?}, imported {header:?}", block.header)
    })?;
    require(executed.value == block.value, || {
        format!("built value {}, imported {}", block.value, executed.value)
    })?;
    let receipts = block.receipts().eq(executed.part.receipts.iter());
    require(receipts, || "receipts differ".to_owned())?;
    Ok(delta)
}

/// A published payload is imported to the same hash, and its artifact belongs to it.
pub fn check_agreement(
    node: &Node,
    parent: &Parent,
    scenario: &Scenario,
    best: &Best<TrieDelta>,
) -> Result<(), String> {
    let block = &best.block;
    let imported = import(node, parent, block)?;
    require(imported.roots() == best.artifact.roots(), || {
        "the artifact's roots are not the block's".to_owned()
    })?;
    let derived = node
        .chain
        .spec
        .context_for_header(&parent.header, &block.header)
        .map_err(|error| error.to_string())?;
    require(derived == scenario.request.context, || {
        format!("the header stands for {derived:?}")
    })
}
