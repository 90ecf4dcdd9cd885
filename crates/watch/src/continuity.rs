//! What holds from one flashblock to the next, and from one block to the next.

use blockwright_flashblocks::{FlashblockId, OpFlashblockPayload};

use crate::{BlockSeen, Finding, FindingKind};

/// The flashblock that was accepted last.
#[derive(Debug, Default)]
pub(crate) struct Continuity {
    last: Option<FlashblockId>,
    /// Something is known to be missing since the last block began.
    is_broken: bool,
}

impl Continuity {
    /// Something is missing, which was said: what does not fit the last block needs no second saying.
    pub(crate) const fn broken(&mut self) {
        self.is_broken = true;
    }

    /// Looks at an accepted flashblock that names `previous`; `block` is the last one before it.
    pub(crate) fn check(
        &mut self,
        flashblock: &OpFlashblockPayload,
        previous: Option<FlashblockId>,
        block: Option<&BlockSeen>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let (Some(named), Some(last), false) = (previous, self.last, self.is_broken)
            && named != last
        {
            let text = format!("prev_flashblock_id is {named}, the last one seen {last}");
            findings.push(Finding::new(FindingKind::Gap, &text));
        }
        self.last = Some(FlashblockId {
            block_number: flashblock.block_number(),
            index: flashblock.index,
        });
        if flashblock.index == 0 {
            if let Some(block) = block {
                findings.extend(across_blocks(block, flashblock, self.is_broken));
            }
            self.is_broken = false;
        }
        findings
    }
}

/// What is wrong with `first`, an index 0, behind `last`.
fn across_blocks(last: &BlockSeen, first: &OpFlashblockPayload, is_broken: bool) -> Vec<Finding> {
    let number = first.block_number();
    if number <= last.number {
        let text = format!("block {number} after block {}", last.number);
        return vec![Finding::new(FindingKind::Reorg, &text)];
    }
    if number - last.number > 1 {
        let text = format!("blocks {} to {} are missing", last.number + 1, number - 1);
        return vec![Finding::new(FindingKind::Gap, &text)];
    }
    let Some(base) = &first.base else {
        return Vec::new();
    };
    let parent = base.parent_hash;
    let accepted = || last.flashblocks.iter().filter(|seen| seen.is_accepted);
    let ends = accepted().filter(|seen| seen.has_root && seen.block_hash == parent);
    if let Some(end) = ends.map(|seen| seen.index).max() {
        let lost = last.published_after(end);
        return lost.into_iter().map(|(_, finding)| finding).collect();
    }
    // Without a root in each the hash of the block is not known; nor is it where frames are missing.
    if is_broken || !accepted().all(|seen| seen.has_root) {
        return Vec::new();
    }
    let streamed = last.hash().unwrap_or_default();
    let text = format!("parent_hash {parent}, streamed {streamed}");
    vec![Finding::new(FindingKind::Parent, &text)]
}
