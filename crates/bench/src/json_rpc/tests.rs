use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::json_scan::quantity;

/// What a server of the test saw: authorization and body of each request.
type Seen = Arc<Mutex<Vec<(Option<String>, Value)>>>;

/// Serves `answers` one after the other, each on a connection that takes `requests_a_connection`.
async fn serve(
    answers: Vec<(StatusCode, &'static str)>,
    requests_a_connection: usize,
) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let log = seen.clone();
    let answers = Arc::new(Mutex::new(answers.into_iter()));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let left = Arc::new(Mutex::new(requests_a_connection));
            let (log, answers) = (log.clone(), answers.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (log, answers, left) = (log.clone(), answers.clone(), left.clone());
                async move {
                    let bearer = request.headers().get(AUTHORIZATION);
                    let bearer = bearer.map(|value| value.to_str().unwrap().to_owned());
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let body = serde_json::from_slice(&body).unwrap();
                    log.lock().unwrap().push((bearer, body));
                    let (status, text) = answers.lock().unwrap().next().unwrap();
                    let mut left = left.lock().unwrap();
                    *left -= 1;
                    let mut response = Response::builder().status(status);
                    if *left == 0 {
                        response = response.header("connection", "close");
                    }
                    response.body(Full::new(Bytes::from_static(text.as_bytes())))
                }
            });
            let connection = server::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = connection.await;
        }
    });
    (url, seen)
}

const ONE: (StatusCode, &str) = (StatusCode::OK, r#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#);
const TWO: (StatusCode, &str) = (StatusCode::OK, r#"{"result":"0x2","id":2,"jsonrpc":"2.0"}"#);

#[tokio::test]
async fn one_connection_carries_all_calls_with_fresh_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwt.hex");
    std::fs::write(&path, format!("0x{}\n", "2a".repeat(32))).unwrap();
    let (url, seen) = serve(vec![ONE, TWO], 2).await;
    let secret = JwtSecret::read(&path).unwrap();
    let mut rpc = JsonRpc::new(&url, Some(secret)).unwrap();
    let params = [Bytes::from_static(b"{\"a\":1}"), Bytes::from_static(b"[]")];
    assert_eq!(rpc.call("first", &params).await.unwrap().value, "\"0x1\"");
    assert_eq!(
        quantity(&rpc.call("second", &[]).await.unwrap().value),
        Some(2)
    );
    let seen = seen.lock().unwrap();
    assert_eq!(
        seen[0].1,
        json!({"jsonrpc": "2.0", "id": 1, "method": "first", "params": [{"a": 1}, []]})
    );
    assert_eq!(seen[1].1["params"], json!([]));
    for (bearer, _) in seen.iter() {
        let token = bearer.as_deref().unwrap().strip_prefix("Bearer ").unwrap();
        let key = DecodingKey::from_secret(&[0x2a; 32]);
        let mut rules = Validation::new(Algorithm::HS256);
        rules.required_spec_claims.clear();
        let claims: Value = jsonwebtoken::decode(token, &key, &rules).unwrap().claims;
        let age = now_us() / 1_000_000 - claims["iat"].as_u64().unwrap();
        assert!(age <= 60, "{claims}");
    }
}

#[tokio::test]
async fn a_closed_connection_is_opened_anew() {
    let (url, seen) = serve(vec![ONE, TWO], 1).await;
    let mut rpc = JsonRpc::new(&url, None).unwrap();
    rpc.call("first", &[]).await.unwrap();
    assert_eq!(rpc.call("second", &[]).await.unwrap().value, "\"0x2\"");
    assert!(seen.lock().unwrap()[1].0.is_none());
}

#[tokio::test]
async fn errors_name_the_server_and_what_it_said() {
    let refused = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-38001,"message":"Unknown payload"}}"#;
    let answers = vec![
        (StatusCode::OK, refused),
        (StatusCode::UNAUTHORIZED, "no token"),
        (StatusCode::OK, "nothing"),
    ];
    let (url, _) = serve(answers, 3).await;
    let mut rpc = JsonRpc::new(&url, None).unwrap();
    let error = rpc.call("engine_getPayloadV4", &[]).await.unwrap_err();
    assert!(
        matches!(error, BenchError::Rpc { code: -38001, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("Unknown payload"), "{error}");
    let error = rpc.call("eth_chainId", &[]).await.unwrap_err();
    assert!(matches!(error, BenchError::Unauthorized { .. }), "{error}");
    assert!(error.to_string().contains(&url), "{error}");
    let error = rpc.call("eth_chainId", &[]).await.unwrap_err();
    assert!(matches!(error, BenchError::Answer { .. }), "{error}");
}

#[tokio::test]
async fn nobody_listening_is_an_error_with_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut rpc = JsonRpc::new(&url, None).unwrap();
    let error = rpc.call("eth_chainId", &[]).await.unwrap_err();
    assert!(matches!(error, BenchError::Connect { .. }), "{error}");
    assert!(error.to_string().contains(&url), "{error}");
}

#[test]
fn urls_are_plain_http() {
    for url in ["ws://127.0.0.1:1", "127.0.0.1:8551", "https://a:1", ""] {
        let error = JsonRpc::new(url, None).unwrap_err();
        assert!(matches!(error, BenchError::Url { .. }), "{url}: {error}");
    }
}

#[test]
fn secrets_are_32_bytes_of_hex() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwt.hex");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        JwtSecret::read(&path)
    };
    assert!(read(&"ab".repeat(32)).is_ok());
    for bad in ["ab", "", "zz"] {
        let error = read(bad).unwrap_err();
        assert!(error.to_string().contains("jwt.hex"), "{error}");
    }
    assert!(JwtSecret::read(&folder.path().join("missing")).is_err());
}
