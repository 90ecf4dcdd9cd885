//! The durable log: what became canonical, and the labels, in pre-written files.

mod changes;
mod fields;
mod frame;
mod record;
mod scan;
mod segment;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use alloy_consensus::Header;
use alloy_primitives::B256;
use blockwright_types::{Changes, SealedBlock};

use crate::error::StateError;
use crate::fork_choice::{BlockRef, Labels};
use crate::metrics;
use fields::Malformed;
use frame::{Frame, Kind, Stamp};
use record::BlockRecord;
use segment::{Segment, Upcoming, io_error};

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    segment: u32,
    offset: u64,
    length: u32,
}

/// A canonical block in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoggedBlock {
    pub(crate) hash: B256,
    pub(crate) location: Location,
}

/// Where the log goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tail {
    segment: u32,
    offset: u64,
    /// Number of the next record.
    sequence: u64,
}

/// The log, open for writing by this process alone.
#[derive(Debug)]
pub(crate) struct Log {
    directory: PathBuf,
    segment_bytes: u64,
    active: Segment,
    offset: u64,
    sequence: u64,
    upcoming: Upcoming,
    /// The block of the last record, if that was written before a fork choice named it.
    ahead: Option<(B256, Location)>,
    /// A write or sync failed: what the disk holds is unknown, nothing more is acknowledged.
    failed: bool,
    /// Held for as long as the log is open.
    _lock: File,
}

/// A log and what it said when it was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) log: Log,
    /// The canonical chain above genesis.
    pub(crate) blocks: Vec<LoggedBlock>,
    /// The last durable fork choice.
    pub(crate) labels: Option<Labels>,
}

impl Log {
    /// Opens the log in `directory`, or begins one. Cuts what an interrupted write left.
    pub(crate) fn open(
        directory: &Path,
        genesis: BlockRef,
        segment_bytes: u64,
    ) -> Result<Opened, StateError> {
        fs::create_dir_all(directory).map_err(io_error("create", directory))?;
        let lock = lock(directory)?;
        let mut segments = segment::list(directory)?;
        claim(directory, genesis.hash, segments.is_empty())?;
        if segments.is_empty() {
            segment::create(directory, 0, segment_bytes)?;
            segments.push(0);
        }
        let scanned = scan::scan(directory, &segments, genesis)?;
        let active = cut(directory, segment_bytes, &scanned)?;
        let upcoming = Upcoming::begin(directory, active.index + 1, segment_bytes);
        Ok(Opened {
            log: Self {
                directory: directory.to_owned(),
                segment_bytes,
                active,
                offset: scanned.tail.offset,
                sequence: scanned.tail.sequence,
                upcoming,
                ahead: None,
                failed: false,
                _lock: lock,
            },
            blocks: scanned.blocks,
            labels: scanned.labels,
        })
    }

    #[cfg(test)]
    pub(crate) const fn end(&self) -> (u32, u64) {
        (self.active.index, self.offset)
    }

    /// Reads records back, also while this log writes on.
    pub(crate) fn reader(&self) -> LogReader {
        LogReader {
            directory: self.directory.clone(),
        }
    }

    /// Appends blocks that become canonical (lowest first) and the labels that make them so, and
    /// returns when they are durable. A single block that was written ahead is not written again.
    /// After a failure every further call fails.
    pub(crate) fn append(
        &mut self,
        blocks: &[(B256, Arc<BlockPayload>)],
        labels: &Labels,
    ) -> Result<Vec<Location>, StateError> {
        self.begin()?;
        let mut batch = Batch::at(self.sequence);
        let mut locations = Vec::new();
        match (blocks, self.ahead.take()) {
            ([(hash, _)], Some((ahead, location))) if *hash == ahead => locations.push(location),
            _ => {
                for (_, payload) in blocks {
                    locations.push(self.add(&mut batch, Kind::Block, payload.0.as_slice())?);
                }
            }
        }
        self.add(&mut batch, Kind::ForkChoice, &record::encode_labels(labels))?;
        self.finish(&mut batch)?;
        Ok(locations)
    }

