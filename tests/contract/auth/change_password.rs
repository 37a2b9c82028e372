//! POST /auth/change-password: a new password for the old one.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn the_new_password_counts_and_old_tokens_are_dead() {
    let scene = Scene::new();
    let body = json!({ "old_password": "secret12", "new_password": "secret34" });
    assert_snapshot!(scene.token().ask_with("POST /auth/change-password", body), @"");
    assert_snapshot!(scene.token().ask("GET /auth/me"), @"");
    let login = |password: &str| {
        scene.anonymous().send("POST /auth/login", Some(json!({ "email": scene.email(), "password": password }).to_string()))
    };
    assert_eq!((login("secret12").status, login("secret34").status), (401, 200));
}

#[test]
fn a_wrong_old_password_changes_nothing() {
    let scene = Scene::new();
    let body = json!({ "old_password": "secret13", "new_password": "secret34" });
    assert_snapshot!(scene.token().ask_with("POST /auth/change-password", body), @"");
}

#[test]
fn the_rules_come_before_the_caller() {
    let scene = Scene::new();
    let ask = |body| scene.key().ask_with("POST /auth/change-password", body);
    assert_snapshot!(ask(json!({ "old_password": "secret12", "new_password": "five5" })), @"");
    assert_snapshot!(ask(json!({ "old_password": "secret12", "new_password": "secret34" })), @"");
}

#[test]
fn bcrypt_takes_72_bytes_and_no_more() {
    let scene = Scene::new();
    let body = json!({ "old_password": "secret12", "new_password": "x".repeat(73) });
    assert_snapshot!(scene.token().ask_with("POST /auth/change-password", body), @"");
}
