//! How long a builder takes from a proposer's request to the last byte of its signed answer, while transfers
//! flood it: 64 connections that ask shortly before the end of each block, in every other block all at once, else
//! one after the other.
//!
//! All asking is done by one thread that does nothing else, at a raised priority where the system permits it (it
//! says so where not): what is measured is the builder, as a proposer on a machine of its own sees it. The
//! flood's senders have a lowered one. Beside the clients' figures stand the builder's own, and how long the threads that
//! answer waited for a core.
//!
//! `PAYLOAD_REQUEST_BLOCKS` sets the number of blocks (20), a second each; `BLOCKWRIGHT_BIN` the binary.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

#[path = "payload_requests/connection.rs"]
mod connection;
#[path = "payload_requests/figures.rs"]
mod figures;
#[path = "payload_requests/flood.rs"]
mod flood;
#[path = "payload_requests/inside.rs"]
mod inside;
#[path = "payload_requests/priority.rs"]
mod priority;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::B256;
use connection::Connection;
use figures::Figures;
use flood::Flood;
use inside::Inside;
use serde_json::Value;
use support::process::Blockwright;
use support::rpc::quantity;
use support::stream::Subscriber;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

const BLOCKS: usize = 20;
const CONNECTIONS: usize = 64;
/// Between two that ask one after the other.
const APART: Duration = Duration::from_millis(5);
/// Before the block's timestamp.
const ASKED_BEFORE: Duration = Duration::from_millis(120);
/// What is read of the builder before the first one asks may take so long.
const AHEAD: Duration = Duration::from_millis(50);
/// Of the thread that asks.
const NICE: i32 = -10;

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// What a block is built on.
struct Begun {
    slot: u64,
    parent: B256,
    /// Its timestamp.
    end: Duration,
}

/// The blocks as they are begun, told by a thread of their own: frames are large, and whoever asks must not
/// be busy with them.
fn beginnings(url: String) -> mpsc::Receiver<Begun> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut stream = Subscriber::connect(&url).await;
            let telling = async {
                loop {
                    let flashblock = stream.next().await;
                    if flashblock["index"] == 0 && sender.send(begun(&flashblock)).await.is_err() {
                        return;
                    }
                }
            };
            // The node ends soon after nobody listens any more.
            tokio::select! {
                () = telling => {}
                () = sender.closed() => {}
            }
        });
    });
    receiver
}

fn begun(flashblock: &Value) -> Begun {
    let base = &flashblock["base"];
    Begun {
        slot: quantity(&base["block_number"]),
        parent: serde_json::from_value(base["parent_hash"].clone()).unwrap(),
        end: Duration::from_secs(quantity(&base["timestamp"])),
    }
}

/// Has every connection ask for the block, the first one at `begin` and the others `apart` from each other.
async fn ask(
    connections: &mut Vec<Connection>,
    block: &Begun,
    (begin, apart): (Duration, Duration),
    figures: &mut Figures,
) {
    let (slot, parent) = (block.slot, block.parent);
    let asking = std::mem::take(connections).into_iter().enumerate();
    let asking: Vec<_> = asking
        .map(|(place, mut connection)| {
            tokio::task::spawn_local(async move {
                let due = begin + apart * place as u32;
                tokio::time::sleep(due.saturating_sub(now())).await;
                let asked = connection.ask(slot, parent).await;
                (connection, asked)
            })
        })
        .collect();
    let mut answers = Vec::new();
    for asked in asking {
        let (connection, asked) = asked.await.unwrap();
        connections.push(connection);
        answers.push(asked);
    }
    figures.add(&answers);
}

async fn measure(node: &Blockwright, blocks: usize) -> [Figures; 2] {
    let mut begun = beginnings(node.endpoints.flashblocks.clone());
    let mut connections = Vec::new();
    let mut figures = [Figures::default(), Figures::default()];
    for round in 0..blocks {
        // Those that were begun while others were asked for are over.
        let mut block = begun.recv().await.unwrap();
        while let Ok(newer) = begun.try_recv() {
            block = newer;
        }
        // Not before: a connection that asks for nothing is closed.
        while connections.len() < CONNECTIONS {
            connections.push(Connection::open(&node.endpoints.builder_api).await);
        }
        let apart = if round % 2 == 0 {
            Duration::ZERO
        } else {
            APART
        };
        let begin = block
            .end
            .saturating_sub(ASKED_BEFORE + apart * CONNECTIONS as u32);
        tokio::time::sleep(begin.saturating_sub(now() + AHEAD)).await;
        let before = Inside::now(node);
        let figures = &mut figures[round % 2];
        ask(&mut connections, &block, (begin, apart), figures).await;
        figures.inside.add(&before, &Inside::now(node));
    }
    figures
}

fn main() {
    let blocks = std::env::var("PAYLOAD_REQUEST_BLOCKS").ok();
    let blocks = blocks.and_then(|text| text.parse().ok()).unwrap_or(BLOCKS);
    let node = Blockwright::start(&[
        "dev",
        "--block-time",
        "1s",
        "--txpool.account-slots",
        "20000",
    ]);
    let flood = Flood::start(&node.endpoints.http);
    let asking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        if !priority::take(NICE) {
            println!(
                "the meter may not raise its priority: its own waiting is part of the figures"
            );
        }
        let figures = LocalSet::new().block_on(&runtime, measure(&node, blocks));
        (figures, node)
    });
    let ([at_once, in_turn], node) = asking.join().unwrap();
    println!("{} transactions taken in {blocks} blocks", flood.end());
    at_once.print("all at once");
    in_turn.print("one after the other");
    node.stop();
}