    /// Writes a child of the head before a fork choice names it, and returns when it is durable.
    /// Should another block be chosen, the record is skipped by recovery: only what the next fork
    /// choice's head descends from counts.
    pub(crate) fn write_ahead(
        &mut self,
        hash: B256,
        payload: &BlockPayload,
    ) -> Result<(), StateError> {
        if self.ahead.is_some_and(|(ahead, _)| ahead == hash) {
            return Ok(());
        }
        self.begin()?;
        let mut batch = Batch::at(self.sequence);
        let location = self.add(&mut batch, Kind::Block, payload.0.as_slice())?;
        self.finish(&mut batch)?;
        self.ahead = Some((hash, location));
        Ok(())
    }

    /// Until the batch is durable, the log counts as failed.
    fn begin(&mut self) -> Result<(), StateError> {
        if self.failed {
            return Err(StateError::LogFailed);
        }
        self.failed = true;
        Ok(())
    }

    fn finish(&mut self, batch: &mut Batch) -> Result<(), StateError> {
        self.sync(batch)?;
        self.failed = false;
        Ok(())
    }

    /// Writes a record behind the batch's others; it is durable after [`Self::sync`].
    fn add(
        &mut self,
        batch: &mut Batch,
        kind: Kind,
        payload: &[u8],
    ) -> Result<Location, StateError> {
        let stamp = Stamp {
            sequence: self.sequence,
            batch: batch.first,
            kind,
        };
        let header = frame::header(stamp, payload);
        let length = header.len() + payload.len();
        if !self.active.fits(self.offset, length) {
            self.sync(batch)?;
            self.rotate(length as u64)?;
        }
        let location = Location {
            segment: self.active.index,
            offset: self.offset,
            // Its payload's length is a u32 already, and the header holds it to that.
            length: u32::try_from(length).unwrap_or(u32::MAX),
        };
        self.active.write(self.offset, &header)?;
        self.active
            .write(self.offset + header.len() as u64, payload)?;
        self.offset += length as u64;
        self.sequence += 1;
        batch.unsynced_bytes += length;
        Ok(location)
    }

    /// Makes what the batch wrote to the active segment durable.
    fn sync(&mut self, batch: &mut Batch) -> Result<(), StateError> {
        if batch.unsynced_bytes == 0 {
            return Ok(());
        }
        let started = Instant::now();
        self.active.sync()?;
        metrics::log_synced(batch.unsynced_bytes, started.elapsed());
        batch.unsynced_bytes = 0;
        Ok(())
    }

    /// Goes on in the next segment, which must hold at least `bytes`.
    fn rotate(&mut self, bytes: u64) -> Result<(), StateError> {
        let mut next = self.upcoming.take()?;
        next.grow(bytes.max(self.segment_bytes))?;
        self.upcoming = Upcoming::begin(&self.directory, next.index + 1, self.segment_bytes);
        self.active = next;
        self.offset = 0;
        Ok(())
    }
}

/// Records on their way to the disk.
struct Batch {
    /// Number of the first one.
    first: u64,
    /// Written to the active segment and not synced.
    unsynced_bytes: usize,
}

impl Batch {
    const fn at(first: u64) -> Self {
        Self {
            first,
            unsynced_bytes: 0,
        }
    }
}

/// A block as the log holds it, without its place.
#[derive(Debug)]
pub(crate) struct BlockPayload(Vec<u8>);

impl BlockPayload {
    /// Encodes a block into `memory`, whatever it contains.
    pub(crate) fn of(block: &SealedBlock, memory: Vec<u8>) -> Self {
        Self(record::encode_block(block, memory))
    }

    /// The memory, to be used again.
    pub(crate) fn into_memory(self) -> Vec<u8> {
        self.0
    }
}

