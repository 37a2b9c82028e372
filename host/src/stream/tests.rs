//! Writers and readers of answers under way.
//!
//! Not here: what an answer says.

use super::*;
use futures_util::FutureExt;
use std::time::Duration;

fn key(message_id: &str) -> StreamKey {
    StreamKey { session_id: "s".into(), message_id: message_id.into() }
}

fn register(streams: &Streams, message_id: &str) -> StreamWriter {
    streams.register(key(message_id), "req", CancellationToken::new()).expect("there is room")
}

async fn drain(mut reader: StreamReader) -> Vec<StreamEvent> {
    let mut events = Vec::new();
    while let Some(event) = reader.next().await {
        events.push(event);
    }
    events
}

fn answer(text: &str) -> StreamEvent {
    StreamEvent::Answer(text.into())
}

fn done(text: &str) -> StreamEvent {
    StreamEvent::Done(text.into())
}

#[tokio::test]
async fn the_first_reader_gets_every_piece_and_a_late_one_the_sum() {
    let streams = Streams::new();
    let writer = register(&streams, "m");
    let first = streams.read(&key("m")).expect("registered");
    let references = Arc::new(Vec::new());
    writer.references(Arc::clone(&references));
    for piece in ["a", "", "b"] {
        assert!(writer.answer(piece));
    }
    let mut late = streams.follow(&key("m")).expect("registered");
    assert_eq!(late.next().await, Some(StreamEvent::References(Arc::clone(&references))));
    assert_eq!(late.next().await, Some(answer("ab")));
    assert_eq!(late.next().now_or_never(), None);
    assert!(writer.answer("c"));
    assert_eq!(late.next().await, Some(answer("c")));
    assert!(writer.answer(""));
    writer.finish("");
    assert_eq!(late.next().await, Some(done("")));
    assert_eq!(late.next().await, None);
    assert_eq!(
        drain(first).await,
        [StreamEvent::References(references), answer("a"), answer(""), answer("b"), answer("c"), answer(""), done("")]
    );
}

#[tokio::test]
async fn references_that_come_late_reach_a_reader_who_was_early() {
    let streams = Streams::new();
    let writer = register(&streams, "m");
    let mut early = streams.follow(&key("m")).expect("registered");
    assert_eq!(early.next().now_or_never(), None);
    writer.references(Arc::new(vec![]));
    assert!(matches!(early.next().await, Some(StreamEvent::References(_))));
    writer.finish("no idea");
    assert_eq!(early.next().await, Some(done("no idea")));
}

#[tokio::test]
async fn the_last_piece_comes_before_the_end() {
    let streams = Streams::new();
    let writer = register(&streams, "m");
    let reader = streams.follow(&key("m")).expect("registered");
    assert!(writer.answer("only"));
    writer.finish("");
    assert!(!writer.answer("too late"));
    assert_eq!(drain(reader).await, [answer("only"), done("")]);
}

#[tokio::test]
async fn a_dropped_writer_ends_the_answer() {
    let streams = Streams::new();
    let reader = {
        let _writer = register(&streams, "m");
        streams.read(&key("m")).expect("registered")
    };
    assert!(reader.is_finished());
    assert_eq!(drain(reader).await, [done("")]);
}

#[tokio::test]
async fn readers_in_other_tasks_see_all_of_it() {
    let streams = Streams::new();
    let writer = register(&streams, "m");
    let tracker = tokio_util::task::TaskTracker::new();
    let readers: Vec<_> = (0..8)
        .map(|number| {
            let reader = if number % 2 == 0 { streams.read(&key("m")) } else { streams.follow(&key("m")) };
            tracker.spawn(drain(reader.expect("registered")))
        })
        .collect();
    for number in 0..500 {
        assert!(writer.answer(&format!("{number} ")));
        if number % 7 == 0 {
            tokio::task::yield_now().await;
        }
    }
    writer.finish("");
    let whole: String = (0..500).map(|number| format!("{number} ")).collect();
    for reader in readers {
        let events = reader.await.expect("no panic");
        let text: String = events.iter().map(|event| if let StreamEvent::Answer(piece) = event { piece.as_str() } else { "" }).collect();
        assert_eq!(text, whole);
        assert_eq!(events.last(), Some(&done("")));
    }
}

#[test]
fn finished_answers_are_forgotten_after_their_time_and_open_ones_never() {
    let streams = Streams::new();
    let open = register(&streams, "open");
    register(&streams, "ended").finish("");
    let later = |seconds| Instant::now() + Duration::from_secs(seconds);
    sweep(&mut streams.entries(), later(29));
    assert!(streams.follow(&key("ended")).is_some());
    sweep(&mut streams.entries(), later(31));
    assert!(streams.follow(&key("ended")).is_none());
    sweep(&mut streams.entries(), later(100_000));
    assert!(streams.follow(&key("open")).is_some());
    drop(open);
}

#[test]
fn an_answer_is_bounded() {
    let streams = Streams::new();
    let writer = register(&streams, "m");
    let piece = "x".repeat(limits::ANSWER_BYTES_MAX);
    assert!(writer.answer(&piece));
    assert!(!writer.answer("y"));
    assert_eq!(writer.text().len(), limits::ANSWER_BYTES_MAX);
}

#[test]
fn the_number_of_answers_is_bounded_and_ended_ones_make_room() {
    let streams = Streams::new();
    let mut writers: Vec<_> = (0..limits::STREAMS_MAX).map(|number| register(&streams, &number.to_string())).collect();
    assert!(streams.register(key("more"), "req", CancellationToken::new()).is_err());
    writers.pop();
    assert!(streams.register(key("more"), "req", CancellationToken::new()).is_ok());
}

#[test]
fn stop_reaches_what_is_named() {
    let streams = Streams::new();
    let tokens: Vec<CancellationToken> = (0..3).map(|_| CancellationToken::new()).collect();
    let other = StreamKey { session_id: "other".into(), message_id: "c".into() };
    let keys = [key("a"), key("b"), other];
    let writers: Vec<_> = keys.into_iter().zip(&tokens).map(|(key, token)| streams.register(key, "r", token.clone())).collect();
    let stopped = || tokens.iter().map(CancellationToken::is_cancelled).collect::<Vec<_>>();
    assert_eq!(streams.stop("s", Some("a")), 1);
    assert_eq!(stopped(), [true, false, false]);
    assert_eq!(streams.stop("s", None), 2);
    assert_eq!(stopped(), [true, true, false]);
    assert_eq!(streams.open_count(), 3);
    streams.stop_all();
    assert_eq!(stopped(), [true, true, true]);
    drop(writers);
    assert_eq!(streams.stop("s", None), 0);
}
