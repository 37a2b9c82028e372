//! The plugin against recorded forms of the service, with bodies cut at every byte.
//!
//! Not here: the service itself in a process of its own; the tests of the server have that.

use super::Jina;
use knowhost_plugin_sdk::testing::{Exchange, Host, same_at_every_cut};
use knowhost_plugin_sdk::{Auth, EmbedRequest, Error, Model, Purpose, RerankRequest, Setting};
use serde_json::json;

const EMBEDDINGS: &str = "https://api.jina.ai/v1/embeddings";
const RERANK: &str = "https://api.jina.ai/v1/rerank";

fn model(settings: &[(&str, &str)]) -> Model {
    let settings = settings.iter().map(|(name, value)| Setting { name: (*name).into(), value: (*value).into() }).collect();
    Model { name: "jina-test".into(), base_url: String::new(), settings }
}

fn texts(purpose: Purpose, dimensions: Option<u32>) -> EmbedRequest {
    EmbedRequest { model: model(&[]), purpose, texts: vec!["茶".into(), "ü".into()], dimensions }
}

fn query(top: Option<u32>) -> RerankRequest {
    RerankRequest { model: model(&[]), query: "q".into(), texts: vec!["a".into(), "b".into(), "c".into()], top }
}

#[test]
fn rows_come_in_the_order_of_the_texts() {
    let body = r#"{"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2.5]}],"usage":{"total_tokens":9}}"#;
    let script = [Exchange::new("POST", EMBEDDINGS).body(body)];
    let found = same_at_every_cut(&script, |host: &mut Host| host.embed::<Jina>(texts(Purpose::Chunk, None))).unwrap();
    assert_eq!((found.dimension, found.data), (2, vec![1.0, 2.5, 3.0, 4.0]));
    assert_eq!(found.usage.unwrap().input_tokens, 9);
}

#[test]
fn request_says_the_purpose_and_names_the_key() {
    let mut host = Host::new([Exchange::new("POST", EMBEDDINGS)]);
    let _ = host.embed::<Jina>(texts(Purpose::Query, Some(64)));
    assert_eq!(host.requests[0].auth, [Auth::Bearer("api_key".into())]);
    let wanted = json!({
        "model": "jina-test", "input": ["茶", "ü"], "embedding_type": "float", "task": "retrieval.query", "dimensions": 64,
    });
    assert_eq!(host.request_json(0), wanted);
    let mut host = Host::new([Exchange::new("POST", EMBEDDINGS)]);
    let _ = host.embed::<Jina>(EmbedRequest { model: model(&[("tasks", "false")]), ..texts(Purpose::Chunk, None) });
    assert!(host.request_json(0).get("task").is_none());
}

#[test]
fn rows_that_do_not_fit_are_errors() {
    for body in [
        "{}",
        r#"{"data":[]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}"#,
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}"#,
        r#"{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}"#,
    ] {
        let mut host = Host::new([Exchange::new("POST", EMBEDDINGS).body(body)]);
        assert!(matches!(host.embed::<Jina>(texts(Purpose::Chunk, None)), Err(Error::Upstream(_))), "{body}");
    }
}

#[test]
fn hits_come_best_first_and_no_more_than_wanted() {
    let body = r#"{"results":[{"index":2,"relevance_score":0.2},{"index":0,"relevance_score":1.3}],"usage":{"total_tokens":5}}"#;
    let script = [Exchange::new("POST", RERANK).body(body)];
    let found = same_at_every_cut(&script, |host: &mut Host| host.rerank::<Jina>(query(Some(2)))).unwrap();
    assert_eq!(found.hits.iter().map(|hit| (hit.index, hit.relevance_score)).collect::<Vec<_>>(), [(0, 1.0), (2, 0.2)]);
    for body in [r#"{"results":[{"index":3,"relevance_score":0}]}"#, r#"{"results":1}"#] {
        let mut host = Host::new([Exchange::new("POST", RERANK).body(body)]);
        assert!(matches!(host.rerank::<Jina>(query(None)), Err(Error::Upstream(_))));
    }
}

#[test]
fn refusals_keep_the_words_of_the_service() {
    for (status, name) in
        [(401, "unauthorised"), (402, "denied"), (404, "not-found"), (413, "too-long"), (422, "invalid"), (500, "upstream")]
    {
        let exchange = Exchange::new("POST", RERANK).status(status).body(r#"{"detail":"because"}"#);
        let error = Host::new([exchange]).rerank::<Jina>(query(None)).unwrap_err();
        let found = match &error {
            Error::Unauthorised(_) => "unauthorised",
            Error::Denied(_) => "denied",
            Error::NotFound(_) => "not-found",
            Error::TooLong(_) => "too-long",
            Error::Invalid(_) => "invalid",
            Error::Upstream(_) => "upstream",
            Error::RateLimited(_) | Error::Unsupported(_) => "other",
        };
        assert_eq!((found, error.text()), (name, format!("the service answered {status}: because").as_str()));
    }
    let limited = Exchange::new("POST", RERANK).status(429).header("Retry-After", "2").body("<html>");
    let error = Host::new([limited]).rerank::<Jina>(query(None)).unwrap_err();
    assert_eq!(error, Error::rate_limited("the service answered 429", Some(2_000)));
}

#[test]
fn nothing_to_do_sends_nothing() {
    let mut host = Host::default();
    assert!(host.embed::<Jina>(EmbedRequest { texts: vec![], ..texts(Purpose::Chunk, None) }).unwrap().data.is_empty());
    assert!(host.rerank::<Jina>(RerankRequest { texts: vec![], ..query(None) }).unwrap().hits.is_empty());
    assert!(host.requests.is_empty());
}
