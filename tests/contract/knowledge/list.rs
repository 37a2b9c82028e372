//! GET /knowledge-bases/{id}/knowledge: a page of documents, the newest first.

use super::a_document;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn an_empty_base_has_an_empty_page() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    assert_snapshot!(scene.key().ask(&format!("GET /knowledge-bases/{kb_id}/knowledge")), @r#"
    200
    {
      "data": [],
      "page": 1,
      "page_size": 20,
      "success": true,
      "total": 0
    }
    "#);
}

#[test]
fn pages_say_what_they_are() {
    let scene = Scene::new();
    let (kb_id, first) = a_document(&scene);
    let second = scene.caller().a_knowledge(&kb_id, "tide.txt", b"Low tide is at noon.");
    let page = |query: &str| scene.key().send(&format!("GET /knowledge-bases/{kb_id}/knowledge{query}"), None).json;
    let newest = page("?page=1&page_size=1");
    assert_eq!(
        (&newest["data"][0]["id"], &newest["total"], &newest["page"], &newest["page_size"]),
        (&json!(second), &json!(2), &json!(1), &json!(1))
    );
    assert_eq!(page("?page=2&page_size=1")["data"][0]["id"], json!(first));
    assert_eq!(page("?page=9")["data"], json!([]));
    let defaults = page("?page=0&page_size=&unknown=1");
    assert_eq!((&defaults["page"], &defaults["page_size"]), (&json!(1), &json!(20)));
}

#[test]
fn pages_outside_the_rules_are_refused() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let ask = |query: &str| scene.key().ask(&format!("GET /knowledge-bases/{kb_id}/knowledge?{query}"));
    assert_snapshot!(ask("page=-1"), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'Pagination.Page' Error:Field validation for 'Page' failed on the 'min' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(ask("page_size=101"), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'Pagination.PageSize' Error:Field validation for 'PageSize' failed on the 'max' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(ask("page=first"), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "strconv.ParseInt: parsing \"first\": invalid syntax"
      },
      "success": false
    }
    "#);
}
