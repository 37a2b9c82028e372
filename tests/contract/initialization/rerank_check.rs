//! POST /initialization/rerank/check: tries a reranker.

use super::{check_refused, data, required};
use crate::scene::Scene;
use serde_json::json;

const ROUTE: &str = "POST /initialization/rerank/check";

#[test]
fn name_and_address_are_needed() {
    let both = format!("{}\n{}", required("ModelName"), required("BaseURL"));
    check_refused(&Scene::new(), ROUTE, Some("{}"), 400, 1000, &both);
}

#[test]
fn a_failure_is_told_in_its_own_words() {
    let probe = data(&Scene::new(), ROUTE, Some(&json!({ "modelName": "m", "baseUrl": "http://169.254.169.254" })));
    let message = probe["message"].as_str().expect("a message");
    assert!(probe["available"] == false && message.starts_with("重排测试失败: remote-api"), "{probe}");
    assert!(message.contains("no setting opens"), "{message}");
}
