//! POST /auth/refresh: a new pair of tokens for a refresh token, which is used up.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::{Value, json};

fn login(scene: &Scene) -> Value {
    scene.anonymous().send("POST /auth/login", Some(json!({ "email": scene.email(), "password": "secret12" }).to_string())).json
}

#[test]
fn a_refresh_token_works_once() {
    let scene = Scene::new();
    let body = json!({ "refreshToken": login(&scene)["refresh_token"] });
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/refresh", body.clone()), @r#"
    200
    {
      "access_token": "<token>",
      "message": "Token refreshed successfully",
      "refresh_token": "<token>",
      "success": true
    }
    "#);
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/refresh", body), @r#"
    401
    {
      "error": {
        "code": 1001,
        "details": "refresh token is revoked",
        "message": "Token refresh failed"
      },
      "success": false
    }
    "#);
}

#[test]
fn there_is_nothing_to_log_in_to_when_the_tenant_is_gone() {
    let scene = Scene::new();
    let body = json!({ "refreshToken": login(&scene)["refresh_token"] });
    assert!(scene.key().ask(&format!("DELETE /tenants/{}", scene.tenant_id())).starts_with("200"));
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/refresh", body), @r#"
    401
    {
      "error": {
        "code": 1001,
        "details": "user not found",
        "message": "Token refresh failed"
      },
      "success": false
    }
    "#);
}

#[test]
fn an_access_token_is_no_refresh_token() {
    let scene = Scene::new();
    let body = json!({ "refreshToken": login(&scene)["token"] });
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/refresh", body), @r#"
    401
    {
      "error": {
        "code": 1001,
        "details": "not a refresh token",
        "message": "Token refresh failed"
      },
      "success": false
    }
    "#);
}

#[test]
fn nonsense_and_nothing_are_told_apart() {
    let scene = Scene::new();
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/refresh", json!({ "refreshToken": "a.b.c" })), @r#"
    401
    {
      "error": {
        "code": 1001,
        "details": "invalid refresh token",
        "message": "Token refresh failed"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/refresh", json!({})), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "Key: 'RefreshToken' Error:Field validation for 'RefreshToken' failed on the 'required' tag",
        "message": "Invalid refresh token request"
      },
      "success": false
    }
    "#);
}
