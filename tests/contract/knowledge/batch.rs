//! GET /knowledge/batch: many documents by their ids.

use super::a_document;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn those_that_exist_come_once() {
    let scene = Scene::new();
    let (_, id) = a_document(&scene);
    let answer = scene.key().send(&format!("GET /knowledge/batch?ids={id}&ids=unknown&ids={id}&"), None);
    assert_eq!(answer.json["data"].as_array().map(Vec::len), Some(1), "{}", answer.text);
    assert_eq!((&answer.json["data"][0]["id"], &answer.json["success"]), (&json!(id), &json!(true)));
}

#[test]
fn ids_are_needed_but_may_be_empty() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /knowledge/batch"), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "Key: 'GetKnowledgeBatchRequest.IDs' Error:Field validation for 'IDs' failed on the 'required' tag",
        "message": "Invalid request parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask("GET /knowledge/batch?ids="), @r#"
    200
    {
      "data": [],
      "success": true
    }
    "#);
}
