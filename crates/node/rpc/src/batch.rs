//! Batches: a limit, and entries that do not wait for each other.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, StreamExt};
use jsonrpsee::MethodResponse;
use jsonrpsee::core::middleware::{Batch, BatchEntry, BatchEntryErr, Notification, RpcServiceT};
use jsonrpsee::server::BatchResponseBuilder;
use jsonrpsee::types::error::reject_too_big_batch_request;
use jsonrpsee::types::{Id, Request};

use crate::metrics;

/// Entries of one batch that are worked on at once. Answers keep the entries' order.
const ENTRIES_AT_ONCE: usize = 16;

/// Limits of batches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// Entries of one batch.
    pub(crate) entries_max: usize,
    /// Size of the whole answer, in bytes.
    pub(crate) response_bytes_max: usize,
}

/// Names of the served methods, so that a metric never has a label of the caller's choice.
pub(crate) type MethodNames = Arc<HashMap<&'static str, &'static str>>;

/// Wraps the service that runs the methods.
#[derive(Clone, Debug)]
pub(crate) struct Batching<S> {
    pub(crate) inner: S,
    pub(crate) limits: BatchLimits,
    pub(crate) names: MethodNames,
}

impl<S> Batching<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    async fn entry(
        self,
        entry: Result<BatchEntry<'_>, BatchEntryErr<'_>>,
    ) -> Option<MethodResponse> {
        match entry {
            Ok(BatchEntry::Call(request)) => Some(self.call(request).await),
            Ok(BatchEntry::Notification(notification)) => {
                self.inner.notification(notification).await;
                None
            }
            Err(error) => {
                let (error, id) = error.into_parts();
                Some(MethodResponse::error(id, error))
            }
        }
    }

    async fn run(self, batch: Batch<'_>) -> MethodResponse {
        let entries = batch.len();
        metrics::batch(entries);
        if entries > self.limits.entries_max {
            return MethodResponse::error(
                Id::Null,
                reject_too_big_batch_request(self.limits.entries_max),
            );
        }
        let mut answers = BatchResponseBuilder::new_with_limit(self.limits.response_bytes_max);
        let mut work: Vec<BoxFuture<'_, Option<MethodResponse>>> = Vec::with_capacity(entries);
        for entry in batch {
            work.push(self.clone().entry(entry).boxed());
        }
        let mut done = stream::iter(work).buffered(ENTRIES_AT_ONCE);
        while let Some(answer) = done.next().await {
            if let Some(answer) = answer
                && let Err(too_large) = answers.append(answer)
            {
                return too_large;
            }
        }
        if answers.is_empty() && entries > 0 {
            return MethodResponse::notification();
        }
        MethodResponse::from_batch(answers.finish())
    }
}

impl<S> RpcServiceT for Batching<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let name = self.names.get(request.method_name()).copied();
        let started = Instant::now();
        let answer = self.inner.call(request);
        async move {
            let answer = answer.await;
            metrics::answered(
                name.unwrap_or("unknown"),
                answer.is_success(),
                started.elapsed(),
            );
            answer
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.clone().run(batch)
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.inner.notification(notification)
    }
}
