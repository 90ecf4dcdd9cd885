//! One request: where it goes, and its answer as HTTP.

use core::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use blockwright_builder_codec::PAYLOAD_PATH;
use blockwright_listen::Allowance;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};

use crate::paced::Progress;
use crate::pieces::Whole;
use crate::{Answer, PayloadDesk, Refusal, metrics};

/// What requests of one connection have in common.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) desk: Arc<PayloadDesk>,
    pub(crate) body_bytes_max: usize,
    pub(crate) progress: Progress,
    pub(crate) allowance: Allowance,
    /// Who asks.
    pub(crate) peer: IpAddr,
}

impl Route {
    /// Never fails: whatever is wrong is an answer.
    pub(crate) async fn serve(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<Whole>, Infallible> {
        let outcome = self.outcome(request).await;
        self.progress.answered();
        Ok(match outcome {
            Ok(answer) => {
                metrics::answered("released");
                response(StatusCode::OK, Whole::from(answer.json))
            }
            Err(refusal) => {
                metrics::answered(refusal.label());
                tracing::debug!(%refusal, "no payload released");
                refused(&refusal)
            }
        })
    }

    async fn outcome(&self, request: Request<Incoming>) -> Result<Answer, Refusal> {
        if request.uri().path() != PAYLOAD_PATH {
            return Err(Refusal::Path);
        }
        if request.method() != Method::POST {
            return Err(Refusal::Method);
        }
        if !self.allowance.take(self.peer, Instant::now()) {
            return Err(Refusal::TooOften);
        }
        let body = self.body(request.into_body()).await?;
        let started = Instant::now();
        self.progress.complete(started);
        let answer = self.answer(&body).await;
        metrics::took(started.elapsed());
        answer
    }

    /// Here and now wherever that is possible: going to another thread and back costs more than the answer
    /// itself, and where cores are short both ways wait for one.
    async fn answer(&self, body: &[u8]) -> Result<Answer, Refusal> {
        let request = self.desk.admit(body)?;
        if self.desk.is_prompt(&request) {
            // A panic costs this answer, not the connection and its other requests.
            let answer = catch_unwind(AssertUnwindSafe(|| self.desk.answer_to(&request)));
            return answer.map_err(|_| panicked())?;
        }
        let desk = Arc::clone(&self.desk);
        let answering = tokio::task::spawn_blocking(move || desk.answer_to(&request));
        answering.await.map_err(|_| panicked())?
    }

    async fn body(&self, body: Incoming) -> Result<Bytes, Refusal> {
        let bytes_max = self.body_bytes_max;
        let too_long = Refusal::TooLong { bytes_max };
        if body.size_hint().lower() > bytes_max as u64 {
            return Err(too_long);
        }
        match Limited::new(body, bytes_max).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(too_long),
            Err(error) if is_timeout(&*error) => Err(Refusal::TooSlow),
            Err(_) => Err(Refusal::Incomplete),
        }
    }
}

/// Whether the connection gave up waiting, which the HTTP layer hands on as a cause.
fn is_timeout(error: &(dyn core::error::Error + 'static)) -> bool {
    core::iter::successors(Some(error), |error| error.source()).any(|cause| {
        let failed = cause.downcast_ref::<io::Error>();
        failed.is_some_and(|failed| failed.kind() == io::ErrorKind::TimedOut)
    })
}

/// The panic itself was said where it happened.
fn panicked() -> Refusal {
    tracing::error!("answering a request for a payload panicked: it is answered with 503");
    Refusal::NotReady
}

fn refused(refusal: &Refusal) -> Response<Whole> {
    let mut response = response(refusal.status(), Whole::from(refusal.json()));
    let headers = response.headers_mut();
    match refusal {
        Refusal::Method => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        Refusal::TooOften => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        // What is left of the body is not read.
        Refusal::TooLong { .. } | Refusal::TooSlow | Refusal::Incomplete => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

fn response(status: StatusCode, body: Whole) -> Response<Whole> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
