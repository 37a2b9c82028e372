//! GET /knowledge-bases/{id}: one knowledge base.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn it_is_the_object_that_was_made() {
    let scene = Scene::new();
    let made = scene.key().send("POST /knowledge-bases", Some(json!({ "name": "Harbour" }).to_string())).json["data"].take();
    let got = scene.key().send(&format!("GET /knowledge-bases/{}", made["id"].as_str().expect("an id")), None).json["data"].take();
    assert_eq!(got, made);
}

#[test]
fn unknown_foreign_and_malformed_ids_are_one() {
    let scene = Scene::new();
    let foreign = Scene::new().key().make("POST /knowledge-bases", json!({ "name": "theirs" }));
    let answer = scene.key().ask("GET /knowledge-bases/00000000-0000-4000-8000-000000000000");
    for id in [foreign.as_str(), "x", "copy", "%00"] {
        assert_eq!(scene.key().ask(&format!("GET /knowledge-bases/{id}")), answer, "{id}");
    }
    assert_snapshot!(answer, @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "knowledge base not found"
      },
      "success": false
    }
    "#);
}

#[test]
fn the_list_stands_behind_a_trailing_slash() {
    let scene = Scene::new();
    let answer = scene.key().send("GET /knowledge-bases/", None);
    assert_eq!((answer.status, answer.header("location")), (301, Some("/api/v1/knowledge-bases")));
}
