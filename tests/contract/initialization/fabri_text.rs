//! POST /initialization/extract/fabri-text: a sample text.

use super::{check_refused, data};
use crate::scene::Scene;
use serde_json::json;

const ROUTE: &str = "POST /initialization/extract/fabri-text";

#[test]
fn a_body_that_does_not_fit_is_refused() {
    for body in ["", "{", "{\"tags\":\"x\"}"] {
        check_refused(&Scene::new(), ROUTE, Some(body), 400, 1000, "生成示例文本请求参数错误");
    }
}

#[test]
fn a_model_that_fails_is_told_in_the_data() {
    let llm = json!({ "source": "remote", "modelName": "m", "baseUrl": "http://127.0.0.1:9" });
    let failed = data(&Scene::new(), ROUTE, Some(&json!({ "tags": [], "llmConfig": llm })));
    assert!(failed["success"] == false && failed["message"].as_str().is_some_and(|text| text.starts_with("remote-api")), "{failed}");
}
