//! POST /plugins/{name}/rollback: back to the version that was allowed before.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn what_was_never_allowed_has_nothing_to_go_back_to() {
    let scene = Scene::new();
    assert_snapshot!(scene.operator().ask("POST /plugins/nobody/rollback"), @r#"
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
    assert_eq!(scene.key().ask("POST /plugins/ollama/rollback"), scene.key().ask("GET /plugins"));
}
