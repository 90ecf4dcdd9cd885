use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Mutex;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::*;
use crate::clock::now_us;
use crate::testing::plan;
use crate::{RunPlan, TxOutcome};

/// What the receiving end does with a transaction: its id and how often it came before.
type Judge = dyn Fn(u64, usize) -> Result<(), &'static str> + Send + Sync;

/// A server that answers batches of `eth_sendRawTransaction`.
struct Server {
    url: String,
    log: Arc<Log>,
}

struct Log {
    judge: Box<Judge>,
    /// Connection and ids of each batch, in order of arrival.
    batches: Mutex<Vec<(usize, Vec<u64>)>>,
    /// Accepted so far, for tests that wait for it.
    accepted: watch::Sender<u64>,
}

impl Log {
    fn answer(&self, connection: usize, body: &[u8]) -> Bytes {
        let requests: Vec<Value> = serde_json::from_slice(body).unwrap();
        let mut batches = self.batches.lock().unwrap();
        let mut accepted = 0;
        let mut ids = Vec::new();
        let answers: Vec<_> = requests
            .iter()
            .map(|request| {
                let id = request["id"].as_u64().unwrap();
                let before = batches.iter().flat_map(|(_, ids)| ids);
                let before = before.filter(|seen| **seen == id).count();
                ids.push(id);
                match (self.judge)(id, before) {
                    Ok(()) => {
                        accepted += 1;
                        json!({"jsonrpc": "2.0", "id": id, "result": "0xaa"})
                    }
                    Err(message) => {
                        let error = json!({"code": -32000, "message": message});
                        json!({"jsonrpc": "2.0", "id": id, "error": error})
                    }
                }
            })
            .collect();
        batches.push((connection, ids));
        self.accepted.send_modify(|sum| *sum += accepted);
        serde_json::to_vec(&answers).unwrap().into()
    }

    /// Ids in order of arrival, once for each time.
    fn ids(&self) -> Vec<u64> {
        let batches = self.batches.lock().unwrap();
        batches.iter().flat_map(|(_, ids)| ids.clone()).collect()
    }
}

impl Server {
    async fn start(
        judge: impl Fn(u64, usize) -> Result<(), &'static str> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Log {
            judge: Box::new(judge),
            batches: Mutex::default(),
            accepted: watch::Sender::new(0),
        });
        let serve = Arc::clone(&log);
        tokio::spawn(async move {
            for connection in 0.. {
                let (socket, _) = listener.accept().await.unwrap();
                let log = Arc::clone(&serve);
                let service = service_fn(move |request: Request<Incoming>| {
                    let log = Arc::clone(&log);
                    async move {
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        let answer = log.answer(connection, &body);
                        Ok::<_, Infallible>(Response::new(Full::new(answer)))
                    }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(socket), service));
            }
        });
        Self { url, log }
    }
}

fn workload(pace: Pace) -> Arc<Workload> {
    over(4, pace)
}

fn over(connections: usize, pace: Pace) -> Arc<Workload> {
    let plan = RunPlan {
        blocks: 1,
        connections,
        ..plan(pace)
    };
    Arc::new(Workload::prepare(&plan, &()).unwrap())
}

async fn feed(
    workload: &Arc<Workload>,
    server: &Server,
    sealed: u64,
) -> (Feed, watch::Sender<u64>) {
    let (tell, sealed) = watch::channel(sealed);
    let feed = Feed::connect(Arc::clone(workload), &server.url, sealed).await;
    (feed.unwrap(), tell)
}

fn accepted(sent: &[SentTransaction]) -> usize {
    let accepted = |one: &&SentTransaction| one.outcome == TxOutcome::Accepted;
    sent.iter().filter(accepted).count()
}

