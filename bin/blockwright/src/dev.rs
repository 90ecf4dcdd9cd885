//! `blockwright dev`.

use std::io::Write;

use blockwright_launch::{DevConfig, Endpoints, Node, dev_accounts, run_dev_clock, start_dev};
use eyre::WrapErr;

use crate::args::DevArgs;
use crate::live::BlockLine;
use crate::logging::{self, Voice};
use crate::run::{self, ShutdownSignals};

pub(crate) fn run(args: DevArgs) -> eyre::Result<()> {
    let voice = if args.process().json {
        Voice::Json
    } else {
        Voice::Calm
    };
    logging::init(args.process(), voice)?;
    let (dev, config) = args.into_config();
    run::block_on(async move {
        let mut signals = ShutdownSignals::new()?;
        let node = start_dev(&dev, config).await?;
        if voice == Voice::Calm {
            banner(&mut std::io::stdout().lock(), &dev, node.endpoints())
                .wrap_err("standard output")?;
        }
        tokio::select! {
            result = run_dev_clock(&node, &dev) => result.wrap_err("the chain stopped")?,
            () = live(&node, &dev, voice) => {}
            () = signals.received() => {}
        }
        node.stop().await;
        Ok(())
    })
}

fn banner(out: &mut impl Write, dev: &DevConfig, endpoints: &Endpoints) -> std::io::Result<()> {
    writeln!(
        out,
        "\n  Blockwright {} · chain {} · {} at genesis · {} s blocks\n",
        env!("CARGO_PKG_VERSION"),
        dev.chain_id,
        dev.fork,
        dev.block_time_s
    )?;
    writeln!(out, "  JSON-RPC     {}   {}", endpoints.http, endpoints.ws)?;
    writeln!(
        out,
        "  Engine API   {}   secret {}",
        endpoints.authrpc,
        endpoints.jwt.display()
    )?;
    writeln!(out, "  Flashblocks  {}", endpoints.flashblocks)?;
    if let Some(builder_api) = &endpoints.builder_api {
        writeln!(out, "  Builder API  {builder_api}")?;
    }
    if let Some(events) = &endpoints.builder_events {
        writeln!(
            out,
            "  Attributes   {events}/events?stream=payload_attributes"
        )?;
    }
    writeln!(out, "  Metrics      {}\n", endpoints.metrics)?;
    writeln!(
        out,
        "  Accounts (10,000 ETH each; the keys are public, use them for tests only)"
    )?;
    for account in dev_accounts() {
        let key = hex(account.signer.to_bytes().as_slice());
        writeln!(out, "  {}  {key}", account.address)?;
    }
    writeln!(out)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    for byte in bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// One line a block, for as long as the node lives.
async fn live(node: &Node, dev: &DevConfig, voice: Voice) {
    let mut heads = node.heads();
    loop {
        if heads.changed().await.is_err() {
            return std::future::pending().await;
        }
        let Some(block) = heads.borrow_and_update().clone() else {
            continue;
        };
        if voice == Voice::Calm {
            // A closed terminal is no reason to stop a chain.
            let _ = writeln!(
                std::io::stdout(),
                "  {}",
                BlockLine::new(&block, dev.gas_limit)
            );
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_has_urls_that_answer_as_they_are() {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let endpoints = Endpoints {
            http: url(1),
            ws: url(2),
            authrpc: url(3),
            flashblocks: url(4),
            metrics: url(5),
            builder_api: Some(url(6)),
            builder_events: Some(url(7)),
            jwt: "jwt.hex".into(),
        };
        let mut out = Vec::new();
        banner(&mut out, &DevConfig::default(), &endpoints).unwrap();
        let text = String::from_utf8(out).unwrap();
        let stream = "Attributes   http://127.0.0.1:7/events?stream=payload_attributes\n";
        assert!(text.contains(stream), "{text}");
    }
}
