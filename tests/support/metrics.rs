//! What a process's metrics server answers.

use std::io::{Read, Write};

use super::host::Host;
use super::process::Blockwright;

impl Blockwright {
    /// The whole answer of the metrics server to `GET path`, with its status line.
    pub fn monitoring(&self, path: &str) -> String {
        let address = self.endpoints.metrics.trim_start_matches("http://");
        let address = address.trim_end_matches("/metrics");
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        write!(socket, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        text
    }

    /// The sum of a metric's values over the series that have all these labels.
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let text = self.monitoring("/metrics");
        let prefix = Host::under_test().metrics_prefix();
        let lines = text.lines().filter(|line| {
            let line = line.strip_prefix(prefix).unwrap_or_default();
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|label| line.contains(label))
        });
        lines
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum()
    }
}
