//! GET /sessions/{id}: one session.

use super::a_session;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn it_is_the_object_of_the_list() {
    let scene = Scene::new();
    let id = a_session(&scene);
    let list = scene.key().send("GET /sessions", None).json["data"].take();
    assert_eq!(scene.key().send(&format!("GET /sessions/{id}"), None).json["data"], list[0]);
}

#[test]
fn unknown_foreign_and_malformed_ids_are_one() {
    let scene = Scene::new();
    let foreign = a_session(&Scene::new());
    let answer = scene.key().ask("GET /sessions/00000000-0000-4000-8000-000000000000");
    for id in [foreign.as_str(), "x", "continue-stream"] {
        assert_eq!(scene.key().ask(&format!("GET /sessions/{id}")), answer, "{id}");
    }
    assert_snapshot!(answer, @r#"
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
