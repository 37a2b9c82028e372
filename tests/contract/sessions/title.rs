//! POST /sessions/{id}/generate_title: a title from the first question.

use super::{BROKEN, a_session, check_refusals};
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

#[test]
fn bodies_that_do_not_fit_are_told_in_the_contracts_words() {
    let scene = Scene::new();
    let route = "POST /sessions/x/generate_title";
    check_refusals(scene.key(), route, &BROKEN);
    let refusals = [
        (r#"{"messages":null}"#, "Key: 'GenerateTitleRequest.Messages' Error:Field validation for 'Messages' failed on the 'required' tag"),
        ("[]", "json: cannot unmarshal array into Go value of type handler.GenerateTitleRequest"),
        (r#"{"messages":{}}"#, "json: cannot unmarshal object into Go struct field GenerateTitleRequest.messages of type []types.Message"),
        (r#"{"messages":["x"]}"#, "json: cannot unmarshal string into Go struct field GenerateTitleRequest.messages of type types.Message"),
        (r#"{"messages":[{"role":1}]}"#, "json: cannot unmarshal number into Go struct field Message.messages.role of type string"),
        (r#"{"messages":[{"id":1}]}"#, "json: cannot unmarshal number into Go struct field Message.messages.id of type string"),
        (
            r#"{"messages":[{"is_completed":"x"}]}"#,
            "json: cannot unmarshal string into Go struct field Message.messages.is_completed of type bool",
        ),
        (r#"{"messages":[{"created_at":5}]}"#, "Time.UnmarshalJSON: input is not a JSON string"),
        (
            r#"{"messages":[{"knowledge_references":"x"}]}"#,
            "json: cannot unmarshal string into Go struct field Message.messages.knowledge_references of type types.References",
        ),
    ];
    check_refusals(scene.key(), route, &refusals);
}

#[test]
fn an_empty_list_takes_the_oldest_stored_question() {
    let scene = Scene::new();
    let id = a_session(&scene);
    for question in ["When does the ferry leave?", "And from where?"] {
        scene.caller().ask(&id, question);
    }
    let loaded = scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"].take();
    let answer = scene.key().send(&format!("POST /sessions/{id}/generate_title"), Some(json!({ "messages": [] }).to_string()));
    assert_eq!((answer.status, &answer.json["data"]), (200, &loaded[0]["content"]));
    assert_eq!(scene.key().send(&format!("GET /sessions/{id}"), None).json["data"]["title"], loaded[0]["content"]);
}

#[test]
fn whole_messages_may_be_sent_and_a_title_that_exists_needs_none() {
    let scene = Scene::new();
    let id = a_session(&scene);
    scene.caller().ask(&id, "When does the ferry leave?");
    let messages = scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"].take();
    let route = format!("POST /sessions/{id}/generate_title");
    let title = scene.key().send(&route, Some(json!({ "messages": messages }).to_string())).expect_status(200).json["data"].take();
    let body = json!({ "messages": [{ "role": "assistant", "content": "x" }] }).to_string();
    assert_eq!(scene.key().send(&route, Some(body)).expect_status(200).json["data"], title);
}

#[test]
fn a_missing_model_is_told() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let id =
        scene.key().make("POST /sessions", json!({ "knowledge_base_id": kb_id, "session_strategy": { "summary_model_id": "nobody" } }));
    let body = json!({ "messages": [{ "role": "user", "content": "When?" }] });
    assert_snapshot!(scene.key().ask_with(&format!("POST /sessions/{id}/generate_title"), body), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "model not found"
      },
      "success": false
    }
    "#);
}
