//! GET /sessions/continue-stream/{id}: the answer of a message from its beginning.

use super::a_session;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn a_finished_answer_is_json_or_a_stream_as_the_client_asks() {
    let scene = Scene::new();
    let id = a_session(&scene);
    scene.caller().ask(&id, "When does the ferry leave?");
    let messages = scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"].take();
    let message = messages[1]["id"].as_str().expect("an answer");
    let path = format!("/api/v1/sessions/continue-stream/{id}?message_id={message}");
    let json = scene.caller().get(&path).expect("answered");
    assert_eq!((json.status, json.json["done"].as_bool()), (200, Some(true)), "{}", json.text);
    let stream = scene.caller().send(scene.caller().request("GET", &path).header("Accept", "text/event-stream")).expect("answered");
    assert_eq!(stream.header("content-type"), Some("text/event-stream;charset=utf-8"));
    assert!(stream.text.contains("seven in the morning") && stream.text.contains("\"done\":true"), "{}", stream.text);
}

#[test]
fn what_is_missing_is_told() {
    let scene = Scene::new();
    let id = a_session(&scene);
    assert_snapshot!(scene.key().ask(&format!("GET /sessions/continue-stream/{id}")), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Missing message ID"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask(&format!("GET /sessions/continue-stream/{id}?message_id=x")), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "message not found"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask("GET /sessions/continue-stream/x?message_id=y"), @r#"
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
