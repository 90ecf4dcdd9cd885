//! The durable log.

use blockwright_types::SealedBlock;

use crate::error::StateError;
use crate::fork_choice::Labels;

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    segment: u32,
    offset: u64,
}

#[derive(Debug)]
pub(crate) struct Log;

#[derive(Clone, Debug)]
pub(crate) struct LogReader;

impl Log {
    pub(crate) fn reader(&self) -> LogReader {
        LogReader
    }

    pub(crate) fn append<'a>(
        &mut self,
        _blocks: impl Iterator<Item = &'a SealedBlock>,
        _labels: &Labels,
    ) -> Result<Vec<Location>, StateError> {
        Err(StateError::LogFailed)
    }
}

impl LogReader {
    pub(crate) fn block(&self, _location: Location) -> Result<SealedBlock, StateError> {
        Err(StateError::LogFailed)
    }
}
