//! What one subscriber is sent.

use crate::close::CloseCause;
use crate::compress::Compressors;
use crate::content::Frame;
use crate::entry::Form;
use crate::hub::Reader;
use crate::notices::Listener;

/// The source of a subscriber's frames.
#[derive(Debug)]
pub(crate) enum Feed {
    /// The stream, in one form.
    Flashblocks { reader: Reader, form: Form },
    /// The notices.
    Notices(Listener),
}

impl Feed {
    /// The next frame. The future can be dropped at any moment: a frame that was not returned is
    /// still the next one.
    pub(crate) async fn next(&mut self, compressors: &Compressors) -> Result<Frame, CloseCause> {
        match self {
            Self::Flashblocks { reader, form } => {
                let entry = reader.entry().await?;
                let frame = entry.frame(*form, compressors).await;
                let frame = frame.ok_or(CloseCause::NotCompressed)?;
                reader.advance();
                Ok(frame)
            }
            Self::Notices(listener) => Ok(Frame::Text(listener.next().await?)),
        }
    }
}
