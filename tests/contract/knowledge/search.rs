//! POST /knowledge-search: what the chat pipeline would cite, without a session.

use super::a_document;
use crate::scene::Scene;
use crate::sessions::{BROKEN, check_refusals};
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

#[test]
fn bodies_that_do_not_fit_are_told_in_the_contracts_words() {
    let scene = Scene::new();
    let route = "POST /knowledge-search";
    check_refusals(scene.key(), route, &BROKEN);
    let tag =
        |field: &str| format!("Key: 'SearchKnowledgeRequest.{field}' Error:Field validation for '{field}' failed on the 'required' tag");
    let both = format!("{}\n{}", tag("Query"), tag("KnowledgeBaseID"));
    let first = "json: cannot unmarshal number into Go struct field SearchKnowledgeRequest.knowledge_base_id of type string";
    let refusals = [
        ("null", both.as_str()),
        (r#"{"query":"","knowledge_base_id":""}"#, &both),
        (r#"{"knowledge_base_id":3,"query":4}"#, first),
        (r#"{"query":"a\u0007b","knowledge_base_id":"x"}"#, "用户查询包含非法内容"),
    ];
    check_refusals(scene.key(), route, &refusals);
}

#[test]
fn a_hit_has_the_fields_of_a_reference_and_others_bases_do_not_exist() {
    let scene = Scene::new();
    let (kb_id, _) = a_document(&scene);
    let body = json!({ "query": "When does the ferry leave?", "knowledge_base_id": kb_id });
    let hits = scene.key().send("POST /knowledge-search", Some(body.to_string())).json["data"].take();
    let id = scene.caller().a_session(&kb_id);
    let cited = scene.caller().ask(&id, "When does the ferry leave?")[0].references().to_vec();
    assert_eq!(hits, json!(cited));
    assert!(Scene::new().key().ask_with("POST /knowledge-search", body).starts_with("404"));
    let blank = json!({ "query": " ", "knowledge_base_id": kb_id });
    assert_eq!(scene.key().send("POST /knowledge-search", Some(blank.to_string())).expect_status(200).json["data"], json!([]));
}
