//! What one subscriber is sent.

use crate::close::CloseCause;
use crate::entry::Format;
use crate::frame::Frame;
use crate::hub::Reader;
use crate::makers::Makers;
use crate::notices::Listener;

/// The source of a subscriber's frames.
#[derive(Debug)]
pub(crate) enum Feed {
    /// The stream, in one format.
    Flashblocks { reader: Reader, format: Format },
    /// The notices.
    Notices(Listener),
}

impl Feed {
    /// Whether its first frame follows the position that was asked for.
    pub(crate) const fn continues(&self) -> bool {
        match self {
            Self::Flashblocks { reader, .. } => reader.continues(),
            Self::Notices(_) => false,
        }
    }

    /// The next frame. The future can be dropped at any moment: a frame that was not returned is
    /// still the next one.
    pub(crate) async fn next(&mut self, makers: &Makers) -> Result<Frame, CloseCause> {
        match self {
            Self::Flashblocks { reader, format } => {
                let entry = reader.entry().await?;
                let frame = entry.frame(*format, makers).await?;
                reader.advance();
                Ok(frame)
            }
            Self::Notices(listener) => Ok(Frame::Text(listener.next().await?)),
        }
    }
}
