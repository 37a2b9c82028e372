//! PUT /models/{id}: name, description, parameters and default flag.

use super::remote;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn fields_that_are_not_named_stay() {
    let scene = Scene::new();
    let id = scene.key().make("POST /models", remote("chat-1"));
    assert_snapshot!(scene.key().ask_with(&format!("PUT /models/{id}"), json!({ "description": "Ours" })), @"");
}

#[test]
fn the_default_flag_can_be_taken_away() {
    let scene = Scene::new();
    let id = scene.key().make("POST /models", remote("chat-1"));
    let route = format!("PUT /models/{id}");
    for flag in [true, false] {
        assert_eq!(scene.key().send(&route, Some(json!({ "is_default": flag }).to_string())).json["data"]["is_default"], flag);
        assert_eq!(scene.key().send(&format!("GET /models/{id}"), None).json["data"]["is_default"], flag);
    }
}

#[test]
fn parameters_replace_as_a_whole() {
    let scene = Scene::new();
    let id = scene.key().make("POST /models", remote("chat-1"));
    let body = json!({ "parameters": { "base_url": "https://other.example.com" } });
    let row = scene.key().send(&format!("PUT /models/{id}"), Some(body.to_string())).json["data"].take();
    assert_eq!((&row["parameters"]["base_url"], &row["parameters"]["api_key"]), (&json!("https://other.example.com"), &json!("")));
}

#[test]
fn the_body_is_looked_at_before_the_id() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("PUT /models/x", json!({ "name": 1 })), @"");
    assert_snapshot!(scene.key().ask_with("PUT /models/x", json!({ "name": "y" })), @"");
}
