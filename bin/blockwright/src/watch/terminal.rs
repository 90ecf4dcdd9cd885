//! The screen.

use std::time::Duration;

use blockwright_watch::{Header, Monitor, draw};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};

/// Time between two drawings.
const TURN: Duration = Duration::from_millis(100);

/// A terminal that is given back as it was.
pub(super) struct Terminal {
    terminal: DefaultTerminal,
    header: Header,
}

impl Terminal {
    pub(super) fn start(source: &str) -> eyre::Result<Self> {
        Ok(Self {
            terminal: ratatui::try_init()?,
            header: Header {
                source: source.to_owned(),
                trouble: Some("connecting".to_owned()),
            },
        })
    }

    pub(super) fn connected(&mut self) {
        self.header.trouble = None;
    }

    pub(super) fn trouble(&mut self, trouble: String) {
        self.header.trouble = Some(trouble);
    }

    /// Draws and waits for the next turn; whether the user wants to leave.
    pub(super) async fn turn(&mut self, monitor: &Monitor) -> eyre::Result<bool> {
        let header = &self.header;
        self.terminal.draw(|frame| draw(frame, monitor, header))?;
        while event::poll(Duration::ZERO)? {
            if let Event::Key(key) = event::read()? {
                let interrupt = key.modifiers.contains(KeyModifiers::CONTROL);
                if key.code == KeyCode::Char('q') || (interrupt && key.code == KeyCode::Char('c')) {
                    return Ok(true);
                }
            }
        }
        tokio::time::sleep(TURN).await;
        Ok(false)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        ratatui::restore();
    }
}
