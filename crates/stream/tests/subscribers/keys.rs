//! With keys, nothing goes to a stranger.

use blockwright_stream::{ApiKey, FlashblockServer, StreamConfig, StreamLimits};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::fixture::{Client, answer, config, refused, soon, start_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_replay_resume_and_notices_need_a_key() {
    let server = start_with(StreamConfig {
        api_keys: vec![ApiKey::new("first"), ApiKey::new("s+cond")],
        ..config()
    })
    .await;
    server.publish(1, 0);
    server.publish(1, 1);
    for path in [
        "/",
        "/?api_key=",
        "/?api_key=wrong",
        "/?api_key=firs",
        "/?replay=block",
        "/?block_number=1&flashblock_index=0",
        "/?dialect=nonsense",
        "/notices",
    ] {
        assert_eq!(refused(&server, path).await, 401, "{path}");
    }
    let said = answer(&server, "/?block_number=9&flashblock_index=9").await;
    assert!(said.contains("www-authenticate: Bearer\r\n"), "{said}");
    assert!(!said.contains("held"), "nothing of the ring: {said}");

    let mut by_query = server.client_at("/?api_key=s%2Bcond").await;
    assert_eq!(by_query.next().await, (1, 0));
    let resumed = "/?block_number=1&flashblock_index=0&api_key=first";
    assert_eq!(server.client_at(resumed).await.next().await, (1, 1));
    let _listener = server.client_at("/notices?api_key=first").await;

    let mut request = format!("ws://{}/", server.addr)
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert("authorization", "Bearer first".parse().unwrap());
    let (socket, _) = soon("connecting", tokio_tungstenite::connect_async(request))
        .await
        .unwrap();
    assert_eq!(Client { socket }.next().await, (1, 0));
}

#[tokio::test]
async fn a_key_that_nobody_can_send_is_refused_and_not_repeated() {
    let error = FlashblockServer::bind(StreamConfig {
        api_keys: vec![ApiKey::new("good"), ApiKey::new("not good")],
        ..config()
    })
    .await
    .unwrap_err();
    let said = error.to_string();
    assert!(said.contains("API key 2"), "{said}");
    assert!(!said.contains("not good"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_has_its_share_of_connections() {
    let server = start_with(StreamConfig {
        api_keys: vec![ApiKey::new("first"), ApiKey::new("second")],
        limits: StreamLimits {
            subscribers_per_key_max: 2,
            ..StreamLimits::default()
        },
        ..config()
    })
    .await;
    server.publish(1, 0);
    let mut one = server.client_at("/?api_key=first").await;
    let _two = server.client_at("/notices?api_key=first").await;
    assert_eq!(refused(&server, "/?api_key=first").await, 429);
    assert_eq!(refused(&server, "/?api_key=third").await, 401);
    let mut other = server.client_at("/?api_key=second").await;
    assert_eq!(other.next().await, (1, 0));
    // A refused query gives its place back.
    assert_eq!(refused(&server, "/?api_key=second&replay=x").await, 400);
    let _third = server.client_at("/?api_key=second").await;

    assert_eq!(one.next().await, (1, 0));
    one.socket.close(None).await.unwrap();
    let freed = async {
        while server.try_client("/?api_key=first").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon("a free place", freed).await;
}
