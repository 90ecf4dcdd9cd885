//! The stream by TLS: who is believed, and what half a handshake costs.

use std::path::PathBuf;
use std::time::Duration;

use blockwright_attributes::{
    AttributesUrl, ClientConfig, Disconnect, EventServerConfig, SubscriberLimits, Subscription,
};
use blockwright_listen::TlsIdentity;
use blockwright_trust::TlsTrust;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{Followed, Served, event, soon, started};

/// A server's files: its certificate, which is its own authority, and its key.
struct Files {
    cert: PathBuf,
    key: PathBuf,
    _folder: TempDir,
}

impl Files {
    fn new() -> Self {
        Self::with(rcgen::IsCa::NoCa)
    }

    fn with(is_ca: rcgen::IsCa) -> Self {
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = is_ca;
        let signing_key = rcgen::KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        std::fs::write(&chain, cert.pem()).unwrap();
        std::fs::write(&key, signing_key.serialize_pem()).unwrap();
        Self {
            cert: chain,
            key,
            _folder: folder,
        }
    }

    async fn serve(&self, limits: SubscriberLimits) -> Served {
        let tls = TlsIdentity::from_pem_files(&self.cert, &self.key).unwrap();
        Served::start_with(EventServerConfig {
            addr: "127.0.0.1:0".parse().unwrap(),
            limits,
            tls: Some(tls),
        })
        .await
    }

    fn trusting(&self, url: AttributesUrl) -> ClientConfig {
        ClientConfig {
            trust: Some(TlsTrust::load(Some(&self.cert)).unwrap()),
            ..ClientConfig::new(vec![url])
        }
    }
}

fn url(scheme: &str, host: &str, served: &Served) -> AttributesUrl {
    AttributesUrl::new(format!("{scheme}://{host}:{}", served.addr.port()))
}

async fn refused(url: &AttributesUrl, config: &ClientConfig) -> Disconnect {
    let opened = soon(Subscription::open(url, config)).await;
    opened.map(|_| ()).unwrap_err()
}

#[tokio::test]
async fn events_come_by_tls() {
    let files = Files::new();
    let served = files.serve(SubscriberLimits::default()).await;
    let config = files.trusting(url("https", "localhost", &served));
    let mut followed = Followed::start(config, started);
    served.subscribers(1).await;
    let mut large = event(1);
    // Many records of TLS, and a large event.
    large.attributes.transactions = Some(vec![vec![0x55; 1 << 20].into()]);
    for slot in 1..=3 {
        large.slot = slot;
        served.feed.publish(&large);
        assert_eq!(followed.next_done().await, slot);
    }
    served.stop().await;
}

#[tokio::test]
async fn a_server_is_believed_by_its_authority_and_its_name_alone() {
    let (files, others) = (Files::new(), Files::new());
    let served = files.serve(SubscriberLimits::default()).await;
    let here = url("https", "localhost", &served);
    let other_authority = refused(&here, &others.trusting(here.clone())).await;
    let system_alone = refused(&here, &ClientConfig::new(Vec::new())).await;
    for reason in [other_authority, system_alone] {
        assert!(matches!(reason, Disconnect::Tls(_)), "{reason}");
        let said = "no TLS: invalid peer certificate: ";
        assert!(reason.to_string().starts_with(said), "{reason}");
    }
    let elsewhere = url("https", "127.0.0.1", &served);
    let other_name = refused(&elsewhere, &files.trusting(elsewhere.clone())).await;
    assert!(matches!(other_name, Disconnect::Tls(_)), "{other_name}");
    // Who speaks no TLS learns nothing.
    let plain = url("http", "localhost", &served);
    let plain = refused(&plain, &ClientConfig::new(Vec::new())).await;
    assert!(matches!(plain, Disconnect::Broken(_)), "{plain}");
    served.subscribers(0).await;
    served.stop().await;
}

#[tokio::test]
async fn an_authoritys_certificate_as_a_servers_is_refused_with_the_remedy() {
    let files = Files::with(rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained));
    let served = files.serve(SubscriberLimits::default()).await;
    let here = url("https", "localhost", &served);
    let reason = refused(&here, &files.trusting(here.clone())).await;
    assert!(matches!(reason, Disconnect::Tls(_)), "{reason}");
    assert!(reason.to_string().contains("CA:FALSE"), "{reason}");
    // What the remedy makes is believed.
    let files = Files::with(rcgen::IsCa::ExplicitNoCa);
    let served_well = files.serve(SubscriberLimits::default()).await;
    let here = url("https", "localhost", &served_well);
    let config = files.trusting(here.clone());
    soon(Subscription::open(&here, &config)).await.unwrap();
    served_well.stop().await;
    served.stop().await;
}

#[tokio::test]
async fn a_server_without_tls_is_named() {
    let served = Served::start(SubscriberLimits::default()).await;
    let here = url("https", "localhost", &served);
    let reason = refused(&here, &ClientConfig::new(Vec::new())).await;
    assert!(matches!(reason, Disconnect::Tls(_)), "{reason}");
    served.stop().await;
}

#[tokio::test]
async fn half_a_handshake_is_not_waited_for() {
    let files = Files::new();
    let limits = SubscriberLimits {
        request_timeout: Duration::from_millis(100),
        ..SubscriberLimits::default()
    };
    let served = files.serve(limits).await;
    // The beginning of a handshake's record.
    for half in [&b""[..], b"\x16\x03\x01\x02\x00"] {
        let mut stream = TcpStream::connect(served.addr).await.unwrap();
        stream.write_all(half).await.unwrap();
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = soon(stream.read_to_end(&mut rest)).await;
        assert_eq!(rest, b"");
    }
    served.stop().await;
}
