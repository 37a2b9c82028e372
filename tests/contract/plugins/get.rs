//! GET /plugins/{name}: one plugin, for the operator.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn a_shipped_plugin_is_shown_with_what_it_asks_for() {
    let scene = Scene::new();
    let plugin = scene.operator().send("GET /plugins/ollama", None).json["data"].take();
    assert_eq!((&plugin["name"], &plugin["state"]), (&"ollama".into(), &"shipped".into()));
    assert_eq!(plugin["secrets"]["api_key"][0], "{base_url}");
    assert!(plugin["granted"].is_null(), "nobody decided about it");
}

#[test]
fn what_is_not_there_is_not_found() {
    let scene = Scene::new();
    assert_snapshot!(scene.operator().ask("GET /plugins/nobody"), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "there is no plugin nobody"
      },
      "success": false
    }
    "#);
}

#[test]
fn a_tenant_is_no_operator() {
    let scene = Scene::new();
    assert_eq!(scene.key().ask("GET /plugins/ollama"), scene.key().ask("GET /plugins"));
}
