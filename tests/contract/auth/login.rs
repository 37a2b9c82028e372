//! POST /auth/login: an address and a password for a pair of tokens.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_right_password_gives_tokens_person_and_tenant() {
    let scene = Scene::new();
    let body = json!({ "email": scene.email(), "password": "secret12" });
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/login", body), @r#"
    200
    {
      "success": true,
      "message": "Login successful",
      "user": {
        "id": "<id1>",
        "username": "ann",
        "email": "ann@example.com",
        "avatar": "",
        "tenant_id": "<tenant>",
        "is_active": true,
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      },
      "tenant": {
        "id": "<tenant>",
        "name": "ann's Workspace",
        "description": "Default workspace",
        "api_key": "<key>",
        "status": "active",
        "retriever_engines": {
          "engines": [
            {
              "retriever_engine_type": "postgres",
              "retriever_type": "keywords"
            },
            {
              "retriever_engine_type": "postgres",
              "retriever_type": "vector"
            }
          ]
        },
        "business": "",
        "storage_quota": 10737418240,
        "storage_used": 0,
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      },
      "token": "<token>",
      "refresh_token": "<token>"
    }
    "#);
}

#[test]
fn a_wrong_password_and_an_unknown_address_are_told_apart_by_nobody() {
    let scene = Scene::new();
    let wrong = scene.anonymous().ask_with("POST /auth/login", json!({ "email": scene.email(), "password": "secret13" }));
    let unknown = scene.anonymous().ask_with("POST /auth/login", json!({ "email": "nobody@example.com", "password": "secret12" }));
    assert_eq!(wrong, unknown);
    assert_snapshot!(wrong, @r#"
    401
    {
      "success": false,
      "message": "Invalid email or password"
    }
    "#);
}

#[test]
fn a_body_that_breaks_the_rules_is_refused() {
    let scene = Scene::new();
    for (body, problem) in [
        (r#"{}"#, "Email"),
        (r#"{"email":"ann","password":"secret12"}"#, "Email"),
        (r#"{"email":"ann@example.com","password":"short"}"#, "Password"),
        (r#"{"email":"#, "EOF"),
    ] {
        let answer = scene.anonymous().ask_raw("POST /auth/login", body);
        assert!(answer.starts_with("400\n") && answer.contains("1010") && answer.contains("Invalid login parameters"), "{answer}");
        assert!(answer.contains(problem), "{body}: {answer}");
    }
}
