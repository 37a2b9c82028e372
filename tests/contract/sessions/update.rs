//! PUT /sessions/{id}: some fields of a session, or all of them.

use super::a_session;
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
