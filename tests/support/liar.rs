//! A builder that cannot be trusted: passes the answers of a real one on, and changes them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is done to the next answers.
pub enum Fault {
    /// They are passed on as they are.
    Honest,
    /// Their JSON is changed.
    Change(Box<dyn Fn(&mut Value) + Send + Sync>),
    /// Another status and body in their place.
    Instead(u16, &'static str),
    /// The request is taken, and nothing is answered.
    Hang,
    /// They are held back.
    Late(Duration),
    /// The connection ends in the middle of the body.
    Cut,
    /// A body of this many bytes is announced, and none is sent.
    Announce(u64),
    /// A body without an announced length goes on for this many bytes at least.
    Flood(usize),
    /// The connection ends before anything is answered.
    Close,
}

struct State {
    target: String,
    fault: Arc<Fault>,
}

/// The proxy's end of the wire.
pub struct Liar {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Liar {
    /// Stands before the builder at `url`, honest at first.
    pub async fn start(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            target: host(url),
            fault: Arc::new(Fault::Honest),
        }));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (target, fault) = {
                    let state = shared.lock().unwrap();
                    (state.target.clone(), state.fault.clone())
                };
                // Whoever asks may go away, and the builder may be dead: both end the connection.
                tokio::spawn(async move { serve(client, &target, &fault).await });
            }
        });
        Self { url: own, state }
    }

    /// From now on.
    pub fn tell(&self, fault: Fault) {
        self.state.lock().unwrap().fault = Arc::new(fault);
    }

    /// Changes the JSON of answers from now on.
    pub fn change(&self, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.tell(Fault::Change(Box::new(change)));
    }

    /// Stands before another builder.
    pub fn stand_before(&self, url: &str) {
        self.state.lock().unwrap().target = host(url);
    }
}

fn host(url: &str) -> String {
    url.strip_prefix("http://").unwrap().to_owned()
}

async fn serve(mut client: TcpStream, target: &str, fault: &Fault) -> std::io::Result<()> {
    let request = request(&mut client).await?;
    match fault {
        Fault::Close => Ok(()),
        Fault::Hang => {
            // Until the other end has enough.
            client.read_to_end(&mut Vec::new()).await.map(drop)
        }
        Fault::Announce(length) => {
            client.write_all(&head(200, &length.to_string())).await?;
            client.read_to_end(&mut Vec::new()).await.map(drop)
        }
        Fault::Flood(length) => flood(&mut client, *length).await,
        Fault::Instead(status, body) => answer(&mut client, *status, body.as_bytes()).await,
        Fault::Honest => {
            let (status, body) = ask(target, &request).await?;
            answer(&mut client, status, &body).await
        }
        Fault::Late(by) => {
            let (status, body) = ask(target, &request).await?;
            tokio::time::sleep(*by).await;
            answer(&mut client, status, &body).await
        }
        Fault::Cut => {
            let (status, body) = ask(target, &request).await?;
            client
                .write_all(&head(status, &body.len().to_string()))
                .await?;
            client.write_all(&body[..body.len() / 2]).await
        }
        Fault::Change(change) => {
            let (status, body) = ask(target, &request).await?;
            let mut json: Value = serde_json::from_slice(&body).unwrap();
            if status == 200 {
                change(&mut json);
            }
            answer(&mut client, status, json.to_string().as_bytes()).await
        }
    }
}

/// The request's body.
async fn request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let (_, length) = head.split_once("content-length: ").unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if bytes.len() >= end + 4 + length {
                return Ok(bytes.split_off(end + 4));
            }
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Status and body of the real builder's answer.
async fn ask(target: &str, body: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
    let mut builder = TcpStream::connect(target).await?;
    let length = body.len();
    let head = format!(
        "POST /eth/v1/builder/payload HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    builder.write_all(&[head.as_bytes(), body].concat()).await?;
    let mut bytes = Vec::new();
    builder.read_to_end(&mut bytes).await?;
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let body = bytes.split_off(end + 4);
    let status = String::from_utf8_lossy(&bytes[9..12]).parse().unwrap();
    Ok((status, body))
}

fn head(status: u16, length: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    )
    .into_bytes()
}

async fn answer(client: &mut TcpStream, status: u16, body: &[u8]) -> std::io::Result<()> {
    let head = head(status, &body.len().to_string());
    client.write_all(&[&head, body].concat()).await
}

async fn flood(client: &mut TcpStream, length: usize) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.write_all(head.as_bytes()).await?;
    let chunk = [&b"100000\r\n"[..], &[b' '; 1 << 20], b"\r\n"].concat();
    for _ in 0..=(length >> 20) {
        client.write_all(&chunk).await?;
    }
    Ok(())
}
