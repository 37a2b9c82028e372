//! PUT /knowledge-bases/{id}: name, description and how documents are split.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

const SPLIT: &str = r#"{"chunk_size":256,"chunk_overlap":20,"separators":["\n"],"enable_multimodal":false}"#;

fn a_kb(scene: &Scene) -> String {
    let split: serde_json::Value = serde_json::from_str(SPLIT).expect("JSON");
    scene.key().make("POST /knowledge-bases", json!({ "name": "Harbour", "description": "Tides", "chunking_config": split }))
}

#[test]
fn an_empty_config_leaves_the_split_alone() {
    let scene = Scene::new();
    let id = a_kb(&scene);
    assert_snapshot!(scene.key().ask_with(&format!("PUT /knowledge-bases/{id}"), json!({ "name": "Port", "description": "Ships", "config": {} })), @"");
}

#[test]
fn a_part_of_the_config_that_is_sent_replaces_it_whole() {
    let scene = Scene::new();
    let id = a_kb(&scene);
    let body = json!({ "name": "Port", "config": { "chunking_config": { "chunk_size": 100 } } });
    let row = scene.key().send(&format!("PUT /knowledge-bases/{id}"), Some(body.to_string())).json["data"].take();
    assert_eq!(row["chunking_config"], json!({ "chunk_size": 100, "chunk_overlap": 0, "separators": null, "enable_multimodal": false }));
    assert_eq!(row["description"], "Tides");
}

#[test]
fn a_name_is_needed_and_the_owner_comes_first() {
    let scene = Scene::new();
    let id = a_kb(&scene);
    assert_snapshot!(scene.key().ask_with(&format!("PUT /knowledge-bases/{id}"), json!({ "description": "nameless" })), @"");
    assert_snapshot!(scene.key().ask_with("PUT /knowledge-bases/x", json!({})), @"");
}
