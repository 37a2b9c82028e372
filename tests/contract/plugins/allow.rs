//! POST /plugins/{name}/allow: a waiting plugin may run.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn what_is_not_there_can_not_be_allowed() {
    let scene = Scene::new();
    assert_snapshot!(scene.operator().ask_with("POST /plugins/nobody/allow", json!({})), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "there is no plugin nobody in the plugins folder"
      },
      "success": false
    }
    "#);
}

#[test]
fn a_tenant_is_no_operator() {
    let scene = Scene::new();
    assert_eq!(scene.key().ask_with("POST /plugins/echo/allow", json!({})), scene.key().ask("GET /plugins"));
}
