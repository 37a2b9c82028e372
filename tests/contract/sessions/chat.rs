//! POST /knowledge-chat/{id}: an answer as a stream of events, its sources first.

use super::a_session;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn sources_come_first_and_done_comes_last() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let answer =
        scene.key().send(&format!("POST /knowledge-chat/{id}"), Some(json!({ "query": "When does the ferry leave?" }).to_string()));
    assert_eq!(
        (answer.status, answer.header("content-type"), answer.header("cache-control")),
        (200, Some("text/event-stream;charset=utf-8"), Some("no-cache"))
    );
    let data: Vec<serde_json::Value> =
        answer.text.lines().filter_map(|line| line.strip_prefix("data:")).map(|data| serde_json::from_str(data).expect("JSON")).collect();
    assert!(answer.text.lines().all(|line| line.is_empty() || line == "event:message" || line.starts_with("data:{")), "{}", answer.text);
    assert_eq!(data[0]["response_type"], "references");
    assert!(data[1..].iter().all(|event| event["response_type"] == "answer" && event["knowledge_references"].is_null()));
    assert_eq!(data.iter().position(|event| event["done"] == true), Some(data.len() - 1));
    let names: Vec<&String> = data[0].as_object().expect("an event").keys().collect();
    assert_eq!(names, ["id", "response_type", "content", "done", "knowledge_references"]);
    let text: String = data.iter().filter_map(|event| event["content"].as_str()).collect();
    assert!(text.contains("seven in the morning"), "{text}");
}

#[test]
fn nothing_found_is_the_fallback_without_sources() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Empty" }));
    let strategy = json!({ "fallback_response": "I do not know.", "embedding_top_k": 10, "rerank_top_k": 5, "vector_threshold": 0.5 });
    let id = scene.key().make("POST /sessions", json!({ "knowledge_base_id": kb_id, "session_strategy": strategy }));
    let answer =
        scene.key().send(&format!("POST /knowledge-chat/{id}"), Some(json!({ "query": "When does the ferry leave?" }).to_string()));
    let shown = scene.filtered(&answer.text);
    assert_snapshot!(shown, @r#"
    event:message
    data:{"id":"<id1>","response_type":"answer","content":"I do not know.","done":true,"knowledge_references":null}
    "#);
}

#[test]
fn mistakes_are_told_before_the_stream_begins() {
    let scene = Scene::new();
    let id = a_session(&scene);
    assert_snapshot!(scene.key().ask_with(&format!("POST /knowledge-chat/{id}"), json!({})), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'CreateKnowledgeQARequest.Query' Error:Field validation for 'Query' failed on the 'required' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with(&format!("POST /knowledge-chat/{id}"), json!({ "query": "" })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'CreateKnowledgeQARequest.Query' Error:Field validation for 'Query' failed on the 'required' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with("POST /knowledge-chat/x", json!({ "query": "When?" })), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "session not found"
      },
      "success": false
    }
    "#);
}
