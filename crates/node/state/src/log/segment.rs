//! The log's files: written with zeros before use, so that appending changes no metadata and one
//! `fdatasync` costs one device flush.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use blockwright_threads::Priority;

use crate::error::StateError;

const PREFIX: &str = "log-";
const UNFINISHED: &str = ".new";

/// Written at a time when a file is zeroed.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The file of a segment.
pub(super) fn path(directory: &Path, index: u32) -> PathBuf {
    directory.join(format!("{PREFIX}{index:08}"))
}

/// The segments of a directory in order. They must be numbered from 0 without a gap. Removes what
/// an interrupted [`create`] left.
pub(super) fn list(directory: &Path) -> Result<Vec<u32>, StateError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(io_error("list", directory))? {
        let path = entry.map_err(io_error("list", directory))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let Some(number) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if number.ends_with(UNFINISHED) {
            fs::remove_file(&path).map_err(io_error("remove", &path))?;
        } else if let Ok(index) = number.parse::<u32>() {
            found.push(index);
        }
    }
    found.sort_unstable();
    for (expected, index) in (0..).zip(&found) {
        if expected != *index {
            return Err(StateError::Corrupt {
                file: self::path(directory, expected),
                offset: 0,
                reason: format!("missing, but {PREFIX}{index:08} exists"),
            });
        }
    }
    Ok(found)
}

/// Makes a segment of zeros. It appears under its name only when it is complete and durable.
pub(super) fn create(directory: &Path, index: u32, bytes: u64) -> Result<(), StateError> {
    let finished = path(directory, index);
    let unfinished = finished.with_extension(&UNFINISHED[1..]);
    let file = File::create(&unfinished).map_err(io_error("create", &unfinished))?;
    zero(&file, 0, bytes)
        .and_then(|()| file.sync_all())
        .map_err(io_error("write", &unfinished))?;
    fs::rename(&unfinished, &finished).map_err(io_error("rename", &unfinished))?;
    sync_directory(directory)
}

/// Makes names in a directory durable.
pub(super) fn sync_directory(directory: &Path) -> Result<(), StateError> {
    File::open(directory)
        .and_then(|handle| handle.sync_all())
        .map_err(io_error("sync", directory))
}

/// Writes zeros from `from` up to `to`.
fn zero(file: &File, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; CHUNK_BYTES];
    let mut at = from;
    while at < to {
        let length = (to - at).min(CHUNK_BYTES as u64);
        // Bounded by CHUNK_BYTES.
        file.write_all_at(&zeros[..length as usize], at)?;
        at += length;
    }
    Ok(())
}

/// A segment open for writing.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) index: u32,
    path: PathBuf,
    file: File,
    capacity: u64,
}

impl Segment {
    pub(super) fn open(directory: &Path, index: u32) -> Result<Self, StateError> {
        let path = path(directory, index);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(io_error("open", &path))?;
        let capacity = file.metadata().map_err(io_error("open", &path))?.len();
        Ok(Self {
            index,
            path,
            file,
            capacity,
        })
    }

    pub(super) const fn fits(&self, offset: u64, bytes: usize) -> bool {
        offset.saturating_add(bytes as u64) <= self.capacity
    }

    /// Makes the file at least `bytes` long.
    pub(super) fn grow(&mut self, bytes: u64) -> Result<(), StateError> {
        if bytes > self.capacity {
            zero(&self.file, self.capacity, bytes)
                .and_then(|()| self.file.sync_all())
                .map_err(io_error("extend", &self.path))?;
            self.capacity = bytes;
        }
        Ok(())
    }

    /// Replaces everything from `offset` on by zeros, durably.
    pub(super) fn clear_from(&self, offset: u64) -> Result<(), StateError> {
        zero(&self.file, offset, self.capacity)
            .and_then(|()| self.file.sync_all())
            .map_err(io_error("clear", &self.path))
    }

    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), StateError> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(io_error("write", &self.path))
    }

    pub(super) fn sync(&self) -> Result<(), StateError> {
        self.file.sync_data().map_err(io_error("sync", &self.path))
    }
}

/// The next segment, being made on its own thread while the current one fills.
#[derive(Debug)]
pub(super) struct Upcoming {
    directory: PathBuf,
    index: u32,
    bytes: u64,
    /// `None` where the thread could not be started: then it is made when it is needed.
    worker: Option<JoinHandle<Result<(), StateError>>>,
}

impl Upcoming {
    /// Begins to make segment `index`, unless it exists (as zeros) already.
    pub(super) fn begin(directory: &Path, index: u32, bytes: u64) -> Self {
        let target = directory.to_owned();
        let make = move || make_if_missing(&target, index, bytes);
        let worker = blockwright_threads::spawn("log-prepare", Priority::Upkeep, make).ok();
        Self {
            directory: directory.to_owned(),
            index,
            bytes,
            worker,
        }
    }

    /// Waits for it, if need be.
    pub(super) fn take(&mut self) -> Result<Segment, StateError> {
        match self.worker.take().map(JoinHandle::join) {
            Some(Ok(made)) => made?,
            Some(Err(_)) | None => make_if_missing(&self.directory, self.index, self.bytes)?,
        }
        Segment::open(&self.directory, self.index)
    }
}

impl Drop for Upcoming {
    /// The directory's lock must not be given up while a thread still writes there.
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            // What went wrong there would only have mattered to the next write.
            worker.join().ok();
        }
    }
}

fn make_if_missing(directory: &Path, index: u32, bytes: u64) -> Result<(), StateError> {
    if path(directory, index).exists() {
        return Ok(());
    }
    create(directory, index, bytes)
}

/// Wraps an I/O error with what was tried on which file.
pub(super) fn io_error(
    operation: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::Io {
        operation,
        path,
        source,
    }
}
