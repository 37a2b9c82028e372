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
    assert_snapshot!(scene.key().ask_with("POST /knowledge-search", json!({ "query": "ferry", "knowledge_base_id": kb_id })), @"");
}

#[test]
fn both_fields_are_needed() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("POST /knowledge-search", json!({ "query": "ferry" })), @"");
    assert_snapshot!(scene.key().ask_with("POST /knowledge-search", json!({ "knowledge_base_id": "x" })), @"");
    assert_snapshot!(scene.key().ask_with("POST /knowledge-search", json!({ "query": "ferry", "knowledge_base_id": "x" })), @"");
}
