//! `blockwright builder watch-attributes`: one line an event.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blockwright_attributes::{AttributesEvent, AttributesUrl, ClientConfig, Subscription};
use blockwright_trust::TlsTrust;
use clap::Args;

use crate::run::{self, ShutdownSignals};

/// Pause before another attempt, once the stream was there.
const RETRY_AFTER: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct WatchAttributesArgs {
    /// The stream, `http://127.0.0.1:9546` for instance.
    #[arg(value_name = "URL", value_parser = url)]
    url: AttributesUrl,
    /// PEM file of certificate authorities that are believed beside the system's, for https://.
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Print the events' JSON.
    #[arg(id = "builder.json", long = "json", env = "BLOCKWRIGHT_BUILDER_JSON")]
    json: bool,
    /// End after so many events (default: never).
    #[arg(long, env = "BLOCKWRIGHT_BUILDER_COUNT", value_name = "EVENTS",
          value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// Takes any text: what is wrong with a URL is said without repeating it.
#[allow(clippy::unnecessary_wraps)]
fn url(text: &str) -> Result<AttributesUrl, Infallible> {
    Ok(AttributesUrl::new(text))
}

pub(crate) fn run(args: WatchAttributesArgs) -> eyre::Result<()> {
    crate::logging::init_warnings()?;
    run::block_on_workers(1, async move {
        let mut signals = ShutdownSignals::new()?;
        tokio::select! {
            result = watch(&args) => result,
            () = signals.received() => Ok(()),
        }
    })
}

/// What is wrong at the first attempt ends it; a stream that was there is waited for.
async fn watch(args: &WatchAttributesArgs) -> eyre::Result<()> {
    let trust = args.ca.as_deref().map(|path| TlsTrust::load(Some(path)));
    let config = ClientConfig {
        trust: trust.transpose()?,
        ..ClientConfig::new(Vec::new())
    };
    let label = args.url.label()?;
    let mut left = args.count.unwrap_or(u64::MAX);
    let mut subscription = Subscription::open(&args.url, &config).await?;
    while left > 0 {
        match subscription.next().await {
            Ok(Ok(event)) => {
                left -= 1;
                if let Err(error) = print(&event, args.json) {
                    // Whoever read has enough.
                    return match error.kind() {
                        io::ErrorKind::BrokenPipe => Ok(()),
                        _ => Err(error.into()),
                    };
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "an event cannot be read"),
            Err(reason) => {
                tracing::warn!(%reason, upstream = label, "connecting again");
                subscription = loop {
                    match Subscription::open(&args.url, &config).await {
                        Ok(subscription) => break subscription,
                        Err(_) => tokio::time::sleep(RETRY_AFTER).await,
                    }
                };
            }
        }
    }
    Ok(())
}

fn print(event: &AttributesEvent, as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        return writeln!(out, "{}", event.to_json());
    }
    let attributes = &event.attributes;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let ahead_s = event.timestamp() as f64 - now.unwrap_or_default().as_secs_f64();
    let transactions = attributes.transactions.as_deref().unwrap_or_default().len();
    let gas_limit = attributes.gas_limit.unwrap_or_default();
    let pool = match attributes.no_tx_pool {
        Some(true) => ", nothing from the pool",
        _ => "",
    };
    writeln!(
        out,
        "block {} on {}: time {} ({ahead_s:+.2} s), gas limit {gas_limit}, transactions {transactions}{pool}",
        event.slot,
        event.parent_hash,
        event.timestamp(),
    )
}
