//! Reading a log from its start to its last fork choice.

use std::path::Path;

use super::frame::{Frame, HEADER_BYTES, Kind, proves_durable};
use super::record::{BlockId, decode_labels};
use super::segment;
use super::{Location, LoggedBlock, Tail};
use crate::error::StateError;
use crate::fork_choice::{BlockRef, Labels};

/// What a log says.
#[derive(Debug)]
pub(super) struct Scanned {
    /// The canonical chain above genesis.
    pub(super) blocks: Vec<LoggedBlock>,
    /// The last fork choice.
    pub(super) labels: Option<Labels>,
    /// Where the log goes on: right behind the last fork choice.
    pub(super) tail: Tail,
    /// Segments above the tail's that hold remains of an interrupted write.
    pub(super) remains: Vec<u32>,
    /// Whether the tail's own segment does.
    pub(super) tail_is_dirty: bool,
}

/// Reads the segments of `directory`, which are numbered from 0.
pub(super) fn scan(
    directory: &Path,
    segments: &[u32],
    genesis: BlockRef,
) -> Result<Scanned, StateError> {
    let mut scan = Scan {
        genesis,
        blocks: Vec::new(),
        unconfirmed: Vec::new(),
        labels: None,
        tail: Tail::default(),
        sequence: 0,
        end: None,
        remains: Vec::new(),
        tail_is_dirty: false,
    };
    for index in segments {
        let path = segment::path(directory, *index);
        let bytes = std::fs::read(&path).map_err(segment::io_error("read", &path))?;
        let sound = scan.segment(*index, &bytes, &path)?;
        if let Some(end) = &scan.end
            && proves_durable(&bytes[sound..], scan.sequence)
        {
            return Err(StateError::Corrupt {
                file: segment::path(directory, end.segment),
                offset: end.offset as u64,
                reason: format!(
                    "record {} cannot be read, though a later write shows that it was durable",
                    scan.sequence
                ),
            });
        }
        scan.note_remains(*index, &bytes);
    }
    Ok(Scanned {
        blocks: scan.blocks,
        labels: scan.labels,
        tail: scan.tail,
        remains: scan.remains,
        tail_is_dirty: scan.tail_is_dirty,
    })
}

/// Where reading ended so far: the next record, if there is one, is there or at the start of the
/// next segment.
struct End {
    segment: u32,
    offset: usize,
    /// Whether only zeros follow in that segment.
    is_clean: bool,
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

struct Scan {
    genesis: BlockRef,
    blocks: Vec<LoggedBlock>,
    /// Blocks since the last fork choice.
    unconfirmed: Vec<(BlockId, Location)>,
    labels: Option<Labels>,
    tail: Tail,
    /// The next record's number.
    sequence: u64,
    end: Option<End>,
    remains: Vec<u32>,
    tail_is_dirty: bool,
}

impl Scan {
    /// Reads one segment; returns where those of its records end that continue the log.
    fn segment(&mut self, index: u32, bytes: &[u8], path: &Path) -> Result<usize, StateError> {
        let sound = self.records(index, bytes, path)?;
        let goes_on_here = match &self.end {
            None => true,
            // After a clean end, whatever begins the next segment was to be the next record.
            Some(end) => {
                let begins = !is_zero(&bytes[..bytes.len().min(HEADER_BYTES)]);
                sound > 0 || (end.is_clean && end.segment + 1 == index && begins)
            }
        };
        if goes_on_here {
            self.end = Some(End {
                segment: index,
                offset: sound,
                is_clean: is_zero(&bytes[sound..]),
            });
        }
        Ok(sound)
    }

    /// Notes what of a segment lies behind the last fork choice.
    fn note_remains(&mut self, index: u32, bytes: &[u8]) {
        if self.tail.segment == index {
            let from = usize::try_from(self.tail.offset).unwrap_or(usize::MAX);
            self.tail_is_dirty = bytes.get(from..).is_some_and(|rest| !is_zero(rest));
            self.remains.clear();
        } else if !is_zero(bytes) {
            self.remains.push(index);
        }
    }

    fn records(&mut self, index: u32, bytes: &[u8], path: &Path) -> Result<usize, StateError> {
        let mut offset = 0;
        while let Some(frame) = Frame::read(&bytes[offset..])
            && frame.stamp.sequence == self.sequence
        {
            let location = Location {
                segment: index,
                offset: offset as u64,
                length: frame.len() as u32,
            };
            self.record(&frame, location)
                .map_err(|reason| StateError::Corrupt {
                    file: path.to_owned(),
                    offset: location.offset,
                    reason,
                })?;
            offset += frame.len();
            self.sequence += 1;
            if frame.stamp.kind == Kind::ForkChoice {
                self.tail = Tail {
                    segment: index,
                    offset: offset as u64,
                    sequence: self.sequence,
                };
            }
        }
        Ok(offset)
    }

    fn record(&mut self, frame: &Frame<'_>, location: Location) -> Result<(), String> {
        match frame.stamp.kind {
            Kind::Block => {
                let id = BlockId::read(&mut &*frame.payload).map_err(|error| error.to_string())?;
                self.unconfirmed.push((id, location));
                Ok(())
            }
            Kind::ForkChoice => {
                let labels = decode_labels(frame.payload).map_err(|error| error.to_string())?;
                self.confirm(&labels)
            }
        }
    }

    /// Makes the canonical chain what it was after this fork choice.
    fn confirm(&mut self, labels: &Labels) -> Result<(), String> {
        for (id, location) in std::mem::take(&mut self.unconfirmed) {
            let parent_number = id.number.checked_sub(1);
            self.truncate(parent_number)?;
            if self.top().hash != id.parent || Some(self.top().number) != parent_number {
                return Err(format!("block {} does not continue the chain", id.hash));
            }
            self.blocks.push(LoggedBlock {
                hash: id.hash,
                location,
            });
        }
        self.truncate(Some(labels.head.number))?;
        if self.top() != labels.head {
            return Err(format!("head {} is not in the log", labels.head.hash));
        }
        self.labels = Some(*labels);
        Ok(())
    }

    fn truncate(&mut self, number: Option<u64>) -> Result<(), String> {
        let kept = number
            .and_then(|number| number.checked_sub(self.genesis.number))
            .ok_or("a block below genesis")?;
        self.blocks
            .truncate(usize::try_from(kept).unwrap_or(usize::MAX));
        Ok(())
    }

    fn top(&self) -> BlockRef {
        BlockRef {
            number: self.genesis.number + self.blocks.len() as u64,
            hash: self
                .blocks
                .last()
                .map_or(self.genesis.hash, |block| block.hash),
        }
    }
}