/// Takes the directory for this process.
fn lock(directory: &Path) -> Result<File, StateError> {
    let path = directory.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(io_error("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StateError::Locked(directory.to_owned())),
        Err(TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
    }
}

/// Checks that the directory is of this chain; a new one is marked so.
fn claim(directory: &Path, genesis: B256, is_new: bool) -> Result<(), StateError> {
    let path = directory.join("genesis");
    let mark = format!("blockwright-state-1 {genesis}");
    match fs::read_to_string(&path) {
        Ok(found) if found.trim_end() == mark => return Ok(()),
        Ok(found) => {
            return Err(StateError::GenesisMismatch {
                path: directory.to_owned(),
                found: found.trim_end().chars().take(100).collect(),
                expected: genesis,
            });
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && is_new => {}
        Err(error) => return Err(io_error("read", &path)(error)),
    }
    let unfinished = directory.join("genesis.new");
    fs::write(&unfinished, mark + "\n")
        .and_then(|()| File::open(&unfinished)?.sync_all())
        .and_then(|()| fs::rename(&unfinished, &path))
        .map_err(io_error("write", &path))?;
    segment::sync_directory(directory)
}

/// Removes everything behind the last fork choice, so that nothing of an interrupted write can be
/// taken for a record later, and opens the segment where the log goes on.
fn cut(
    directory: &Path,
    segment_bytes: u64,
    scanned: &scan::Scanned,
) -> Result<Segment, StateError> {
    for index in &scanned.remains {
        let path = segment::path(directory, *index);
        Segment::open(directory, *index)?.clear_from(0)?;
        tracing::warn!(file = %path.display(), "cleared the remains of an interrupted write");
    }
    let mut active = Segment::open(directory, scanned.tail.segment)?;
    if scanned.tail_is_dirty {
        active.clear_from(scanned.tail.offset)?;
        tracing::warn!(
            file = %segment::path(directory, active.index).display(),
            offset = scanned.tail.offset,
            "cut an interrupted write"
        );
    }
    active.grow(segment_bytes)?;
    Ok(active)
}

/// Reads blocks back.
#[derive(Clone, Debug)]
pub(crate) struct LogReader {
    directory: PathBuf,
}

/// A block as recovery wants it.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) header: Header,
    pub(crate) changes: Changes,
    pub(crate) transactions: Vec<B256>,
}

impl LogReader {
    /// The whole block at `location`, its post-values in one piece.
    pub(crate) fn block(&self, location: Location) -> Result<SealedBlock, StateError> {
        self.read(location, |record| record.block())
    }

    /// What replaying the block at `location` takes.
    pub(crate) fn replayed(&self, location: Location) -> Result<Replayed, StateError> {
        self.read(location, |record| {
            Ok(Replayed {
                header: record.header()?,
                changes: record.changes()?,
                transactions: record.transaction_hashes()?,
            })
        })
    }

    fn read<T>(
        &self,
        location: Location,
        decode: impl FnOnce(BlockRecord<'_>) -> Result<T, Malformed>,
    ) -> Result<T, StateError> {
        let path = segment::path(&self.directory, location.segment);
        let mut bytes = vec![0; location.length as usize];
        File::open(&path)
            .and_then(|file| file.read_exact_at(&mut bytes, location.offset))
            .map_err(io_error("read", &path))?;
        let corrupt = |reason: String| StateError::Corrupt {
            file: path.clone(),
            offset: location.offset,
            reason,
        };
        let frame = Frame::read(&bytes)
            .filter(|frame| frame.stamp.kind == Kind::Block && frame.len() == bytes.len())
            .ok_or_else(|| corrupt("the block's record does not match its checksum".to_owned()))?;
        BlockRecord::read(frame.payload)
            .and_then(decode)
            .map_err(|error| corrupt(error.to_string()))
    }
}
