//! GET /sessions/continue-stream/{id}: the answer of a message from its beginning.

use super::a_session;
use crate::scene::Scene;
use insta::assert_snapshot;
use knowhost_tests::read_events;
use serde_json::json;

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

#[test]
fn checks_come_in_order_and_only_answers_have_streams() {
    let scene = Scene::new();
    let id = a_session(&scene);
    scene.caller().ask(&id, "When does the ferry leave?");
    let messages = scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"].take();
    let question = messages[0]["id"].as_str().expect("a question");
    assert_snapshot!(scene.key().ask(&format!("GET /sessions/continue-stream/{id}?message_id={question}")), @r#"
    404
    {
      "error": "Active stream not found",
      "success": false
    }
    "#);
    let missing = scene.key().ask("GET /sessions/continue-stream/x?message_id=");
    assert!(missing.contains("Missing message ID") && missing.starts_with("400"), "{missing}");
    // Of another session, and of another tenant.
    let answer = messages[1]["id"].as_str().expect("an answer");
    let elsewhere = scene.key().ask(&format!("GET /sessions/continue-stream/{}?message_id={answer}", a_session(&scene)));
    assert!(elsewhere.contains("message not found") && elsewhere.starts_with("404"), "{elsewhere}");
    let foreign = Scene::new().key().ask(&format!("GET /sessions/continue-stream/{id}?message_id={answer}"));
    assert!(foreign.contains("session not found") && foreign.starts_with("404"), "{foreign}");
    scene.key().send(&format!("DELETE /messages/{id}/{answer}"), None).expect_status(200);
    let deleted = scene.key().ask(&format!("GET /sessions/continue-stream/{id}?message_id={answer}"));
    assert!(deleted.contains("message not found") && deleted.starts_with("404"), "{deleted}");
}

#[test]
fn a_finished_answer_has_five_fields_and_its_events_are_those_of_the_question() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let heard = scene.caller().ask(&id, "When does the ferry leave?");
    let message = scene.key().send(&format!("GET /messages/{id}/load"), None).json["data"][1].take();
    let path = format!("/api/v1/sessions/continue-stream/{id}?message_id={}", message["id"].as_str().expect("an answer"));
    let finished = scene.caller().get(&path).expect("answered").expect_status(200);
    assert_eq!(finished.header("content-type"), Some("application/json; charset=utf-8"));
    let whole = json!({
        "content": message["content"], "created_at": message["created_at"], "done": true, "id": message["id"], "role": "assistant",
    });
    assert_eq!(finished.json, whole);
    let stream = scene.caller().send(scene.caller().request("GET", &path).header("Accept", "text/event-stream")).expect("answered");
    let replayed = read_events(&stream.text).expect("events");
    let kinds: Vec<(&str, bool)> = replayed.iter().map(|event| (event.kind(), event.is_done())).collect();
    assert_eq!(kinds, [("references", false), ("answer", false), ("answer", true)]);
    assert_eq!(replayed[0].data, heard[0].data);
    assert_eq!((replayed[1].content(), &replayed[1].data["id"]), (message["content"].as_str().expect("a text"), &message["request_id"]));
    assert_ne!(stream.header("x-request-id"), message["request_id"].as_str());
}
