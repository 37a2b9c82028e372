//! POST /initialization/embedding/test: tries an embedding model.

use super::{check_refused, data, required};
use crate::scene::Scene;
use serde_json::json;

const ROUTE: &str = "POST /initialization/embedding/test";

#[test]
fn source_and_name_are_needed() {
    let both = format!("{}\n{}", required("Source"), required("ModelName"));
    check_refused(&Scene::new(), ROUTE, Some("{}"), 400, 1000, &both);
}

#[test]
fn a_source_that_does_not_exist_is_told() {
    let probe = data(&Scene::new(), ROUTE, Some(&json!({ "source": "magic", "modelName": "m" })));
    assert_eq!(probe, json!({ "available": false, "message": "创建Embedder失败: unsupported embedder source: magic", "dimension": 0 }));
}
