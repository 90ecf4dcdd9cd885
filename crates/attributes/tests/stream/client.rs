//! Following one server or several.

use std::time::{Duration, Instant};

use blockwright_attributes::{
    AttributesClient, AttributesUrl, BuildOutcome, ClientConfig, SubscriberLimits,
};

use crate::fixture::{Followed, Served, Upstream, event, started};

/// What the protocol asks for.
const RECONNECT_WITHIN: Duration = Duration::from_secs(1);

fn config(upstreams: &[&Upstream]) -> ClientConfig {
    ClientConfig::new(upstreams.iter().map(|upstream| upstream.url()).collect())
}

#[tokio::test]
async fn a_server_that_was_away_is_followed_again() {
    let served = Served::start(SubscriberLimits::default()).await;
    let addr = served.addr;
    let mut followed = Followed::start(ClientConfig::new(vec![served.url()]), started);
    served.subscribers(1).await;
    served.feed.publish(&event(1));
    assert_eq!(followed.next_done().await, 1);
    served.stop().await;
    // As long as it takes for the pauses to become long.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let served = Served::start_at(addr, SubscriberLimits::default()).await;
    let back = Instant::now();
    served.subscribers(1).await;
    assert!(back.elapsed() < RECONNECT_WITHIN, "{:?}", back.elapsed());
    served.feed.publish(&event(9));
    assert_eq!(followed.next_done().await, 9);
    served.stop().await;
}

#[tokio::test]
async fn a_broken_connection_is_replaced_within_a_second() {
    let upstream = Upstream::start().await;
    let mut followed = Followed::start(config(&[&upstream]), started);
    for slot in 1..=3 {
        let mut told = upstream.accept().await;
        told.tell(&[event(slot)]).await;
        assert_eq!(followed.next_done().await, slot);
        // In the middle of a frame.
        told.say("id: \ndata: {\"slot\":").await;
        drop(told);
        let broke = Instant::now();
        drop(upstream.accept().await);
        assert!(broke.elapsed() < RECONNECT_WITHIN, "{:?}", broke.elapsed());
    }
}

#[tokio::test]
async fn a_silent_connection_is_replaced() {
    let upstream = Upstream::start().await;
    let config = ClientConfig {
        stale_after: Duration::from_millis(100),
        connect_timeout: Duration::from_millis(100),
        ..config(&[&upstream])
    };
    let mut followed = Followed::start(config, started);
    let mut silent = upstream.accept().await;
    silent.tell(&[event(1)]).await;
    assert_eq!(followed.next_done().await, 1);
    // One that does not even answer.
    let mute = upstream.accept_request().await;
    let mut told = upstream.accept().await;
    told.tell(&[event(2)]).await;
    assert_eq!(followed.next_done().await, 2);
    drop((silent, mute));
}

#[tokio::test]
async fn what_a_silent_connection_says_in_the_last_moment_is_heard() {
    let upstream = Upstream::start().await;
    let config = ClientConfig {
        stale_after: Duration::from_millis(50),
        ..config(&[&upstream])
    };
    let mut followed = Followed::start(config, started);
    let mut silent = upstream.accept().await;
    for slot in 1..=5 {
        let mut next = upstream.accept_request().await;
        silent.tell(&[event(slot)]).await;
        next.answer().await;
        assert_eq!(followed.next_done().await, slot);
        silent = next;
    }
}

#[tokio::test]
async fn of_a_burst_the_newest_is_built() {
    let upstream = Upstream::start().await;
    let newest_alone = |slot| (slot == 200).then_some(BuildOutcome::Overruled);
    let mut followed = Followed::start(config(&[&upstream]), newest_alone);
    let mut told = upstream.accept().await;
    let burst: Vec<_> = (1..=200).map(event).collect();
    told.tell(&burst).await;
    assert_eq!(followed.next_done().await, 200);
    let mut asked = Vec::new();
    while let Ok(slot) = followed.asked.try_recv() {
        asked.push(slot);
    }
    assert!(asked.is_sorted(), "{asked:?}");
    assert_eq!(asked.last(), Some(&200));
}

#[tokio::test]
async fn several_upstreams_count_as_one() {
    let [a, b] = [Upstream::start().await, Upstream::start().await];
    let mut followed = Followed::start(config(&[&a, &b]), started);
    let (mut to_a, mut to_b) = (a.accept().await, b.accept().await);
    to_a.tell(&[event(1), event(2)]).await;
    while followed.next_done().await != 2 {}
    // The other one is behind, and has something of its own in the past.
    let mut past = event(1);
    past.attributes.gas_limit = Some(5);
    to_b.tell(&[event(1), past, event(2), event(3)]).await;
    assert_eq!(followed.next_done().await, 3);
    to_a.tell(&[event(3), event(4)]).await;
    assert_eq!(followed.next_done().await, 4);
    // One alone will do.
    drop((to_a, a));
    to_b.tell(&[event(4), event(5)]).await;
    assert_eq!(followed.next_done().await, 5);
}

#[tokio::test]
async fn an_event_whose_parent_did_not_come_may_come_again() {
    let upstream = Upstream::start().await;
    let mut followed = Followed::start(config(&[&upstream]), |slot| match slot {
        1 => Some(BuildOutcome::UnknownParent),
        _ => Some(BuildOutcome::Refused("no".to_owned())),
    });
    let mut told = upstream.accept().await;
    told.tell(&[event(1)]).await;
    assert_eq!(followed.next_done().await, 1);
    told.tell(&[event(1)]).await;
    assert_eq!(followed.next_done().await, 1);
    told.tell(&[event(2)]).await;
    assert_eq!(followed.next_done().await, 2);
    told.tell(&[event(2), event(3)]).await;
    assert_eq!(followed.next_done().await, 3);
}

#[tokio::test]
async fn what_cannot_be_used_is_passed_over() {
    let upstream = Upstream::start().await;
    let config = ClientConfig {
        event_bytes_max: 4_096,
        ..config(&[&upstream])
    };
    let mut followed = Followed::start(config, started);
    for answer in [
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        upstream.accept_request().await.say(answer).await;
    }
    let mut told = upstream.accept().await;
    told.say("data: {\"slot\":\n\nevent: other\ndata: {}\n\n: comment\n\n")
        .await;
    told.tell(&[event(1)]).await;
    assert_eq!(followed.next_done().await, 1);
    told.say(&format!("data: {}", "x".repeat(5_000))).await;
    let mut told = upstream.accept().await;
    told.tell(&[event(2)]).await;
    assert_eq!(followed.next_done().await, 2);
}

#[test]
fn urls_that_are_none_and_urls_given_twice_are_refused() {
    struct Nobody;
    impl blockwright_attributes::BuildTarget for Nobody {
        fn build(
            &self,
            _: std::sync::Arc<blockwright_attributes::AttributesEvent>,
        ) -> blockwright_attributes::BuildFuture {
            Box::pin(std::future::pending())
        }
    }
    let said = |urls: &[&str]| {
        let urls = urls.iter().map(|url| AttributesUrl::new(*url)).collect();
        let client = AttributesClient::new(ClientConfig::new(urls), std::sync::Arc::new(Nobody));
        client.map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(
        said(&["ftp://x"]),
        "the URL must begin with http:// or https://"
    );
    let twice = ["http://x:9546", "http://x:9546/events"];
    assert_eq!(said(&twice), "x:9546 is named twice");
}
