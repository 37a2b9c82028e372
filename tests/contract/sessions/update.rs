//! PUT /sessions/{id}: some fields of a session, or all of them.

use super::{BROKEN, a_session, check_refusals};
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn fields_that_are_not_named_stay() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let before = scene.key().send(&format!("GET /sessions/{id}"), None).json["data"].take();
    let after = scene.key().send(&format!("PUT /sessions/{id}"), Some(json!({ "title": "Ferries" }).to_string())).json["data"].take();
    assert_eq!(after["title"], "Ferries");
    for (name, value) in before.as_object().expect("a session") {
        assert!(matches!(name.as_str(), "title" | "updated_at") || after[name] == *value, "{name}");
    }
}

#[test]
fn a_full_object_sent_back_changes_nothing() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let before = scene.key().send(&format!("GET /sessions/{id}"), None).json["data"].take();
    let mut after = scene.key().send(&format!("PUT /sessions/{id}"), Some(before.to_string())).json["data"].take();
    after["updated_at"] = before["updated_at"].clone();
    assert_eq!(after, before);
}

#[test]
fn it_neither_makes_nor_takes_over_a_session() {
    let scene = Scene::new();
    let foreign = a_session(&Scene::new());
    let unknown = scene.key().ask_with("PUT /sessions/x", json!({ "title": "mine" }));
    assert_eq!(scene.key().ask_with(&format!("PUT /sessions/{foreign}"), json!({ "title": "mine" })), unknown);
    assert_snapshot!(unknown, @r#"
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
    let id = a_session(&scene);
    assert_snapshot!(scene.key().ask_with(&format!("PUT /sessions/{id}"), json!({ "title": 7 })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "json: cannot unmarshal number into Go struct field Session.title of type string"
      },
      "success": false
    }
    "#);
}

#[test]
fn bodies_that_do_not_fit_are_told_in_the_contracts_words() {
    let scene = Scene::new();
    check_refusals(scene.key(), "PUT /sessions/x", &BROKEN);
    let refusals = [
        ("[]", "json: cannot unmarshal array into Go value of type types.Session"),
        (r#"{"description":true}"#, "json: cannot unmarshal bool into Go struct field Session.description of type string"),
        (r#"{"max_rounds":"x"}"#, "json: cannot unmarshal string into Go struct field Session.max_rounds of type int"),
        (
            r#"{"summary_parameters":"x"}"#,
            "json: cannot unmarshal string into Go struct field Session.summary_parameters of type types.SummaryConfig",
        ),
        (
            r#"{"summary_parameters":{"top_k":"x"}}"#,
            "json: cannot unmarshal string into Go struct field SummaryConfig.summary_parameters.top_k of type int",
        ),
        (r#"{"id":1}"#, "json: cannot unmarshal number into Go struct field Session.id of type string"),
        (r#"{"tenant_id":-1}"#, "json: cannot unmarshal number -1 into Go struct field Session.tenant_id of type uint"),
        (r#"{"created_at":1}"#, "Time.UnmarshalJSON: input is not a JSON string"),
        (r#"{"deleted_at":"x"}"#, r#"parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#),
    ];
    check_refusals(scene.key(), "PUT /sessions/x", &refusals);
}

#[test]
fn ids_owner_and_times_are_not_the_clients() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let before = scene.key().send(&format!("GET /sessions/{id}"), None).json["data"].take();
    let time = "2001-01-01T00:00:00Z";
    let body = json!({ "id": "x", "tenant_id": 1, "created_at": time, "updated_at": time, "deleted_at": time, "title": null });
    let mut after = scene.key().send(&format!("PUT /sessions/{id}"), Some(body.to_string())).expect_status(200).json["data"].take();
    assert_ne!(after["updated_at"], time);
    after["updated_at"] = before["updated_at"].clone();
    assert_eq!(after, before);
}

#[test]
fn a_deleted_one_stays_deleted() {
    let scene = Scene::new();
    let id = a_session(&scene);
    scene.key().send(&format!("DELETE /sessions/{id}"), None).expect_status(200);
    assert!(scene.key().ask_with(&format!("PUT /sessions/{id}"), json!({ "title": "again" })).starts_with("404"));
    assert_eq!(scene.key().send("GET /sessions", None).json["total"], 0);
}

#[test]
fn a_strategy_as_the_go_client_sends_it_counts() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let strategy = json!({ "max_rounds": 2, "reranking_threshold": 0.25, "summary_parameters": { "temperature": 0.5 } });
    let body = json!({ "session_strategy": strategy }).to_string();
    let session = scene.key().send(&format!("PUT /sessions/{id}"), Some(body)).expect_status(200).json["data"].take();
    assert_eq!((&session["max_rounds"], &session["rerank_threshold"]), (&json!(2), &json!(0.25)));
    let summary = &session["summary_parameters"];
    assert_eq!((&summary["temperature"], &summary["max_completion_tokens"]), (&json!(0.5), &json!(2048)));
}

#[test]
fn another_base_must_be_ones_own_and_titles_have_a_length() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let foreign = Scene::new().key().make("POST /knowledge-bases", json!({ "name": "theirs" }));
    let put = |body: serde_json::Value| scene.key().send(&format!("PUT /sessions/{id}"), Some(body.to_string())).status;
    assert_eq!(put(json!({ "knowledge_base_id": foreign })), 404);
    assert_eq!(put(json!({ "title": "中".repeat(255) })), 200);
    assert_eq!(put(json!({ "title": "中".repeat(256) })), 400);
    assert_eq!(put(json!({ "summary_parameters": { "context_template": "{{if}}" } })), 400);
}
