use futures_util::SinkExt;
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;

use super::*;

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_are_kept_as_they_came_and_pings_answered() {
    let (listener, url) = listener().await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = accept_async(stream).await.unwrap();
        stream.send(Message::text("{\"a\":1}")).await.unwrap();
        stream.send(Message::binary(vec![1, 2, 3])).await.unwrap();
        stream
            .send(Message::Ping(Bytes::from_static(b"?")))
            .await
            .unwrap();
        let pong = stream.next().await.unwrap().unwrap();
        assert_eq!(pong, Message::Pong(Bytes::from_static(b"?")));
        stream
    });
    let before = now_us();
    let recorder = Recorder::connect(&url, WarmMemory::default())
        .await
        .unwrap();
    // Frames come in order, so those before the ping are kept once its answer is here.
    let _stream = server.await.unwrap();
    recorder.check().unwrap();
    let recording = recorder.finish();
    assert_eq!(recording.error, None);
    let bytes: Vec<_> = recording
        .frames
        .iter()
        .map(|frame| &frame.bytes[..])
        .collect();
    assert_eq!(bytes, [&b"{\"a\":1}"[..], &[1, 2, 3]]);
    let times: Vec<_> = recording.frames.iter().map(|frame| frame.at_us).collect();
    assert!(before <= times[0] && times[0] <= times[1], "{times:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_ends_early_says_why() {
    let (listener, url) = listener().await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = accept_async(stream).await.unwrap();
        stream.send(Message::text("only")).await.unwrap();
        stream.close(None).await.unwrap();
        while let Some(Ok(_)) = stream.next().await {}
    });
    let recorder = Recorder::connect(&url, WarmMemory::default())
        .await
        .unwrap();
    server.await.unwrap();
    while !recorder.thread.is_finished() {
        tokio::task::yield_now().await;
    }
    let recording = recorder.finish();
    assert_eq!(recording.frames.len(), 1);
    assert!(recording.error.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_does_not_accept_is_an_error_with_the_url() {
    let (listener, url) = listener().await;
    drop(listener);
    let error = Recorder::connect(&url, WarmMemory::default())
        .await
        .unwrap_err();
    assert!(matches!(error, BenchError::Stream { .. }), "{error}");
    assert!(error.to_string().contains(&url), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_on_their_way_are_waited_for() {
    let (listener, url) = listener().await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = accept_async(stream).await.unwrap();
        stream.send(Message::text("one")).await.unwrap();
        tokio::time::sleep(SILENCE / 2).await;
        stream.send(Message::text("two")).await.unwrap();
        stream
    });
    let recorder = Recorder::connect(&url, WarmMemory::default())
        .await
        .unwrap();
    recorder.silence().await;
    let _stream = server.await.unwrap();
    assert_eq!(recorder.finish().frames.len(), 2);
}
