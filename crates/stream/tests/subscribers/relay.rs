//! A server that sends on what somebody else encoded.

use blockwright_flashblocks::{Dialect, Form, FrameEncoder, MetadataDetail, decode_spec};
use blockwright_stream::{FlashblockServer, RelayError, RelayPublisher, RelayedFrame};
use tokio_tungstenite::tungstenite::Message;

use crate::fixture::{Running, answer, config, flashblock, refused, serve, soon, unpack};

/// Somebody else's builder.
struct Upstream {
    encoder: FrameEncoder,
    form: Form,
}

impl Upstream {
    fn frame(&mut self, payload: u8, index: u64) -> RelayedFrame {
        let flashblock = flashblock(payload, index, 16);
        let mut frames = self.encoder.advance(&flashblock).unwrap();
        RelayedFrame {
            payload_id: flashblock.payload_id,
            block_number: flashblock.block_number,
            index,
            frame: frames.encode(self.form, Vec::new()).unwrap().into(),
        }
    }
}

async fn relay(form: Form) -> (Running<RelayPublisher>, Upstream) {
    let (server, publisher) = FlashblockServer::bind_relay(config(), form).await.unwrap();
    let encoder = FrameEncoder::new(false);
    (serve(server, publisher), Upstream { encoder, form })
}

fn bytes(message: &Message) -> &[u8] {
    match message {
        Message::Text(text) => text.as_bytes(),
        Message::Binary(bytes) => bytes,
        other => panic!("expected a frame: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_any_form_are_sent_on_as_they_are_live_replayed_and_resumed() {
    for form in Form::ALL {
        let (mut server, mut upstream) = relay(form).await;
        let mut live = server.client().await;
        let mut frames = Vec::new();
        for (payload, index) in [(1, 0), (1, 1), (2, 0), (2, 1)] {
            let frame = upstream.frame(payload, index);
            server.publisher.publish(frame.clone()).unwrap();
            let message = live.message().await;
            assert_eq!(message.is_text(), form.is_text(), "{form:?}");
            assert_eq!(bytes(&message), frame.frame);
            frames.push(frame.frame);
        }
        let asked = format!("dialect={}&metadata={}", form.dialect(), form.metadata());
        let mut late = server.client_at(&format!("/?{asked}")).await;
        let position = "block_number=1&flashblock_index=0";
        let mut resumed = server.client_at(&format!("/?{asked}&{position}")).await;
        for frame in &frames[2..] {
            assert_eq!(bytes(&late.message().await), frame);
        }
        for frame in &frames[1..] {
            assert_eq!(bytes(&resumed.message().await), frame);
        }
        if form != Form::Spec {
            for encoding in ["brotli", "zstd"] {
                let path = format!("/?encoding={encoding}&{position}");
                let mut packed = server.client_at(&path).await;
                for frame in &frames[1..] {
                    let message = packed.message().await;
                    assert_eq!(unpack(bytes(&message)), *frame);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_relayed_is_refused_with_what_is() {
    let form = Form::new(Dialect::Subblocks, MetadataDetail::Empty);
    let (mut server, mut upstream) = relay(form).await;
    server.publisher.publish(upstream.frame(1, 0)).unwrap();
    for (path, says) in [
        ("/?dialect=v1", "dialect: served here: subblocks\n"),
        ("/?dialect=spec", "dialect: served here: subblocks\n"),
        ("/?metadata=full", "metadata: served here: empty\n"),
    ] {
        let said = answer(&server, path).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
        assert!(said.ends_with(says), "{said}");
    }
    assert_eq!(refused(&server, "/notices").await, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hole_in_what_is_relayed_never_becomes_one_in_the_stream() {
    let (mut server, mut upstream) = relay(Form::default()).await;
    let mut client = server.client().await;
    let frames: Vec<_> = (0..3).map(|index| upstream.frame(1, index)).collect();
    server.publisher.publish(frames[0].clone()).unwrap();
    let payload_id = frames[2].payload_id;
    let hole = server.publisher.publish(frames[2].clone()).unwrap_err();
    let index = 2;
    assert_eq!(hole, RelayError::NotContiguous { payload_id, index });
    let (read, close) = client.drain().await;
    assert_eq!((read, u16::from(close.code)), (vec![(1, 0)], 1013));

    // What would have followed comes too late: the payload is over for everybody.
    let mut again = server.client().await;
    assert!(server.publisher.publish(frames[1].clone()).is_err());
    server.publisher.publish(upstream.frame(2, 0)).unwrap();
    assert_eq!(again.next().await, (2, 0));
    server.publisher.gap();
    let (_, close) = again.drain().await;
    assert_eq!(u16::from(close.code), 1013);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_that_is_none_is_not_sent() {
    let (mut server, mut upstream) = relay(Form::default()).await;
    let mut broken = upstream.frame(1, 0);
    let payload_id = broken.payload_id;
    broken.frame = vec![0xff; 3].into();
    let error = server.publisher.publish(broken).unwrap_err();
    let index = 0;
    assert_eq!(error, RelayError::NotText { payload_id, index });
    let mut client = server.client().await;
    server.publisher.publish(upstream.frame(1, 0)).unwrap();
    assert_eq!(client.next().await, (1, 0));
}

/// A relay knows nothing of what it sends: binary dialects are not looked into either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relayed_hash_chain_arrives_whole() {
    let (mut server, mut upstream) = relay(Form::Spec).await;
    let mut client = server.client().await;
    let mut parent = None;
    for index in 0..3 {
        server.publisher.publish(upstream.frame(1, index)).unwrap();
        let message = client.message().await;
        let read = decode_spec(bytes(&message)).unwrap();
        assert_eq!(read.parent_flash_hash.0, parent);
        parent = Some(read.flash_hash());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_says_whether_the_stream_goes_on_without_a_hole() {
    let (mut server, mut upstream) = relay(Form::default()).await;
    for (payload, index) in [(1, 0), (1, 1)] {
        let frame = upstream.frame(payload, index);
        server.publisher.publish(frame).unwrap();
    }
    server.publisher.gap();
    for (payload, index) in [(2, 0), (2, 1)] {
        let frame = upstream.frame(payload, index);
        server.publisher.publish(frame).unwrap();
    }
    for (query, goes_on) in [
        ("block_number=1&flashblock_index=0", true),
        ("block_number=2&flashblock_index=0", true),
        ("block_number=2&flashblock_index=1", true),
        // Behind it something was lost.
        ("block_number=1&flashblock_index=1", false),
        ("", false),
    ] {
        let url = format!("ws://{}/?{query}", server.addr);
        let connecting = tokio_tungstenite::connect_async(url);
        let (_socket, response) = soon("connecting", connecting).await.unwrap();
        let said = response.headers().contains_key("flashblocks-resumed");
        assert_eq!(said, goes_on, "{query}");
    }
}
