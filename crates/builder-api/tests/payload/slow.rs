//! Clients that are slow, many, or silent cost others nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use blockwright_listen::TlsIdentity;
use bytes::Bytes;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::fixture::{Listener, Setup, answer, closed, exchange, good, post};

const SHORT: Duration = Duration::from_millis(300);

fn hurried() -> Setup {
    let mut setup = Setup::new();
    setup.config.limits.request_timeout = SHORT;
    setup.config.limits.answer_timeout = SHORT;
    setup.config.limits.idle_timeout = SHORT;
    setup
}

/// Sends a byte at a time until the connection is closed.
async fn drip(mut stream: TcpStream, text: String) {
    stream.set_nodelay(true).unwrap();
    for byte in text.bytes() {
        if stream.write_all(&[byte]).await.is_err() {
            return;
        }
        tokio::time::sleep(SHORT / 20).await;
    }
    closed(&mut stream).await;
}

#[tokio::test]
async fn whoever_is_slow_is_closed_while_others_are_served() {
    let listener = Listener::start(hurried()).await;
    let mut silent = listener.connect().await;
    let mut half = listener.connect().await;
    half.write_all(b"POST /eth").await.unwrap();
    let mut headed = listener.connect().await;
    let head = post(&good());
    headed
        .write_all(&head.as_bytes()[..head.len() - 40])
        .await
        .unwrap();
    let mut waiting = listener.connect().await;
    let expecting = head.replace("Host:", "Expect: 100-continue\r\nHost:");
    let (head_alone, _) = expecting.split_once("\r\n\r\n").unwrap();
    let head_alone = format!("{head_alone}\r\n\r\n");
    waiting.write_all(head_alone.as_bytes()).await.unwrap();
    // A head that takes far longer than allowed, but never pauses.
    let dripping = tokio::spawn(drip(listener.connect().await, head.repeat(20)));
    assert_eq!(listener.post(&good()).await.0, 200);
    let started = Instant::now();
    // Who is waited for, not who left, is told so before it is closed.
    let (status, body) = answer(&mut headed).await;
    assert_eq!(status, 408);
    assert_eq!(
        body,
        json!({"code": 408, "message": "the body took too long"})
    );
    for stream in [&mut silent, &mut half, &mut headed, &mut waiting] {
        closed(stream).await;
    }
    dripping.await.unwrap();
    assert!(started.elapsed() < 30 * SHORT, "{:?}", started.elapsed());
    assert_eq!(listener.post(&good()).await.0, 200);
    listener.stop().await;
}

#[tokio::test]
async fn a_body_that_ends_early_is_not_called_slow() {
    let listener = Listener::start(Setup::new()).await;
    let mut stream = listener.connect().await;
    let text = post(&good());
    stream
        .write_all(&text.as_bytes()[..text.len() - 40])
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let (status, body) = answer(&mut stream).await;
    assert_eq!(status, 400);
    assert_eq!(body["message"], "the body ended early");
    listener.stop().await;
}

#[tokio::test]
async fn a_head_that_is_none_is_answered_without_a_body() {
    let listener = Listener::start(Setup::new()).await;
    let long = format!("POST / HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(20_000));
    for (head, status) in [("no HTTP\r\n\r\n", "400"), (&*long, "431")] {
        let mut stream = listener.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        // It is closed with what it did not read, which may be a reset.
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut said).await;
        let said = String::from_utf8(said).unwrap();
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        assert!(said.ends_with("\r\n\r\n"), "{said}");
    }
    listener.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let listener = Listener::start(hurried()).await;
    let mut stream = listener.connect().await;
    assert_eq!(exchange(&mut stream, &post(&good())).await.0, 200);
    closed(&mut stream).await;
    listener.stop().await;
}

#[tokio::test]
async fn whoever_does_not_take_its_answer_is_closed() {
    let mut setup = hurried();
    let large = "\"0x".to_owned() + &"00".repeat(8 << 20) + "\"";
    setup.transactions = Bytes::from(large);
    setup.config.limits.connections_max = 1;
    let listener = Listener::start(setup).await;
    let mut stream = listener.connect().await;
    stream.write_all(post(&good()).as_bytes()).await.unwrap();
    // There is room for one connection: another is served once this one was given up.
    let served = async {
        loop {
            let mut next = listener.connect().await;
            let _ = next.write_all(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n").await;
            let mut first = [0; 1];
            if matches!(
                tokio::io::AsyncReadExt::read(&mut next, &mut first).await,
                Ok(1)
            ) {
                return;
            }
        }
    };
    tokio::time::timeout(crate::fixture::PATIENCE, served)
        .await
        .unwrap();
    drop(stream);
    listener.stop().await;
}

#[tokio::test]
async fn connections_of_one_address_are_limited() {
    let mut setup = Setup::new();
    setup.config.limits.connections_per_address_max = 2;
    let listener = Listener::start(setup).await;
    let (mut one, mut two) = (listener.connect().await, listener.connect().await);
    assert_eq!(exchange(&mut one, &post(&good())).await.0, 200);
    assert_eq!(exchange(&mut two, &post(&good())).await.0, 200);
    closed(&mut listener.connect().await).await;
    assert_eq!(exchange(&mut one, &post(&good())).await.0, 200);
    listener.stop().await;
    closed(&mut one).await;
}

#[tokio::test]
async fn whoever_comes_too_often_is_cut() {
    let mut setup = Setup::new();
    setup.config.limits.connections_per_second_max = 1;
    let listener = Listener::start(setup).await;
    let mut one = listener.connect().await;
    assert_eq!(exchange(&mut one, &post(&good())).await.0, 200);
    // However slow this machine is, a hundred take less than a second each.
    let cut = async {
        for _ in 0..100 {
            let mut next = listener.connect().await;
            let _ = next.write_all(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n").await;
            let read = tokio::io::AsyncReadExt::read_u8(&mut next).await;
            if read.is_err() {
                return true;
            }
        }
        false
    };
    assert!(cut.await);
    // Who is there already is served.
    assert_eq!(exchange(&mut one, &post(&good())).await.0, 200);
    listener.stop().await;
}

#[tokio::test]
async fn payloads_are_served_by_tls() {
    let folder = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert"), folder.path().join("key"));
    std::fs::write(&cert, issued.cert.pem()).unwrap();
    std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    let mut setup = hurried();
    setup.config.tls = Some(TlsIdentity::from_pem_files(&cert, &key).unwrap());
    let listener = Listener::start(setup).await;
    let mut roots = RootCertStore::empty();
    let der: CertificateDer<'static> = issued.cert.der().clone();
    roots.add(der).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut silent = listener.connect().await;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, listener.connect().await)
        .await
        .unwrap();
    assert_eq!(exchange(&mut stream, &post(&good())).await.0, 200);
    // Half of a handshake is not waited for either.
    closed(&mut silent).await;
    listener.stop().await;
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_told_so() {
    let mut setup = Setup::new();
    setup.config.limits.requests_per_second_max = 1;
    let listener = Listener::start(setup).await;
    assert_eq!(listener.post(&good()).await.0, 200);
    // However slow this machine is, a hundred take less than a second each.
    for _ in 0..100 {
        let (status, body) = listener.post(&good()).await;
        if status != 200 {
            assert_eq!(status, 429);
            assert!(body.to_string().contains("too many requests"), "{body}");
            return;
        }
    }
    panic!("none of a hundred requests was one too many");
}
