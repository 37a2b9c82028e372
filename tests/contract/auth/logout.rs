//! POST /auth/logout: the end of the presented token and of its pair.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_token_is_dead_afterwards() {
    let scene = Scene::new();
    assert_snapshot!(scene.token().ask_with("POST /auth/logout", json!({})), @r#"
    200
    {
      "message": "Logout successful",
      "success": true
    }
    "#);
    assert_snapshot!(scene.token().ask("GET /auth/me"), @r#"
    401
    {
      "error": "Unauthorized: missing authentication"
    }
    "#);
}

#[test]
fn a_key_has_nothing_to_log_out() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("POST /auth/logout"), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": null,
        "message": "Authorization header is required"
      },
      "success": false
    }
    "#);
}
