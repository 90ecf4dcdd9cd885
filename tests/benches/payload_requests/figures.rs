//! The answers of one way of asking.

use std::time::Duration;

use crate::connection::Asked;
use crate::inside::Inside;

#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) inside: Inside,
    first_byte: Vec<Duration>,
    last_byte: Vec<Duration>,
    /// Of the one who asked first for each block, and ended its building by that.
    first_asked: Vec<Duration>,
    longest: usize,
    without: usize,
}

impl Figures {
    /// What all were answered about one block, in the order of asking.
    pub(crate) fn add(&mut self, answers: &[Asked]) {
        for (place, asked) in answers.iter().enumerate() {
            self.longest = self.longest.max(asked.length);
            if asked.status != 200 {
                self.without += 1;
                continue;
            }
            self.first_byte.push(asked.first_byte);
            self.last_byte.push(asked.last_byte);
            if place == 0 {
                self.first_asked.push(asked.last_byte);
            }
        }
    }

    pub(crate) fn print(self, how: &str) {
        let answers = self.last_byte.len();
        println!(
            "{how}: {answers} answers of up to {} bytes, {} without a block",
            self.longest, self.without
        );
        for (what, times) in [
            ("first byte", self.first_byte),
            ("last byte", self.last_byte),
            ("last byte, first to ask", self.first_asked),
        ] {
            print(what, times);
        }
        self.inside.print(answers + self.without);
    }
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let ms = |share: f64| {
        let place = (times.len().saturating_sub(1) as f64 * share).round() as usize;
        let time = times.get(place);
        time.map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    let (p50, p99, max) = (ms(0.5), ms(0.99), ms(1.0));
    println!("  {what}: p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms");
}
