//! Blocks in memory: layers on their parents, and which of them are the canonical chain.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::B256;
use alloy_primitives::map::B256Map;
use blockwright_types::SealedBlock;

use super::bodies::Bodies;
use super::layer::{Body, Layer};
use crate::config::StoreConfig;
use crate::error::StateError;
use crate::fork_choice::{BlockRef, ForkChoice, Labels};
use crate::log::Location;
use crate::metrics;

/// Where a canonical block's body is found once its layer is gone.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Kept(Arc<SealedBlock>),
    Logged(Location),
}

/// A canonical block.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) hash: B256,
    pub(super) place: Place,
}

/// All that is known of blocks.
#[derive(Debug)]
pub(super) struct Chain {
    layers: B256Map<Arc<Layer>>,
    /// Hashes of the layers by number.
    heights: BTreeMap<u64, Vec<B256>>,
    genesis_number: u64,
    /// The canonical chain from genesis on.
    canonical: Vec<Entry>,
    numbers: B256Map<u64>,
    bodies: Bodies,
    labels: Labels,
}

/// What is not held any longer; to be freed beside everything else.
#[derive(Debug, Default)]
pub(super) struct Released {
    pub(super) layers: Vec<Arc<Layer>>,
    pub(super) blocks: Vec<Arc<SealedBlock>>,
}

/// A chain that is being filled from the log.
#[derive(Debug)]
pub(super) struct Replay {
    chain: Chain,
}

impl Replay {
    pub(super) fn new(genesis: Arc<Layer>) -> Self {
        Self {
            chain: Chain::new(genesis),
        }
    }

    /// The next canonical block, with its layer where its state is to be held.
    pub(super) fn block(
        &mut self,
        hash: B256,
        place: Location,
        layer: Option<Arc<Layer>>,
        config: &StoreConfig,
    ) {
        let entry = Entry {
            hash,
            place: Place::Logged(place),
        };
        self.chain.extend(entry);
        if let Some(layer) = layer {
            drop(self.chain.hold_logged(layer, place, config));
        }
    }

    pub(super) fn finish(mut self, labels: Labels, config: &StoreConfig) -> Chain {
        self.chain.labels = labels;
        drop(self.chain.prune(config));
        self.chain
    }
}

/// What a fork choice is about to change.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) labels: Labels,
    /// Number of the last block that stays canonical.
    common: u64,
    leaving: Vec<Arc<Layer>>,
    joining: Vec<Arc<Layer>>,
}

impl Plan {
    pub(super) fn joining(&self) -> impl Iterator<Item = &Arc<Layer>> {
        self.joining.iter()
    }

    pub(super) fn leaving(&self) -> impl Iterator<Item = &Arc<Layer>> {
        self.leaving.iter()
    }
}

impl Chain {
    pub(super) fn new(genesis: Arc<Layer>) -> Self {
        let at = genesis.at();
        let mut chain = Self {
            layers: B256Map::default(),
            heights: BTreeMap::new(),
            genesis_number: at.number,
            canonical: vec![Entry {
                hash: at.hash,
                place: match genesis.body() {
                    Body::Held(block) => Place::Kept(block),
                    Body::Logged(place) => Place::Logged(place),
                },
            }],
            numbers: B256Map::default(),
            bodies: Bodies::default(),
            labels: Labels {
                head: at,
                safe: None,
                finalized: None,
            },
        };
        chain.numbers.insert(at.hash, at.number);
        chain.hold(genesis);
        chain
    }

    pub(super) fn layer(&self, hash: &B256) -> Option<&Arc<Layer>> {
        self.layers.get(hash)
    }

    pub(super) const fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The canonical block `number`.
    pub(super) fn entry(&self, number: u64) -> Option<&Entry> {
        let index = usize::try_from(number.checked_sub(self.genesis_number)?).ok()?;
        self.canonical.get(index)
    }

    /// The number of a canonical block.
    pub(super) fn number(&self, hash: &B256) -> Option<u64> {
        self.numbers.get(hash).copied()
    }

