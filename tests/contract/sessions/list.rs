//! GET /sessions: a page of the tenant's sessions, the newest first.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_new_tenant_has_none() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /sessions"), @r#"
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
fn the_newest_comes_first_and_the_total_counts_all() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let ids: Vec<String> = (0..3).map(|_| scene.caller().a_session(&kb_id)).collect();
    let page = scene.key().send("GET /sessions?page=1&page_size=2", None).json;
    assert_eq!((&page["data"][0]["id"], &page["data"][1]["id"], &page["total"]), (&json!(ids[2]), &json!(ids[1]), &json!(3)));
}

#[test]
fn pages_outside_the_rules_are_refused() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /sessions?page=-1"), @r#"
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
    assert_snapshot!(scene.key().ask("GET /sessions?page_size=101"), @r#"
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
}
