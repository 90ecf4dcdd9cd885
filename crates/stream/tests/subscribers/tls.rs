//! The stream over TLS, with certificates made for the test.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use blockwright_flashblocks::decode_v1;
use blockwright_stream::{StreamConfig, StreamLimits, TlsError, TlsIdentity};
use futures_util::StreamExt;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::fixture::{Running, config, soon, start_with};

/// A certificate for `localhost` that signs itself, in files.
struct Files {
    _folder: TempDir,
    cert: PathBuf,
    key: PathBuf,
    der: CertificateDer<'static>,
}

fn files() -> Files {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    Files {
        _folder: folder,
        cert,
        key,
        der: made.cert.der().clone(),
    }
}

async fn serve(files: &Files, limits: StreamLimits) -> Running {
    start_with(StreamConfig {
        limits,
        tls: Some(TlsIdentity::from_pem_files(&files.cert, &files.key).unwrap()),
        ..config()
    })
    .await
}

async fn connect(
    server: &Running,
    files: &Files,
) -> Result<WebSocketStream<TlsStream<TcpStream>>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(files.der.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(server.addr).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let tls = soon("TLS", connector.connect(name, tcp)).await.unwrap();
    let (socket, _) = soon(
        "the upgrade",
        Box::pin(client_async("wss://localhost/", tls)),
    )
    .await?;
    Ok(socket)
}

async fn next(socket: &mut WebSocketStream<TlsStream<TcpStream>>) -> (u8, u64) {
    match soon("reading", socket.next()).await {
        Some(Ok(Message::Text(text))) => {
            let read = decode_v1(text.as_bytes()).unwrap();
            (read.payload_id.0[7], read.index)
        }
        other => panic!("expected a flashblock: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flashblocks_are_served_over_tls() {
    let files = files();
    let server = serve(&files, StreamLimits::default()).await;
    let mut client = connect(&server, &files).await.unwrap();
    for index in 0..3 {
        server.publish_sized(1, index, 200_000);
        assert_eq!(next(&mut client).await, (1, index));
    }
    let mut late = connect(&server, &files).await.unwrap();
    for index in 0..3 {
        assert_eq!(next(&mut late).await, (1, index));
    }
    assert!(server.try_client("/").await.is_err(), "no plain text here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_and_deadlines_hold_over_tls() {
    let files = files();
    let hasty = StreamLimits {
        handshake_timeout: Duration::from_millis(100),
        ..StreamLimits::default()
    };
    let hasty = serve(&files, hasty).await;
    let mut silent = TcpStream::connect(hasty.addr).await.unwrap();
    let read = soon("the cut", silent.read(&mut [0u8; 16])).await.unwrap();
    assert_eq!(read, 0, "a handshake that never begins is cut off");

    let small = StreamLimits {
        subscribers_max: 1,
        ..StreamLimits::default()
    };
    let small = serve(&files, small).await;
    let _only = connect(&small, &files).await.unwrap();
    match connect(&small, &files).await {
        Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 503),
        other => panic!("expected a refusal: {other:?}"),
    }
}

#[test]
fn files_that_do_not_fit_are_refused_by_name() {
    let (files, others) = (files(), files());
    let missing = files.cert.with_file_name("missing.pem");
    let refused = |cert: &PathBuf, key: &PathBuf| {
        let error = TlsIdentity::from_pem_files(cert, key).unwrap_err();
        (error.to_string(), error)
    };
    let (said, error) = refused(&missing, &files.key);
    assert!(matches!(error, TlsError::Certificate { .. }), "{said}");
    assert!(said.contains("missing.pem"), "{said}");
    let (said, error) = refused(&files.key, &files.key);
    assert!(matches!(error, TlsError::Certificate { .. }), "{said}");
    let (said, error) = refused(&files.cert, &files.cert);
    assert!(matches!(error, TlsError::Key { .. }), "{said}");
    let (said, error) = refused(&files.cert, &others.key);
    assert!(matches!(error, TlsError::Pair { .. }), "{said}");
    assert!(said.contains("key.pem"), "{said}");
}