    fn is_canonical(&self, at: &BlockRef) -> bool {
        self.entry(at.number)
            .is_some_and(|entry| entry.hash == at.hash)
    }

    /// Adds a layer; returns what had to go for it.
    pub(super) fn insert(&mut self, layer: Arc<Layer>, side_blocks_max: usize) -> Vec<Arc<Layer>> {
        if self.layers.contains_key(&layer.hash()) {
            return Vec::new();
        }
        let added = layer.hash();
        self.hold(layer);
        self.evict(side_blocks_max, added)
    }

    fn hold(&mut self, layer: Arc<Layer>) {
        let hash = layer.hash();
        let number = layer.number();
        if self.layers.insert(hash, layer).is_none() {
            self.heights.entry(number).or_default().push(hash);
        }
        metrics::layers_held(self.layers.len());
    }

    /// Drops the lowest blocks outside the canonical chain while there are too many.
    fn evict(&mut self, side_blocks_max: usize, keep: B256) -> Vec<Arc<Layer>> {
        let mut evicted = Vec::new();
        while self.side_blocks() > side_blocks_max {
            let lowest = self.heights.iter().find_map(|(number, hashes)| {
                let side = |hash: &&B256| {
                    **hash != keep
                        && !self.is_canonical(&BlockRef {
                            number: *number,
                            hash: **hash,
                        })
                };
                hashes.iter().find(side).map(|hash| (*number, *hash))
            });
            let Some((number, hash)) = lowest else { break };
            self.release(number, |other| *other == hash, &mut evicted);
            metrics::side_block_evicted();
        }
        evicted
    }

    fn side_blocks(&self) -> usize {
        let lowest = self.heights.keys().next().copied().unwrap_or_default();
        let canonical = (self.labels.head.number + 1).saturating_sub(lowest);
        self.layers
            .len()
            .saturating_sub(usize::try_from(canonical).unwrap_or(usize::MAX))
    }

    /// Drops the layers of one height that `which` selects.
    fn release(
        &mut self,
        number: u64,
        which: impl Fn(&B256) -> bool,
        released: &mut Vec<Arc<Layer>>,
    ) {
        let Some(hashes) = self.heights.get_mut(&number) else {
            return;
        };
        hashes.retain(|hash| {
            let goes = which(hash);
            if goes {
                released.extend(self.layers.remove(hash));
            }
            !goes
        });
        if hashes.is_empty() {
            self.heights.remove(&number);
        }
    }

    /// What `choice` would change; `None` where nothing.
    pub(super) fn plan(&self, choice: &ForkChoice) -> Result<Option<Plan>, StateError> {
        let head = self
            .layer(&choice.head)
            .ok_or(StateError::UnknownBlock(choice.head))?;
        let joining = self.branch(head)?;
        let common = match joining.first() {
            Some(first) => first.number() - 1,
            None => head.number(),
        };
        let mut leaving = Vec::new();
        for number in (common + 1..=self.labels.head.number).rev() {
            let entry = self.entry(number).and_then(|entry| self.layer(&entry.hash));
            leaving.push(Arc::clone(
                entry.ok_or(StateError::UnknownBlock(choice.head))?,
            ));
        }
        let labels = Labels {
            head: head.at(),
            safe: self.label(choice.safe, self.labels.safe, common, &joining),
            finalized: self.label(choice.finalized, self.labels.finalized, common, &joining),
        };
        for (label, asked, found) in [
            ("safe", choice.safe, labels.safe),
            ("finalized", choice.finalized, labels.finalized),
        ] {
            if !asked.is_zero() && found.is_none() {
                return Err(StateError::NotCanonical {
                    label,
                    hash: asked,
                    head: choice.head,
                });
            }
        }
        Ok((labels != self.labels).then_some(Plan {
            labels,
            common,
            leaving,
            joining,
        }))
    }

