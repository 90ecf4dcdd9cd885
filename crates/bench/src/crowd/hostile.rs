//! Peers that try to cost the others something.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::dial::Dial;
use crate::CrowdPlan;

/// Pause of a peer that was thrown out.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Time between two bytes of a slow handshake.
const BYTE_EVERY: Duration = Duration::from_millis(200);
/// Content of a huge frame, in bytes.
const HUGE_BYTES: u64 = 64 << 20;

/// How a peer misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Subscribes and never reads.
    NeverReads,
    /// Connects and says nothing.
    HalfOpen,
    /// Sends its handshake a byte at a time.
    SlowHandshake,
    /// Sends 64 MiB in one frame.
    HugeFrames,
}

const KINDS: [Kind; 4] = [
    Kind::NeverReads,
    Kind::HalfOpen,
    Kind::SlowHandshake,
    Kind::HugeFrames,
];

/// What the hostile peers met with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostileRecord {
    /// Connections tried by peers that stay.
    pub attempts: u64,
    /// How many of those the server ended.
    pub ended: u64,
    /// Connections opened and dropped.
    pub connects: u64,
    /// How many of those were answered as subscribers; the others were refused.
    pub accepted: u64,
}

type Seen = Rc<RefCell<HostileRecord>>;

/// The hostile peers' thread.
pub(crate) async fn attack(
    plan: CrowdPlan,
    dial: Dial,
    stopped: &watch::Receiver<bool>,
    span: Duration,
) -> HostileRecord {
    let seen = Seen::default();
    let dial = Rc::new(dial);
    let mut peers = JoinSet::new();
    for kind in KINDS {
        for _ in 0..plan.hostile {
            let (dial, seen) = (Rc::clone(&dial), Rc::clone(&seen));
            peers.spawn_local(until(stopped.clone(), async move {
                misbehave(kind, &dial, &seen).await;
            }));
        }
    }
    if plan.connects > 0 {
        let (dial, seen) = (Rc::clone(&dial), Rc::clone(&seen));
        let every = span / plan.connects;
        peers.spawn_local(until(stopped.clone(), async move {
            come_and_go(&dial, plan.connects, every, &seen).await;
        }));
    }
    while peers.join_next().await.is_some() {}
    *seen.borrow()
}

async fn until(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}

async fn misbehave(kind: Kind, dial: &Dial, seen: &Seen) {
    loop {
        seen.borrow_mut().attempts += 1;
        // However it ended: the server, or the system, had enough.
        let _ = attempt(kind, dial).await;
        seen.borrow_mut().ended += 1;
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// Returns once the server has ended the connection.
async fn attempt(kind: Kind, dial: &Dial) -> io::Result<()> {
    let mut stream = dial.hostile().await?;
    match kind {
        Kind::NeverReads => {
            stream.write_all(dial.request()).await?;
            until_reset(&stream).await
        }
        Kind::HalfOpen => until_end(&mut stream).await,
        Kind::SlowHandshake => {
            for byte in dial.request() {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(BYTE_EVERY).await;
            }
            until_end(&mut stream).await
        }
        Kind::HugeFrames => {
            dial.shake_hands(&mut stream).await?;
            stream.write_all(&[0x82, 0xff]).await?;
            stream.write_all(&HUGE_BYTES.to_be_bytes()).await?;
            stream.write_all(&[0; 4]).await?;
            let piece = vec![0; 64 * 1024];
            for _ in 0..HUGE_BYTES / piece.len() as u64 {
                stream.write_all(&piece).await?;
            }
            until_end(&mut stream).await
        }
    }
}

/// Without reading: only a broken connection tells.
async fn until_reset(stream: &TcpStream) -> io::Result<()> {
    stream.ready(tokio::io::Interest::ERROR).await?;
    Ok(())
}

async fn until_end(stream: &mut TcpStream) -> io::Result<()> {
    let mut bytes = [0; 4_096];
    while stream.read(&mut bytes).await? > 0 {}
    Ok(())
}

async fn come_and_go(dial: &Dial, count: u32, every: Duration, seen: &Seen) {
    let mut next = tokio::time::interval(every.max(Duration::from_micros(1)));
    for _ in 0..count {
        next.tick().await;
        let accepted = async {
            let mut stream = dial.hostile().await?;
            dial.shake_hands(&mut stream).await
        };
        let accepted = accepted.await.is_ok();
        let mut seen = seen.borrow_mut();
        seen.connects += 1;
        seen.accepted += u64::from(accepted);
    }
}
