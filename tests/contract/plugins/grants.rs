//! PUT /plugins/{name}/grants: what an allowed plugin may do, within what it asks for.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn shipped_plugins_have_what_they_ask_for() {
    let scene = Scene::new();
    assert_snapshot!(scene.operator().ask_with("PUT /plugins/ollama/grants", json!({ "allowed_hosts": [] })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "ollama ships with this server and has what it asks for"
      },
      "success": false
    }
    "#);
}

#[test]
fn what_is_not_there_gets_nothing() {
    let scene = Scene::new();
    assert_snapshot!(scene.operator().ask_with("PUT /plugins/nobody/grants", json!({})), @r#"
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
    assert_eq!(scene.key().ask_with("PUT /plugins/ollama/grants", json!({})), scene.key().ask("GET /plugins"));
}