/// Every sender's first arrivals are in nonce order and over one connection.
fn assert_senders_in_order(workload: &Workload, log: &Log) {
    let order = workload.order();
    let mut seen: HashMap<u64, (usize, u64)> = HashMap::new();
    let mut known = std::collections::HashSet::new();
    for (connection, ids) in log.batches.lock().unwrap().iter() {
        for id in ids.iter().filter(|id| known.insert(**id)) {
            let (sender, nonce) = order.sender(order.place(*id));
            let (first, next) = seen.entry(sender).or_insert((*connection, 0));
            assert_eq!((*connection, nonce), (*first, *next), "sender {sender}");
            *next += 1;
        }
    }
}

#[tokio::test]
async fn an_open_loop_sends_everything_once_when_it_is_due() {
    let server = Server::start(|_, _| Ok(())).await;
    let workload = workload(Pace::Rate { tx_per_s: 400.0 });
    let (feed, _tell) = feed(&workload, &server, 0).await;
    let (_go, stop) = watch::channel(false);
    let before = now_us();
    let sent = feed.run(stop).await;
    assert_eq!((sent.len(), accepted(&sent)), (400, 400));
    let mut ids = server.log.ids();
    assert_senders_in_order(&workload, &server.log);
    ids.sort();
    assert_eq!(ids, (0..400).collect::<Vec<_>>());
    let schedule = Schedule::new(workload.plan().chain.seed, 4, 400.0);
    for (index, one) in sent.iter().enumerate() {
        let hash = workload.hash(index as u64);
        assert_eq!(Some(one.hash), hash);
        let due = schedule.due(index as u64 / 4).as_micros() as u64;
        assert!(
            one.sent_us >= before + due,
            "{index} was sent before its time"
        );
    }
}

#[tokio::test]
async fn refusals_of_an_open_loop_are_final() {
    let judge = |id, _| match id {
        7 => Err("txpool is full"),
        11 => Err("intrinsic gas too low"),
        _ => Ok(()),
    };
    let server = Server::start(judge).await;
    let workload = workload(Pace::Rate { tx_per_s: 1_000.0 });
    let (feed, _tell) = feed(&workload, &server, 0).await;
    let (_go, stop) = watch::channel(false);
    let sent = feed.run(stop).await;
    assert_eq!((accepted(&sent), server.log.ids().len()), (998, 1_000));
    let message = "txpool is full".to_owned();
    assert_eq!(sent[7].outcome, TxOutcome::Refused { message });
}

#[tokio::test]
async fn a_flood_keeps_to_its_window() {
    let server = Server::start(|_, _| Ok(())).await;
    let workload = workload(Pace::Flood { pending_max: 500 });
    let (feed, tell) = feed(&workload, &server, 0).await;
    let (go, stop) = watch::channel(false);
    let running = tokio::spawn(feed.run(stop));
    let mut accepted = server.log.accepted.subscribe();
    for sealed in [0, 130, 1_000] {
        tell.send_replace(sealed);
        let full = accepted.wait_for(|sum| *sum >= sealed + 500).await;
        assert_eq!(*full.unwrap(), sealed + 500);
    }
    go.send_replace(true);
    let sent = running.await.unwrap();
    assert_eq!(sent.len() as u64, workload.len());
    let unsent = |one: &&SentTransaction| one.outcome == TxOutcome::Unsent && one.sent_us == 0;
    assert_eq!(
        sent.iter().filter(unsent).count() as u64,
        workload.len() - 1_500
    );
    assert_senders_in_order(&workload, &server.log);
}

