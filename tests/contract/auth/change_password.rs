//! POST /auth/change-password: a new password for the old one.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn the_new_password_counts_and_the_old_one_does_not() {
    let scene = Scene::new();
    let body = json!({ "old_password": "secret12", "new_password": "secret34" });
    assert_snapshot!(scene.token().ask_with("POST /auth/change-password", body), @r#"
    200
    {
      "message": "Password changed successfully",
      "success": true
    }
    "#);
    let login = |password: &str| {
        scene.anonymous().send("POST /auth/login", Some(json!({ "email": scene.email(), "password": password }).to_string()))
    };
    assert_eq!((login("secret12").status, login("secret34").status), (401, 200));
}

#[test]
fn a_wrong_old_password_changes_nothing() {
    let scene = Scene::new();
    let body = json!({ "old_password": "secret13", "new_password": "secret34" });
    assert_snapshot!(scene.token().ask_with("POST /auth/change-password", body), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "invalid old password",
        "message": "Password change failed"
      },
      "success": false
    }
    "#);
}

#[test]
fn the_rules_come_before_the_caller() {
    let scene = Scene::new();
    let ask = |body| scene.key().ask_with("POST /auth/change-password", body);
    assert_snapshot!(ask(json!({ "old_password": "secret12", "new_password": "five5" })), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "Key: 'NewPassword' Error:Field validation for 'NewPassword' failed on the 'min' tag",
        "message": "Invalid password change request"
      },
      "success": false
    }
    "#);
    assert_snapshot!(ask(json!({ "old_password": "secret12", "new_password": "secret34" })), @r#"
    401
    {
      "error": {
        "code": 1001,
        "details": "user not found in context",
        "message": "Failed to get user information"
      },
      "success": false
    }
    "#);
}

#[test]
fn bcrypt_takes_72_bytes_and_no_more() {
    let scene = Scene::new();
    let body = json!({ "old_password": "secret12", "new_password": "x".repeat(73) });
    assert_snapshot!(scene.token().ask_with("POST /auth/change-password", body), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "bcrypt: password length exceeds 72 bytes",
        "message": "Password change failed"
      },
      "success": false
    }
    "#);
}
