//! GET /auth/validate: whether the bearer token is good, and whose it is.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn a_good_token_shows_its_person() {
    let scene = Scene::new();
    assert_snapshot!(scene.token().ask("GET /auth/validate"), @r#"
    200
    {
      "message": "Token is valid",
      "success": true,
      "user": {
        "id": "<id1>",
        "username": "ann",
        "email": "ann@example.com",
        "avatar": "",
        "tenant_id": "<tenant>",
        "is_active": true,
        "created_at": "<time>",
        "updated_at": "<time>"
      }
    }
    "#);
}

#[test]
fn a_key_is_no_token() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /auth/validate"), @r#"
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

#[test]
fn without_credentials_nothing_is_told() {
    let scene = Scene::new();
    assert_snapshot!(scene.anonymous().ask("GET /auth/validate"), @r#"
    401
    {
      "error": "Unauthorized: missing authentication"
    }
    "#);
}
