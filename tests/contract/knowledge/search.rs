//! POST /knowledge-search: what the chat pipeline would cite, without a session.

use super::a_document;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_question_finds_its_passage() {
    let scene = Scene::new();
    let (kb_id, id) = a_document(&scene);
    let body = json!({ "query": "When does the ferry leave?", "knowledge_base_id": kb_id });
    let hits = scene.key().send("POST /knowledge-search", Some(body.to_string())).json["data"].take();
    assert_eq!((hits.as_array().map(Vec::len), &hits[0]["knowledge_id"]), (Some(1), &json!(id)), "{hits}");
}

#[test]
fn nothing_found_is_an_empty_list() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    assert_snapshot!(scene.key().ask_with("POST /knowledge-search", json!({ "query": "ferry", "knowledge_base_id": kb_id })), @r#"
    200
    {
      "data": [],
      "success": true
    }
    "#);
}

#[test]
fn both_fields_are_needed() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("POST /knowledge-search", json!({ "query": "ferry" })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'SearchKnowledgeRequest.KnowledgeBaseID' Error:Field validation for 'KnowledgeBaseID' failed on the 'required' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with("POST /knowledge-search", json!({ "knowledge_base_id": "x" })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'SearchKnowledgeRequest.Query' Error:Field validation for 'Query' failed on the 'required' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with("POST /knowledge-search", json!({ "query": "ferry", "knowledge_base_id": "x" })), @r#"
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
