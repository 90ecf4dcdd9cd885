//! How far a run is, for whoever started it.

use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::Progress;

/// Progress on standard error: a bar where that is a terminal, else a line for each new step.
#[derive(Debug)]
pub struct TerminalProgress {
    /// None where no terminal looks on.
    bar: Option<ProgressBar>,
    step: Mutex<String>,
}

impl TerminalProgress {
    /// Shows `name` in front of every step.
    pub fn new(name: &str) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
            let template = "{prefix}  {msg:24} {wide_bar} {pos}/{len} {elapsed}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.with_prefix(name.to_owned())
        });
        if bar.is_none() {
            eprintln!("{name}");
        }
        Self {
            bar,
            step: Mutex::default(),
        }
    }

    /// Removes the bar, so that what is printed next begins on a clean line.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Remembers `what`; whether it is new.
    fn is_new(&self, what: &str) -> bool {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        if *step == what {
            return false;
        }
        what.clone_into(&mut step);
        true
    }
}

impl Progress for TerminalProgress {
    fn step(&self, what: &str, done: u64, total: u64) {
        let new = self.is_new(what);
        match &self.bar {
            Some(bar) => {
                if new {
                    bar.set_message(what.to_owned());
                }
                bar.set_length(total);
                bar.set_position(done);
            }
            None if new => eprintln!("  {what} ({total})"),
            None => {}
        }
    }
}
