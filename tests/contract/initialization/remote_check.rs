//! POST /initialization/remote/check: tries a chat model.

use super::{check_refused, data};
use crate::scene::Scene;
use serde_json::json;

const ROUTE: &str = "POST /initialization/remote/check";

#[test]
fn name_and_address_are_needed() {
    let missing =
        |field: &str| format!("Key: 'RemoteModelCheckRequest.{field}' Error:Field validation for '{field}' failed on the 'required' tag");
    let both = format!("{}\n{}", missing("ModelName"), missing("BaseURL"));
    check_refused(&Scene::new(), ROUTE, Some("{}"), 400, 1000, &both);
}

#[test]
fn an_address_inside_the_operators_network_is_not_asked() {
    let probe =
        data(&Scene::new(), ROUTE, Some(&json!({ "modelName": "m", "baseUrl": "http://127.0.0.1:9/v1", "apiKey": "sk-secret-key" })));
    let message = probe["message"].as_str().expect("a message");
    assert!(probe["available"] == false && message.starts_with("连接失败: remote-api"), "{probe}");
    assert!(message.contains("KNOWHOST_PRIVATE_HOSTS") && !message.contains("sk-secret-key"), "{message}");
}
