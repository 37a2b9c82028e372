//! GET /initialization/config/{id}: the settings of a knowledge base.

use super::{ABSENT, a_kb, check_refused, data, form, saved};
use crate::scene::Scene;
use serde_json::json;

#[test]
fn a_fresh_knowledge_base_has_no_models() {
    let scene = Scene::new();
    let kb = a_kb(&scene);
    assert_eq!(
        data(&scene, &format!("GET /initialization/config/{kb}"), None),
        json!({
            "hasFiles": false,
            "rerank": { "enabled": false, "modelName": "", "baseUrl": "", "apiKey": "" },
            "multimodal": { "enabled": false },
            "documentSplitting": { "chunkSize": 0, "chunkOverlap": 0, "separators": null },
            "nodeExtract": { "enabled": false },
        })
    );
}

#[test]
fn what_was_saved_is_shown_with_its_keys() {
    let scene = Scene::new();
    let kb = a_kb(&scene);
    data(&scene, &format!("POST /initialization/initialize/{kb}"), Some(&form()));
    let mut expected = saved();
    expected["nodeExtract"] = json!({ "enabled": false });
    assert_eq!(data(&scene, &format!("GET /initialization/config/{kb}"), None), expected);
}

#[test]
fn unknown_foreign_and_malformed_ids_are_one() {
    let scene = Scene::new();
    let foreign = a_kb(&Scene::new());
    for id in [ABSENT, &foreign, "x", "%00", "a'b"] {
        check_refused(&scene, &format!("GET /initialization/config/{id}"), None, 404, 1003, "知识库不存在");
    }
}
