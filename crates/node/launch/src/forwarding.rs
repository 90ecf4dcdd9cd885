//! Other nodes that get the transactions sent to this one, and who may send any.

use std::time::Duration;

use blockwright_forward::{
    ForwardConfig, ForwardError, ForwardService, Forwarder, Sequencer, SequencerConfig, TargetUrl,
};
use blockwright_rpc::{Forwarding, Source};

use crate::LaunchError;
use crate::error::flag;

const SEQUENCER: &str = "--rollup.sequencer-http";
const FORWARD: &str = "--txpool.forward";

/// Where transactions go and come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardSettings {
    /// The sequencer, asked before a transaction is pooled.
    pub sequencer_http: Option<TargetUrl>,
    /// How long its answer may take.
    pub sequencer_timeout: Duration,
    /// Nodes that get a copy of what was accepted.
    pub targets: Vec<TargetUrl>,
    /// Transactions that may wait for each of them.
    pub queue_count_max: usize,
    /// Transactions sent to one of them, or to the sequencer, at once.
    pub batch_max: usize,
    /// Addresses that transactions are taken from; none lists everybody.
    pub sources: Vec<Source>,
}

impl Default for ForwardSettings {
    fn default() -> Self {
        let copies = ForwardConfig::new(Vec::new());
        Self {
            sequencer_http: None,
            sequencer_timeout: Duration::from_secs(5),
            targets: Vec::new(),
            queue_count_max: copies.queue_count_max,
            batch_max: copies.batch_max,
            sources: Vec::new(),
        }
    }
}

impl ForwardSettings {
    /// What the JSON-RPC servers need, and the service that sends copies where there are any to send.
    pub(crate) fn start(&self) -> Result<(Forwarding, Option<ForwardService>), LaunchError> {
        let sequencer = self.sequencer_http.as_ref().map(|url| {
            Sequencer::new(SequencerConfig {
                timeout: self.sequencer_timeout,
                batch_max: self.batch_max,
                ..SequencerConfig::new(url.clone())
            })
        });
        let sequencer = sequencer.transpose();
        let sequencer = sequencer.map_err(|error| flag(SEQUENCER, &error))?;
        if let Some(url) = &self.sequencer_http
            && self.targets.contains(url)
        {
            let twice = ForwardError::Twice(url.label().unwrap_or_default());
            let reason = format!("{twice}: it is {SEQUENCER} already");
            return Err(flag(FORWARD, &reason));
        }
        let mut forwarding = Forwarding {
            sequencer,
            copies: None,
        };
        if self.targets.is_empty() {
            return Ok((forwarding, None));
        }
        let config = ForwardConfig {
            queue_count_max: self.queue_count_max,
            batch_max: self.batch_max,
            ..ForwardConfig::new(self.targets.clone())
        };
        let (forwarder, service) =
            Forwarder::new(&config).map_err(|error| flag(FORWARD, &error))?;
        forwarding.copies = Some(forwarder);
        Ok((forwarding, Some(service)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn said(settings: &ForwardSettings) -> String {
        settings.start().map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn a_bad_url_is_named_by_its_flag_and_not_repeated() {
        let sequencer = ForwardSettings {
            sequencer_http: Some(TargetUrl::new("wss://secret@host")),
            ..ForwardSettings::default()
        };
        assert_eq!(
            said(&sequencer),
            "--rollup.sequencer-http: the URL must begin with http:// or https://"
        );
        let targets = ForwardSettings {
            targets: vec![TargetUrl::new("secret")],
            ..ForwardSettings::default()
        };
        let text = said(&targets);
        assert!(text.starts_with("--txpool.forward: the URL "), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn the_sequencer_is_no_builder() {
        let url = TargetUrl::new("http://127.0.0.1:1/secret");
        let twice = ForwardSettings {
            sequencer_http: Some(url.clone()),
            targets: vec![url],
            ..ForwardSettings::default()
        };
        assert_eq!(
            said(&twice),
            "--txpool.forward: 127.0.0.1:1 is named twice: it is --rollup.sequencer-http already"
        );
    }
}
