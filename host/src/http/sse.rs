//! Server-sent events in the contract's exact framing.
//!
//! Not here: what the events say (the chat routes).

use super::go_json;
use crate::limits::SSE_KEEP_ALIVE;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::stream::{self, Stream, StreamExt};
use serde::Serialize;
use std::convert::Infallible;
use std::time::Duration;

/// Answers with one frame for each item and closes when the stream ends.
pub fn events<T, S>(items: S) -> Response
where
    T: Serialize + 'static,
    S: Stream<Item = T> + Send + 'static,
{
    let mut response = Response::new(Body::from_stream(frames(items, SSE_KEEP_ALIVE)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream;charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn frames<T, S>(items: S, silence_max: Duration) -> impl Stream<Item = Result<Bytes, Infallible>> + Send
where
    T: Serialize + 'static,
    S: Stream<Item = T> + Send + 'static,
{
    stream::unfold(Box::pin(items), move |mut items| async move {
        let frame = match tokio::time::timeout(silence_max, items.next()).await {
            Ok(Some(item)) => frame(&item),
            Ok(None) => return None,
            Err(_) => Bytes::from_static(b": keep-alive\n\n"),
        };
        Some((Ok(frame), items))
    })
}

/// No space after the colons: known clients compare the event name without trimming.
fn frame<T: Serialize>(item: &T) -> Bytes {
    match go_json::to_vec(item) {
        Ok(json) => {
            let mut frame = Vec::with_capacity(json.len() + 22);
            frame.extend_from_slice(b"event:message\ndata:");
            frame.extend_from_slice(&json);
            frame.extend_from_slice(b"\n\n");
            frame.into()
        }
        Err(error) => {
            tracing::error!(%error, "an event could not be written as JSON");
            Bytes::from_static(b": lost event\n\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn frames_have_no_space_after_the_colons() {
        let response = events(stream::iter([json!({"content": "a\n<b>", "done": false}), json!({"done": true})]));
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream;charset=utf-8");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.expect("ends");
        assert_eq!(
            std::str::from_utf8(&body).expect("UTF-8"),
            "event:message\ndata:{\"content\":\"a\\n\\u003cb\\u003e\",\"done\":false}\n\nevent:message\ndata:{\"done\":true}\n\n"
        );
    }

    #[tokio::test]
    async fn silence_is_bridged_by_a_comment() {
        let (speak, heard) = tokio::sync::oneshot::channel::<&str>();
        let late = stream::once(async { heard.await.unwrap_or_default() });
        let mut frames = Box::pin(frames(late, Duration::from_millis(1)));
        assert_eq!(frames.next().await.expect("a frame"), Ok(Bytes::from_static(b": keep-alive\n\n")));
        speak.send("word").expect("the stream waits");
        while let Some(Ok(frame)) = frames.next().await {
            if frame != ": keep-alive\n\n" {
                assert_eq!(frame, "event:message\ndata:\"word\"\n\n");
                return;
            }
        }
        panic!("the word was lost");
    }
}
