//! POST /initialization/ollama/models/check: which of these models are installed.

use super::{check_refused, check_unavailable, data, required};
use crate::scene::Scene;
use serde_json::json;

const ROUTE: &str = "POST /initialization/ollama/models/check";

#[test]
fn nothing_asked_is_nothing_answered() {
    assert_eq!(data(&Scene::new(), ROUTE, Some(&json!({ "models": [] }))), json!({ "models": {} }));
}

#[test]
fn a_list_is_needed_and_a_server_too() {
    let scene = Scene::new();
    check_refused(&scene, ROUTE, Some("{}"), 400, 1000, &required("Models"));
    check_refused(&scene, ROUTE, Some(""), 400, 1000, "EOF");
    check_unavailable(&scene, ROUTE, Some("{\"models\":[\"a\"]}"));
}
