//! POST /sessions/{id}/generate_title: a title from the first question.

use super::a_session;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn the_first_title_stays() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let route = format!("POST /sessions/{id}/generate_title");
    let ask = |question: &str| scene.key().send(&route, Some(json!({ "messages": [{ "role": "user", "content": question }] }).to_string()));
    let first = ask("When does the ferry leave?");
    assert!(first.status == 200 && first.json["data"].as_str().is_some_and(|title| !title.is_empty()), "{}", first.text);
    assert_eq!(ask("How deep is the harbour?").json, first.json);
}

#[test]
fn messages_are_needed_and_one_must_be_a_question() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let route = format!("POST /sessions/{id}/generate_title");
    assert_snapshot!(scene.key().ask_with(&route, json!({})), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'GenerateTitleRequest.Messages' Error:Field validation for 'Messages' failed on the 'required' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with(&route, json!({ "messages": [{ "role": "assistant", "content": "x" }] })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "no user message found"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with(&route, json!({ "messages": [] })), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "record not found"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with("POST /sessions/x/generate_title", json!({ "messages": [] })), @r#"
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
