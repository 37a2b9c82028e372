//! POST /auth/register: a person with a tenant of their own.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_new_person_is_answered_without_tokens() {
    let scene = Scene::new();
    let body = json!({ "username": format!("new{}", scene.username()), "email": format!("new{}", scene.email()), "password": "secret12" });
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", body), @"");
}

#[test]
fn a_taken_address_is_refused_before_a_taken_name() {
    let scene = Scene::new();
    let (name, email) = (scene.username(), scene.email());
    let taken = |username: &str, email: &str| json!({ "username": username, "email": email, "password": "secret12" });
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", taken(&name, &email)), @"");
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", taken(&name, &format!("other{email}"))), @"");
}

#[test]
fn the_rules_of_name_address_and_password_are_told_by_field() {
    let scene = Scene::new();
    let ask = |username: &str, email: &str, password: &str| {
        scene.anonymous().ask_with("POST /auth/register", json!({ "username": username, "email": email, "password": password }))
    };
    assert_snapshot!(ask("ab", "someone@example.com", "secret12"), @"");
    assert_snapshot!(ask(&"a".repeat(51), "someone@example.com", "secret12"), @"");
    assert_snapshot!(ask("someone", "a@b", "secret12"), @"");
    assert_snapshot!(ask("someone", "someone@example.com", "five5"), @"");
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", json!({})), @"");
}

#[test]
fn bcrypt_takes_72_bytes_and_no_more() {
    let scene = Scene::new();
    let body = json!({ "username": "long password", "email": "long@example.com", "password": "x".repeat(73) });
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", body), @"");
}

#[test]
fn no_json_and_wrong_types_are_told() {
    let scene = Scene::new();
    assert_snapshot!(scene.anonymous().ask_raw("POST /auth/register", ""), @"");
    assert_snapshot!(scene.anonymous().ask_raw("POST /auth/register", "{"), @"");
    assert_snapshot!(scene.anonymous().ask_with("POST /auth/register", json!({ "username": 7 })), @"");
}
