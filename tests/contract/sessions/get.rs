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

#[test]
fn a_slash_at_the_end_leads_back() {
    let scene = Scene::new();
    let answer = scene.key().send("GET /sessions/x/", None);
    assert_eq!((answer.status, answer.header("location")), (301, Some("/api/v1/sessions/x")));
    assert_eq!(scene.key().send("GET /sessions/x/y", None).text, "404 page not found");
}
