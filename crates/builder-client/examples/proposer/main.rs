//! A proposer: stands between op-node and its execution client, asks a builder for every block, and proposes the
//! builder's where it is valid and no emptier than the own one.
//!
//! ```text
//! op-node --> proposer --> execution client
//!                |  +---> builder: POST /eth/v1/builder/payload
//!                +------> payload attributes, which the builder follows
//! ```
//!
//! What op-node asks is passed on as it is, with op-node's own token, so there is no secret here. Two calls are
//! looked at: a fork choice with attributes, which are published once the execution client has begun to build, and
//! `engine_getPayload`, which both builders are asked for. A failure in any of what is added leaves op-node with the
//! answer that it would have had without this program.
//!
//! Run it with `cargo run -p blockwright-builder-client --example proposer -- proposer.json`; docs/builder-api.md
//! has the file's fields and says more.

mod config;
mod engine;
mod job;
mod proposer;

use core::convert::Infallible;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use blockwright_attributes::{AttributesServer, EventServerConfig, SubscriberLimits};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::proposer::Proposer;

/// Pause after a failed accept (out of file descriptors, mostly).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

type Failure = Box<dyn core::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: proposer CONFIG.json");
        return ExitCode::from(2);
    };
    match run(path.as_ref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proposer: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(path: &Path) -> Result<(), Failure> {
    let config = Config::read(path)?;
    let (events, feed) = AttributesServer::bind(EventServerConfig {
        addr: config.events,
        limits: SubscriberLimits::default(),
        tls: None,
    })
    .await?;
    let proposer = Arc::new(Proposer::new(&config, feed)?);
    let listener = TcpListener::bind(config.listen).await?;
    println!(
        "op-node is served on {}, payload attributes on {}",
        listener.local_addr()?,
        events.local_addr()
    );
    tokio::spawn(events.run_until(core::future::pending()));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                eprintln!("proposer: a connection was lost: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Only latency is at stake where the option cannot be set.
        let _ = stream.set_nodelay(true);
        let proposer = Arc::clone(&proposer);
        let service = service_fn(move |request| {
            let proposer = Arc::clone(&proposer);
            async move { Ok::<_, Infallible>(proposer.answer(request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
