//! GET /test-data: the caller's tenant and knowledge bases.

use super::{a_kb, check_refused, data};
use crate::scene::Scene;
use serde_json::json;

#[test]
fn only_ones_own_is_shown() {
    let scene = Scene::new();
    a_kb(&Scene::new());
    check_refused(&scene, "GET /test-data", None, 404, 1003, "获取知识库信息失败");
    let kb = a_kb(&scene);
    let shown = data(&scene, "GET /test-data", None);
    assert_eq!(shown["tenant"]["id"], scene.tenant_id());
    let ids: Vec<_> = shown["knowledge_bases"].as_array().expect("a list").iter().map(|kb| &kb["id"]).collect();
    assert_eq!(json!(ids), json!([kb]));
}
