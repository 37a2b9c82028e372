//! POST /initialization/extract/text-relation: entities and relations of a text.

use super::{check_refused, data};
use crate::scene::Scene;
use serde_json::json;

const ROUTE: &str = "POST /initialization/extract/text-relation";

#[test]
fn text_and_tags_are_needed() {
    let scene = Scene::new();
    for body in ["", "{", "{}", "{\"text\":\"t\"}", "{\"text\":\"\",\"tags\":[\"x\"]}", "{\"text\":\"t\",\"tags\":7}"] {
        check_refused(&scene, ROUTE, Some(body), 400, 1000, "文本关系提取请求参数错误");
    }
    check_refused(&scene, ROUTE, Some("{\"text\":\"t\",\"tags\":[]}"), 400, 1000, "至少需要选择一个关系标签");
    let long = json!({ "text": "字".repeat(5_001), "tags": ["x"] }).to_string();
    check_refused(&scene, ROUTE, Some(&long), 400, 1000, "文本内容长度不能超过5000字符");
}

#[test]
fn a_model_that_fails_is_told_in_the_data() {
    let scene = Scene::new();
    let failed = data(&scene, ROUTE, Some(&json!({ "text": "字".repeat(5_000), "tags": ["x"] })));
    assert_eq!(failed, json!({ "success": false, "message": "unsupported chat model source: " }));
}