    /// The layers from above the canonical chain to `head`, lowest first.
    fn branch(&self, head: &Arc<Layer>) -> Result<Vec<Arc<Layer>>, StateError> {
        let mut branch = Vec::new();
        let mut at = head;
        while !self.is_canonical(&at.at()) {
            branch.push(Arc::clone(at));
            let parent = &at.parent();
            // A parent below the window can only be canonical: nothing else is left there, and
            // a block is only taken on a held parent.
            match self.layer(parent) {
                Some(layer) => at = layer,
                None if self.number(parent) == at.number().checked_sub(1) => break,
                None => return Err(StateError::UnknownBlock(*parent)),
            }
        }
        branch.reverse();
        Ok(branch)
    }

    /// The labelled block on the chain to come: as asked, or as before where zero was asked and it
    /// stays canonical.
    fn label(
        &self,
        asked: B256,
        before: Option<BlockRef>,
        common: u64,
        joining: &[Arc<Layer>],
    ) -> Option<BlockRef> {
        if asked.is_zero() {
            return before.filter(|at| at.number <= common);
        }
        if let Some(layer) = joining.iter().find(|layer| layer.hash() == asked) {
            return Some(layer.at());
        }
        self.number(&asked)
            .filter(|number| *number <= common)
            .map(|number| BlockRef {
                number,
                hash: asked,
            })
    }

    /// Carries a plan out; `places` are those of the joining blocks. Returns what is not held any
    /// longer.
    pub(super) fn adopt(
        &mut self,
        plan: Plan,
        places: Vec<Place>,
        config: &StoreConfig,
    ) -> Released {
        let mut released = Released::default();
        self.bodies.forget(&plan.leaving);
        for layer in &plan.leaving {
            self.numbers.remove(&layer.hash());
        }
        let kept = plan.common + 1 - self.genesis_number;
        self.canonical
            .truncate(usize::try_from(kept).unwrap_or(usize::MAX));
        for (layer, place) in plan.joining.into_iter().zip(places) {
            let hash = layer.hash();
            match &place {
                Place::Logged(at) => {
                    let blocks = self.hold_logged(layer, *at, config);
                    released.blocks.extend(blocks);
                }
                Place::Kept(_) => self.hold(layer),
            }
            self.extend(Entry { hash, place });
        }
        self.labels = plan.labels;
        released.layers = self.prune(config);
        released
    }

    /// Holds a layer whose block is durable; returns the blocks that are let go of for it.
    fn hold_logged(
        &mut self,
        layer: Arc<Layer>,
        place: Location,
        config: &StoreConfig,
    ) -> Vec<Arc<SealedBlock>> {
        let blocks = self.bodies.push(&layer, place, config.bodies_bytes_max);
        self.hold(layer);
        blocks
    }

    /// Puts a block on top of the canonical chain.
    fn extend(&mut self, entry: Entry) {
        let number = self.genesis_number + self.canonical.len() as u64;
        self.numbers.insert(entry.hash, number);
        self.canonical.push(entry);
    }

    /// Drops states below the window and branches that finality cut off.
    fn prune(&mut self, config: &StoreConfig) -> Vec<Arc<Layer>> {
        let finalized = self
            .labels
            .finalized
            .map_or(self.genesis_number, |at| at.number);
        let floor = window_floor(&self.labels, self.genesis_number, config);
        let mut released = Vec::new();
        let numbers: Vec<u64> = self
            .heights
            .range(..=finalized.max(floor))
            .map(|(number, _)| *number)
            .collect();
        for number in numbers {
            let canonical = self.entry(number).map(|entry| entry.hash);
            self.release(
                number,
                |hash| number < floor || (number <= finalized && Some(*hash) != canonical),
                &mut released,
            );
        }
        self.bodies.forget(&released);
        metrics::layers_held(self.layers.len());
        released
    }
}

/// The lowest block whose state is held.
pub(super) fn window_floor(labels: &Labels, genesis_number: u64, config: &StoreConfig) -> u64 {
    let head = labels.head.number;
    let finalized = labels.finalized.map_or(genesis_number, |at| at.number);
    let wanted = finalized.min(head.saturating_sub(config.window_blocks));
    let allowed = head.saturating_sub(config.window_blocks_max.max(config.window_blocks));
    wanted.max(allowed)
}