#[tokio::test]
async fn a_flood_sends_again_what_there_is_no_room_for() {
    let judge = |id, before| match (id % 100, before) {
        (50, 0..3) => Err("txpool is full"),
        (51, 0..2) => Err("nonce too high"),
        (52, 0) => Err("server is busy, try again"),
        (53, _) => Err("nonce too low"),
        _ => Ok(()),
    };
    let server = Server::start(judge).await;
    let workload = workload(Pace::Flood { pending_max: 1_000 });
    let (feed, _tell) = feed(&workload, &server, 0).await;
    let (go, stop) = watch::channel(false);
    let running = tokio::spawn(feed.run(stop));
    let mut accepted = server.log.accepted.subscribe();
    // What is refused for good makes room.
    accepted.wait_for(|sum| *sum == 1_000).await.unwrap();
    go.send_replace(true);
    let sent = running.await.unwrap();
    assert_eq!(self::accepted(&sent), 1_000);
    let ids = server.log.ids();
    let times = |id| ids.iter().filter(|seen| **seen == id).count();
    assert_eq!([50, 51, 52, 53, 54].map(times), [4, 3, 2, 1, 1]);
    let message = "nonce too low".to_owned();
    assert_eq!(sent[53].outcome, TxOutcome::Refused { message });
    assert_senders_in_order(&workload, &server.log);
}

#[tokio::test]
async fn a_prefill_sends_everything_before_the_run_and_nothing_after() {
    let judge = |id, before| match (id, before) {
        (3, 0) => Err("transaction intake is full (9 waiting), try again"),
        (4, _) => Err("txpool is full"),
        _ => Ok(()),
    };
    let server = Server::start(judge).await;
    let workload = workload(Pace::Prefilled { count: 1_050 });
    let (mut feed, _tell) = feed(&workload, &server, 0).await;
    feed.prefill().await;
    assert_eq!(*server.log.accepted.borrow(), 1_049);
    let batches = server.log.batches.lock().unwrap().len();
    let (_go, stop) = watch::channel(false);
    let sent = feed.run(stop).await;
    assert_eq!((sent.len(), accepted(&sent)), (1_050, 1_049));
    assert_eq!(server.log.batches.lock().unwrap().len(), batches);
    assert_senders_in_order(&workload, &server.log);
}

#[tokio::test]
async fn without_an_answer_a_transaction_is_unanswered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let workload = over(1, Pace::Flood { pending_max: 10 });
    let (_tell, sealed) = watch::channel(0);
    let feed = Feed::connect(Arc::clone(&workload), &url, sealed)
        .await
        .unwrap();
    let (go, stop) = watch::channel(false);
    let running = tokio::spawn(feed.run(stop));
    let (mut socket, _) = listener.accept().await.unwrap();
    // What follows the first byte is lost.
    socket.read_u8().await.unwrap();
    drop((socket, listener));
    go.send_replace(true);
    let sent = running.await.unwrap();
    let unanswered = |one: &&SentTransaction| one.outcome == TxOutcome::Unanswered;
    assert_eq!(sent.iter().filter(unanswered).count(), 10);
    assert!(sent.iter().filter(unanswered).all(|one| one.sent_us > 0));
    assert_eq!(accepted(&sent), 0);
}

#[tokio::test]
async fn addresses_that_cannot_work_are_refused_by_name() {
    let workload = workload(Pace::Rate { tx_per_s: 1.0 });
    for url in ["https://127.0.0.1:1", "127.0.0.1", "http://127.0.0.1:1"] {
        let (_tell, sealed) = watch::channel(0);
        let error = Feed::connect(Arc::clone(&workload), url, sealed)
            .await
            .unwrap_err();
        assert!(error.to_string().starts_with(url), "{error}");
    }
}

#[test]
fn groups_are_due_in_order_and_once_in_each_period() {
    let schedule = Schedule::new(7, 20, 2_000.0);
    let due: Vec<_> = (0..1_000)
        .map(|group| schedule.due(group).as_secs_f64())
        .collect();
    for (group, due) in due.iter().enumerate() {
        let period = group as f64 * 0.01..=(group + 1) as f64 * 0.01;
        assert!(period.contains(due));
    }
    // Phases are spread: a tenth of the period has about a tenth of the groups.
    let early = due
        .iter()
        .filter(|due| (*due * 100.0).fract() < 0.1)
        .count();
    assert!((60..150).contains(&early), "{early}");
}
