//! Frames in a file: one line each, the time of arrival and the frame as it came. The first line names
//! the dialect.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Lines, Write};
use std::path::{Path, PathBuf};

use alloy_primitives::hex;
use blockwright_flashblocks::Dialect;

use crate::{Heard, WatchError};

/// What stands before the dialect's name in the first line.
const HEADER: &str = "dialect ";
/// What stands before the bytes of a frame in SSZ.
const HEX: &str = "0x";

/// Writes a recording.
#[derive(Debug)]
pub struct RecordingWriter {
    path: PathBuf,
    file: BufWriter<File>,
}

impl RecordingWriter {
    /// Creates the file, which must not exist yet, for frames of a dialect.
    ///
    /// # Errors
    /// [`WatchError::File`].
    pub fn create(path: &Path, dialect: Dialect) -> Result<Self, WatchError> {
        let file = File::create_new(path).map_err(|source| failed(path, source))?;
        let mut file = BufWriter::new(file);
        writeln!(file, "{HEADER}{dialect}").map_err(|source| failed(path, source))?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
        })
    }

    /// Appends a frame: microseconds since the epoch, a blank, the frame. Line breaks in JSON are
    /// blanks; SSZ is written as hex. A frame of dialect `spec` among those of another is one that came
    /// beside them.
    ///
    /// # Errors
    /// [`WatchError::File`].
    pub fn write(&mut self, heard: &Heard) -> Result<(), WatchError> {
        let line: Vec<u8> = match heard.dialect {
            Dialect::Spec => hex::encode_prefixed(&heard.frame).into_bytes(),
            Dialect::V1 | Dialect::Subblocks => {
                let bytes = heard.frame.iter().map(|byte| match byte {
                    b'\n' | b'\r' => b' ',
                    other => *other,
                });
                bytes.collect()
            }
        };
        write!(self.file, "{} ", heard.at_us)
            .and_then(|()| self.file.write_all(&line))
            .and_then(|()| self.file.write_all(b"\n"))
            .and_then(|()| self.file.flush())
            .map_err(|source| failed(&self.path, source))
    }
}

/// Reads a recording, frame by frame.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    dialect: Dialect,
    /// The first line, where it is a frame's.
    first: Option<String>,
    lines: Lines<BufReader<File>>,
    line: usize,
}

impl Recording {
    /// Opens the file.
    ///
    /// # Errors
    /// [`WatchError::File`], and [`WatchError::Line`] where its first line names an unknown dialect.
    pub fn open(path: &Path) -> Result<Self, WatchError> {
        let file = File::open(path).map_err(|source| failed(path, source))?;
        let mut lines = BufReader::new(file).lines();
        let first = lines.next().transpose();
        let first = first.map_err(|source| failed(path, source))?;
        let mut recording = Self {
            path: path.to_path_buf(),
            // Recordings named no dialect when there was only this one.
            dialect: Dialect::V1,
            first: None,
            lines,
            line: 0,
        };
        match first.as_deref().and_then(|line| line.strip_prefix(HEADER)) {
            Some(name) => {
                recording.line = 1;
                let dialect = name.trim().parse();
                recording.dialect = dialect.map_err(|error| recording.bad(&error))?;
            }
            None => recording.first = first,
        }
        Ok(recording)
    }

    /// What the frames are written in, beside which there may be some of dialect `spec`.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn bad(&self, cause: &dyn core::fmt::Display) -> WatchError {
        WatchError::Line {
            path: self.path.clone(),
            line: self.line,
            cause: cause.to_string(),
        }
    }

    fn parse(&self, line: &str) -> Result<Heard, WatchError> {
        let (at_us, frame) = line.split_once(' ').ok_or_else(|| self.bad(&"no frame"))?;
        let at_us = at_us.parse();
        let at_us = at_us.map_err(|_| self.bad(&"does not begin with microseconds"))?;
        let is_hex = frame.starts_with(HEX);
        let (dialect, frame) = if is_hex || self.dialect == Dialect::Spec {
            let bytes = hex::decode(frame);
            let bytes = bytes.map_err(|error| self.bad(&format!("not hex: {error}")))?;
            (Dialect::Spec, bytes.into())
        } else {
            (self.dialect, frame.to_owned().into())
        };
        Ok(Heard {
            at_us,
            dialect,
            frame,
        })
    }
}

impl Iterator for Recording {
    type Item = Result<Heard, WatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match self.first.take() {
            Some(first) => Ok(first),
            None => self.lines.next()?,
        };
        self.line += 1;
        Some(match line {
            Ok(line) => self.parse(&line),
            Err(source) => Err(failed(&self.path, source)),
        })
    }
}

fn failed(path: &Path, source: std::io::Error) -> WatchError {
    WatchError::File {
        path: path.to_path_buf(),
        source,
    }
}
