//! Batches: a limit, raw transactions that go to the pool together, and other entries that do not wait
//! for each other.

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
use jsonrpsee::types::{ErrorObjectOwned, Id, Request};

use crate::eth::{SEND_CONDITIONAL, SEND_SYNC};
use crate::intake::Intake;
use crate::submissions::{SEND_RAW, Submissions};
use crate::{RpcError, Sources, metrics};

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

/// An entry as it was sent.
type Entry<'a> = Result<BatchEntry<'a>, BatchEntryErr<'a>>;

/// Answers in the order of their entries, whichever comes first. Notifications have none.
struct Answers {
    slots: Vec<Option<MethodResponse>>,
    response_bytes_max: usize,
}

impl Answers {
    fn new(entries: usize, response_bytes_max: usize) -> Self {
        Self {
            slots: std::iter::repeat_with(|| None).take(entries).collect(),
            response_bytes_max,
        }
    }

    fn put(&mut self, position: usize, answer: MethodResponse) {
        if let Some(slot) = self.slots.get_mut(position) {
            *slot = Some(answer);
        }
    }

    fn finish(self) -> MethodResponse {
        let entries = self.slots.len();
        let mut answers = BatchResponseBuilder::new_with_limit(self.response_bytes_max);
        for answer in self.slots.into_iter().flatten() {
            if let Err(too_large) = answers.append(answer) {
                return too_large;
            }
        }
        if answers.is_empty() && entries > 0 {
            return MethodResponse::notification();
        }
        MethodResponse::from_batch(answers.finish())
    }
}

/// Wraps the service that runs the methods.
#[derive(Clone)]
pub(crate) struct Batching<S> {
    pub(crate) inner: S,
    pub(crate) limits: BatchLimits,
    pub(crate) names: MethodNames,
    /// Takes the raw transactions.
    pub(crate) intake: Intake,
    /// From where they may come.
    pub(crate) sources: Sources,
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
    async fn entry(self, entry: Entry<'_>) -> Option<MethodResponse> {
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
        let response_bytes_max = self.limits.response_bytes_max;
        let mut answers = Answers::new(entries, response_bytes_max);
        let mut sent = Submissions::new(entries);
        let mut others = Vec::new();
        for (position, entry) in batch.into_iter().enumerate() {
            match entry {
                Ok(BatchEntry::Call(request)) if self.sends(&request) => {
                    if let Some(refusal) = self.refusal(&request) {
                        answers.put(position, refusal);
                    } else if let Err(malformed) = sent.push(position, request) {
                        answers.put(position, malformed);
                    }
                }
                other => others.push((position, other)),
            }
        }
        if others.is_empty() {
            sent.submit(&self.intake, response_bytes_max, |position, answer| {
                answers.put(position, answer);
            })
            .await;
            return answers.finish();
        }
        let work = self.clone().run_others(others, response_bytes_max);
        let mut sent_answers = Vec::new();
        let submit = sent.submit(&self.intake, response_bytes_max, |position, answer| {
            sent_answers.push((position, answer));
        });
        let ((), other_answers) = futures_util::future::join(submit, work).await;
        for (position, answer) in sent_answers.into_iter().chain(other_answers) {
            answers.put(position, answer);
        }
        answers.finish()
    }

    /// Whether `request` is a raw transaction for this server's pool.
    fn sends(&self, request: &Request<'_>) -> bool {
        request.method_name() == SEND_RAW && self.names.contains_key(SEND_RAW)
    }

    /// The answer to a transaction from where none are taken.
    fn refusal(&self, request: &Request<'_>) -> Option<MethodResponse> {
        if !matches!(
            request.method_name(),
            SEND_RAW | SEND_CONDITIONAL | SEND_SYNC
        ) {
            return None;
        }
        let refused = self.sources.refused(request.extensions())?;
        metrics::source_refused();
        let error = ErrorObjectOwned::from(RpcError::SourceNotListed(refused.0));
        Some(MethodResponse::error(request.id.clone(), error))
    }

    /// Runs entries side by side; stops once their answers are larger than the whole may be.
    async fn run_others(
        self,
        entries: Vec<(usize, Entry<'_>)>,
        response_bytes_max: usize,
    ) -> Vec<(usize, MethodResponse)> {
        let mut answers = Vec::with_capacity(entries.len());
        let mut size_bytes = 0;
        let work: Vec<BoxFuture<'_, (usize, Option<MethodResponse>)>> = entries
            .into_iter()
            .map(|(position, entry)| {
                let answer = self.clone().entry(entry);
                answer.map(move |answer| (position, answer)).boxed()
            })
            .collect();
        let mut done = stream::iter(work).buffered(ENTRIES_AT_ONCE);
        while size_bytes <= response_bytes_max
            && let Some((position, answer)) = done.next().await
        {
            if let Some(answer) = answer {
                size_bytes += answer.as_ref().len();
                answers.push((position, answer));
            }
        }
        answers
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
        let answer = match self.refusal(&request) {
            Some(refusal) => Err(refusal),
            None => Ok(self.inner.call(request)),
        };
        async move {
            let answer = match answer {
                Ok(answer) => answer.await,
                Err(refusal) => refusal,
            };
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
