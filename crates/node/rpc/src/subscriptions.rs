//! `eth_subscribe`.

use std::sync::Arc;

use alloy_rpc_types_eth::Filter;
use blockwright_pending::PendingBlock;
use blockwright_state::CanonUpdate;
use jsonrpsee::core::SubscriptionError;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use jsonrpsee::{PendingSubscriptionSink, RpcModule, SubscriptionSink};
use serde::Serialize;
use serde_json::value::to_raw_value;
use tokio::sync::broadcast;

use crate::args::Args;
use crate::eth::{block_logs, header_view, logs_from, rpc_block, transactions_from};
use crate::overlay::Shown;
use crate::{EthApi, Overlay, RpcError, metrics};

/// Registers `eth_subscribe` and `eth_unsubscribe`.
pub(crate) fn register_subscriptions(module: &mut RpcModule<EthApi>) {
    module
        .register_subscription(
            "eth_subscribe",
            "eth_subscription",
            "eth_unsubscribe",
            |params, pending, api: Arc<EthApi>, _| async move {
                serve(&params, pending, &api).await
            },
        )
        .expect("it is the module's only subscription");
}

/// What a subscriber asked for.
enum Feed {
    NewHeads,
    Logs(Box<Filter>),
    NewPendingTransactions,
    Preconfirmed(Overlay, Preconfirmed),
}

/// What a subscriber wants of each flashblock.
enum Preconfirmed {
    /// The block so far, with whole transactions where asked.
    Blocks { full: bool },
    /// The logs that are new in it.
    Logs(Box<Filter>),
    /// The transactions that are new in it, whole where asked.
    Transactions { full: bool },
}

impl Preconfirmed {
    fn write(&self, shown: &Shown, newest: usize, out: &mut Messages) {
        match self {
            Self::Blocks { full } => match rpc_block(shown, *full) {
                Ok(block) => push(&block, out),
                Err(error) => tracing::error!(%error, "a flashblock cannot be shown"),
            },
            Self::Logs(filter) => logs_from(shown, newest, filter, false)
                .iter()
                .for_each(|log| push(log, out)),
            Self::Transactions { full: true } => transactions_from(shown, newest)
                .iter()
                .for_each(|tx| push(tx, out)),
            Self::Transactions { full: false } => {
                let hashes = shown.block().transactions().skip(newest);
                hashes.for_each(|tx| push(&tx.hash, out));
            }
        }
    }
}

/// Why a subscription ends.
enum End {
    /// The subscriber left.
    Gone,
    /// It fell behind.
    Lagged(u64),
    /// The node stops.
    Stopped,
}

async fn serve(
    params: &Params<'_>,
    pending: PendingSubscriptionSink,
    api: &EthApi,
) -> Result<(), SubscriptionError> {
    let feed = match feed(params, api) {
        Ok(feed) => feed,
        Err(error) => {
            pending.reject(ErrorObjectOwned::from(error)).await;
            return Ok(());
        }
    };
    // Subscribed before the answer goes out, so that nothing after the answer is missed.
    let end = match feed {
        Feed::NewPendingTransactions => {
            let source = api.deps.pool.subscribe_new();
            let sink = pending.accept().await?;
            follow(sink, source, push).await
        }
        Feed::NewHeads => {
            let source = (api.deps.heads)();
            let sink = pending.accept().await?;
            follow(sink, source, |update: &Arc<CanonUpdate>, out| {
                update
                    .new
                    .iter()
                    .for_each(|block| push(&header_view(block), out));
            })
            .await
        }
        Feed::Logs(filter) => {
            let source = (api.deps.heads)();
            let sink = pending.accept().await?;
            follow(sink, source, move |update: &Arc<CanonUpdate>, out| {
                let reverted = update.reverted.iter().map(|block| (block, true));
                let joined = update.new.iter().map(|block| (block, false));
                for (block, removed) in reverted.chain(joined) {
                    let shown = Shown::Stored(Arc::clone(block));
                    for log in block_logs(&shown, &filter, removed) {
                        push(&log, out);
                    }
                }
            })
            .await
        }
        Feed::Preconfirmed(overlay, wanted) => {
            let source = overlay.pending.subscribe();
            let sink = pending.accept().await?;
            follow(sink, source, move |block: &Arc<PendingBlock>, out| {
                let newest = block.newest_position();
                let shown = Shown::Preconfirmed(Arc::clone(block), overlay.placeholders);
                wanted.write(&shown, newest, out);
            })
            .await
        }
    };
    match end {
        End::Gone => Ok(()),
        End::Stopped => Err(SubscriptionError::from("the node is stopping")),
        End::Lagged(missed) => {
            metrics::subscription_lagged();
            Err(SubscriptionError::from(format!(
                "too slow: {missed} events were missed, subscribe again"
            )))
        }
    }
}

fn feed(params: &Params<'_>, api: &EthApi) -> Result<Feed, RpcError> {
    let args = Args::parse(params)?;
    args.at_most(2)?;
    let kind: String = args.required(0, "subscription")?;
    match kind.as_str() {
        "newHeads" => Ok(Feed::NewHeads),
        "logs" => Ok(Feed::Logs(filter(&args)?)),
        "newPendingTransactions" => {
            if full(&args)? {
                return Err(RpcError::invalid("full", "only hashes are served"));
            }
            Ok(Feed::NewPendingTransactions)
        }
        "newFlashblocks" => preconfirmed(api, Preconfirmed::Blocks { full: full(&args)? }),
        "pendingLogs" => preconfirmed(api, Preconfirmed::Logs(filter(&args)?)),
        "newFlashblockTransactions" => {
            preconfirmed(api, Preconfirmed::Transactions { full: full(&args)? })
        }
        other => Err(RpcError::invalid(
            "subscription",
            format!("{other:?} is not served"),
        )),
    }
}

fn full(args: &Args) -> Result<bool, RpcError> {
    Ok(args.optional(1, "full")?.unwrap_or(false))
}

fn filter(args: &Args) -> Result<Box<Filter>, RpcError> {
    let filter: Option<Filter> = args.optional(1, "filter")?;
    Ok(Box::new(filter.unwrap_or_default()))
}

fn preconfirmed(api: &EthApi, wanted: Preconfirmed) -> Result<Feed, RpcError> {
    let overlay = api.deps.overlay.clone().ok_or_else(|| {
        RpcError::invalid("subscription", "preconfirmed state is switched off here")
    })?;
    Ok(Feed::Preconfirmed(overlay, wanted))
}

/// Messages of one event.
type Messages = Vec<Box<serde_json::value::RawValue>>;

fn push(item: &impl Serialize, out: &mut Messages) {
    match to_raw_value(item) {
        Ok(message) => out.push(message),
        Err(error) => tracing::error!(%error, "a notification cannot be written"),
    }
}

/// Sends what `write` makes of each event until the subscriber leaves or falls behind. While the
/// connection's queue is full this waits, and the source's bounded channel decides.
async fn follow<T: Clone>(
    sink: SubscriptionSink,
    mut source: broadcast::Receiver<T>,
    write: impl Fn(&T, &mut Messages),
) -> End {
    loop {
        let event = tokio::select! {
            () = sink.closed() => return End::Gone,
            event = source.recv() => event,
        };
        let mut messages = Messages::new();
        match event {
            Ok(event) => write(&event, &mut messages),
            Err(broadcast::error::RecvError::Lagged(missed)) => return End::Lagged(missed),
            Err(broadcast::error::RecvError::Closed) => return End::Stopped,
        }
        for message in messages {
            if sink.send(message).await.is_err() {
                return End::Gone;
            }
        }
    }
}
