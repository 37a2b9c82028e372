//! DELETE /knowledge-bases/{id}: the base with everything in it.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn it_is_gone_for_every_route() {
    let scene = Scene::new();
    let id = scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour" }));
    let route = format!("DELETE /knowledge-bases/{id}");
    assert_snapshot!(scene.key().ask(&route), @r#"
    200
    {
      "message": "Knowledge base deleted successfully",
      "success": true
    }
    "#);
    assert_snapshot!(scene.key().ask(&route), @r#"
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
    assert_snapshot!(scene.key().ask(&format!("GET /knowledge-bases/{id}/knowledge")), @r#"
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
    assert_snapshot!(scene.key().ask("GET /knowledge-bases"), @r#"
    200
    {
      "data": [],
      "success": true
    }
    "#);
}
