//! Many calls in one instance: what a trap does to its neighbours, back-pressure, cancelling.

use super::support::{always_open, collect, context, ok_response, question, room, row, server};
use crate::domain::{Model, ModelType};
use crate::provider::{ChatDelta, PluginSource, ProviderErrorKind};
use futures_util::StreamExt;
use std::time::Duration;

fn deep_trap(pieces: u64) -> Model {
    let mut model = row("hostile", "deep-trap", ModelType::KnowledgeQA);
    model.parameters.settings.insert("count".into(), pieces.into());
    model
}

fn count_row(url: &str, pieces: u64) -> Model {
    let mut model = row("hostile", "count", ModelType::KnowledgeQA);
    model.parameters.base_url = url.into();
    model.parameters.settings.insert("count".into(), pieces.into());
    model
}

fn numbered(pieces: u64) -> String {
    (0..pieces).map(|piece| format!("{piece} ")).collect()
}

const WAITING: usize = 40;
const STREAMING: usize = 23;

#[tokio::test(flavor = "multi_thread")]
async fn trap_among_64_calls_ends_its_own_call_and_the_others_go_on() {
    let room = std::sync::Arc::new(room(&["hostile"], &[]));
    let (open, gate) = tokio::sync::watch::channel(false);
    let mut server = server(ok_response(&vec![b'x'; 4 << 20]), gate).await;
    // These wait for the head of an answer: no output yet.
    let waiting: Vec<_> = (0..WAITING)
        .map(|_| {
            let (room, model) = (room.clone(), count_row(&server.url, 20));
            tokio::spawn(async move { room.say(&model, "x").await })
        })
        .collect();
    server.requests.wait_for(|count| *count == WAITING).await.unwrap();
    // These have shown their first piece.
    let mut streaming = Vec::new();
    for _ in 0..STREAMING {
        let mut stream = room.chat(&deep_trap(20), "go on").await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), ChatDelta::Text("0 ".into()));
        streaming.push(stream);
    }
    let trapping = room.chat(&deep_trap(5), "trap").await.unwrap();
    assert_eq!(room.instances("hostile"), 1, "all 64 sit in one instance");
    let error = collect(trapping).await.unwrap_err();
    assert!(error.kind == ProviderErrorKind::PluginFault && error.message.contains("as told, after 5 pieces"), "{error}");
    for stream in streaming {
        assert_eq!(format!("0 {}", collect(stream).await.unwrap()), numbered(40));
    }
    open.send(true).unwrap();
    for call in waiting {
        assert_eq!(call.await.unwrap().unwrap(), numbered(20));
    }
    assert_eq!(*server.requests.borrow(), WAITING, "nothing was requested twice");
}

#[tokio::test]
async fn sixty_fifth_call_gets_a_second_instance() {
    let room = room(&["hostile"], &[]);
    let mut streams = Vec::new();
    for _ in 0..65 {
        streams.push(room.chat(&deep_trap(1_000), "go on").await.unwrap());
    }
    assert_eq!(room.instances("hostile"), 2);
    drop(streams);
    assert_eq!(room.instances("hostile"), 1, "an empty instance beyond the first is given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_share_instances_of_a_third_party_plugin() {
    let room = room(&[], &["hostile"]);
    let model = room.plugins.chat_model(&deep_trap(1_000)).unwrap();
    let mut streams = Vec::new();
    for tenant in [1, 2, 3] {
        let context = crate::provider::CallContext { tenant_id: crate::domain::TenantId(tenant), ..context() };
        streams.push(model.chat_stream(&context, question("go on")).await.unwrap());
    }
    assert_eq!(room.instances("hostile"), 3);
}

#[tokio::test]
async fn dropping_the_stream_closes_the_exchange_at_once() {
    let room = room(&["hostile"], &[]);
    let (_open, gate) = tokio::sync::watch::channel(false);
    let mut server = server(ok_response(b""), gate).await;
    let model = count_row(&server.url, 5);
    {
        let mut call = Box::pin(room.chat(&model, "x"));
        tokio::select! {
            _ = &mut call => panic!("the server has not answered"),
            seen = server.requests.wait_for(|count| *count == 1) => { seen.unwrap(); }
        }
    }
    server.abandoned.wait_for(|count| *count == 1).await.unwrap();
    assert_eq!(room.say(&row("hostile", "harmless", ModelType::KnowledgeQA), "x").await.unwrap(), "harmless");
    assert_eq!(room.instances("hostile"), 1, "the instance lives on");
}

#[tokio::test]
async fn cancelled_and_late_calls_end_with_their_reason() {
    let room = room(&["hostile"], &[]);
    let model = room.plugins.chat_model(&deep_trap(100_000)).unwrap();
    let cancelled = context();
    let stream = model.chat_stream(&cancelled, question("go on")).await.unwrap();
    cancelled.cancel.cancel();
    assert_eq!(collect(stream).await.unwrap_err().kind, ProviderErrorKind::Cancelled);
    let short = crate::provider::CallContext { deadline: std::time::Instant::now() + Duration::from_millis(60), ..context() };
    let stream = model.chat_stream(&short, question("go on")).await.unwrap();
    assert_eq!(collect(stream).await.unwrap_err().kind, ProviderErrorKind::Timeout);
}

#[tokio::test]
async fn body_is_read_no_faster_than_its_reader() {
    let room = room(&["hostile"], &[]);
    let server = server(ok_response(&vec![b'x'; 4 << 20]), always_open()).await;
    let mut stream = room.chat(&count_row(&server.url, 30), "x").await.unwrap();
    let mut text = String::new();
    while let Some(delta) = stream.next().await {
        match delta.unwrap() {
            ChatDelta::Text(piece) => text.push_str(&piece),
            ChatDelta::Reasoning(_) | ChatDelta::Tool(_) | ChatDelta::End { .. } => {}
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(text, numbered(30));
}
