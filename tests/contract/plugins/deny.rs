//! POST /plugins/{name}/deny: a plugin may not run any more.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn what_is_not_there_can_not_be_denied() {
    let scene = Scene::new();
    assert_snapshot!(scene.operator().ask_with("POST /plugins/nobody/deny", json!({})), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "no plugin nobody was allowed"
      },
      "success": false
    }
    "#);
}

#[test]
fn a_tenant_is_no_operator() {
    let scene = Scene::new();
    assert_eq!(scene.key().ask_with("POST /plugins/echo/deny", json!({})), scene.key().ask("GET /plugins"));
}
