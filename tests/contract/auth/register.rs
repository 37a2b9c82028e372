//! POST /auth/register: a person with a tenant of their own.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_new_person_is_answered_without_tokens() {
    let scene = Scene::new();
    let body = json!({ "username": format!("new{}", scene.username()), "email": format!("new{}", scene.email()), "password": "secret12" });
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", body), @r#"
    201
    {
      "success": true,
      "message": "Registration successful",
      "user": {
        "id": "<id1>",
        "username": "newann",
        "email": "newann@example.com",
        "avatar": "",
        "tenant_id": "<tenant>",
        "is_active": true,
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      }
    }
    "#);
}

#[test]
fn a_taken_address_is_refused_before_a_taken_name() {
    let scene = Scene::new();
    let (name, email) = (scene.username(), scene.email());
    let taken = |username: &str, email: &str| json!({ "username": username, "email": email, "password": "secret12" });
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", taken(&name, &email)), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "user with this email already exists",
        "message": "Registration failed"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", taken(&name, &format!("other{email}"))), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "user with this username already exists",
        "message": "Registration failed"
      },
      "success": false
    }
    "#);
}

#[test]
fn the_rules_of_name_address_and_password_are_told_by_field() {
    let scene = Scene::new();
    let ask = |username: &str, email: &str, password: &str| {
        scene.anonymous().ask_with("POST /auth/register", json!({ "username": username, "email": email, "password": password }))
    };
    assert_snapshot!(ask("ab", "someone@example.com", "secret12"), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "Key: 'RegisterRequest.Username' Error:Field validation for 'Username' failed on the 'min' tag",
        "message": "Invalid registration parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(ask(&"a".repeat(51), "someone@example.com", "secret12"), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "Key: 'RegisterRequest.Username' Error:Field validation for 'Username' failed on the 'max' tag",
        "message": "Invalid registration parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(ask("someone", "a@b", "secret12"), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "Key: 'RegisterRequest.Email' Error:Field validation for 'Email' failed on the 'email' tag",
        "message": "Invalid registration parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(ask("someone", "someone@example.com", "five5"), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "Key: 'RegisterRequest.Password' Error:Field validation for 'Password' failed on the 'min' tag",
        "message": "Invalid registration parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", json!({})), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "Key: 'RegisterRequest.Username' Error:Field validation for 'Username' failed on the 'required' tag\nKey: 'RegisterRequest.Email' Error:Field validation for 'Email' failed on the 'required' tag\nKey: 'RegisterRequest.Password' Error:Field validation for 'Password' failed on the 'required' tag",
        "message": "Invalid registration parameters"
      },
      "success": false
    }
    "#);
}

#[test]
fn bcrypt_takes_72_bytes_and_no_more() {
    let scene = Scene::new();
    let body = json!({ "username": "long password", "email": "long@example.com", "password": "x".repeat(73) });
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", body), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "failed to process password",
        "message": "Registration failed"
      },
      "success": false
    }
    "#);
}

#[test]
fn no_json_and_wrong_types_are_told() {
    let scene = Scene::new();
    assert_snapshot!(scene.anonymous().ask_raw("POST /auth/register", ""), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "EOF",
        "message": "Invalid registration parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.anonymous().ask_raw("POST /auth/register", "{"), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "unexpected EOF",
        "message": "Invalid registration parameters"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", json!({ "username": 7 })), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "json: cannot unmarshal number into Go struct field RegisterRequest.username of type string",
        "message": "Invalid registration parameters"
      },
      "success": false
    }
    "#);
}

#[test]
fn an_address_that_is_longer_than_its_column_is_refused() {
    let scene = Scene::new();
    let label = "a".repeat(60);
    let body = json!({ "username": format!("long{}", scene.username()), "email": format!("{0}@{0}.{0}.{0}.{0}.io", label), "password": "secret12" });
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", body), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "failed to create user",
        "message": "Registration failed"
      },
      "success": false
    }
    "#);
}
