//! Frames in a file: one line each, the time of arrival and the frame as it came.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Lines, Write};
use std::path::{Path, PathBuf};

use crate::{Heard, WatchError};

/// Writes a recording.
#[derive(Debug)]
pub struct RecordingWriter {
    path: PathBuf,
    file: BufWriter<File>,
}

impl RecordingWriter {
    /// Creates the file, which must not exist yet.
    ///
    /// # Errors
    /// [`WatchError::File`].
    pub fn create(path: &Path) -> Result<Self, WatchError> {
        let file = File::create_new(path).map_err(|source| failed(path, source))?;
        Ok(Self {
            path: path.to_path_buf(),
            file: BufWriter::new(file),
        })
    }

    /// Appends a frame: microseconds since the epoch, a blank, the frame. A frame is JSON, in which
    /// line breaks are blanks.
    ///
    /// # Errors
    /// [`WatchError::File`].
    pub fn write(&mut self, heard: &Heard) -> Result<(), WatchError> {
        let line: Vec<u8> = heard
            .frame
            .iter()
            .map(|byte| match byte {
                b'\n' | b'\r' => b' ',
                other => *other,
            })
            .collect();
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
    lines: Lines<BufReader<File>>,
    line: usize,
}

impl Recording {
    /// Opens the file.
    ///
    /// # Errors
    /// [`WatchError::File`].
    pub fn open(path: &Path) -> Result<Self, WatchError> {
        let file = File::open(path).map_err(|source| failed(path, source))?;
        Ok(Self {
            path: path.to_path_buf(),
            lines: BufReader::new(file).lines(),
            line: 0,
        })
    }

    fn parse(&self, line: &str) -> Result<Heard, WatchError> {
        let bad = |cause: &str| WatchError::Line {
            path: self.path.clone(),
            line: self.line,
            cause: cause.to_owned(),
        };
        let (at_us, frame) = line.split_once(' ').ok_or_else(|| bad("no frame"))?;
        Ok(Heard {
            at_us: at_us
                .parse()
                .map_err(|_| bad("does not begin with microseconds"))?,
            frame: frame.to_owned().into(),
        })
    }
}

impl Iterator for Recording {
    type Item = Result<Heard, WatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
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
