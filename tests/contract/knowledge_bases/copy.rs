//! POST /knowledge-bases/copy: a mirror of another knowledge base.

use crate::knowledge::a_document;
use crate::scene::Scene;
use serde_json::json;

#[test]
fn a_new_knowledge_base_is_filled_in_the_background() {
    let scene = Scene::new();
    let (kb, id) = a_document(&scene);
    let answer = scene.key().send("POST /knowledge-bases/copy", Some(json!({ "source_id": kb }).to_string()));
    assert_eq!((answer.status, &answer.json), (200, &json!({ "message": "Knowledge base copy successfully", "success": true })));
    let bases = scene.key().send("GET /knowledge-bases", None).json["data"].take();
    let (copy, source) = (&bases[0], &bases[1]);
    assert_eq!((&copy["name"], &copy["chunking_config"]), (&source["name"], &source["chunking_config"]));
    assert_ne!(copy["id"], source["id"]);
    let path = format!("GET /knowledge-bases/{}/knowledge", copy["id"].as_str().expect("an id"));
    let row = knowhost_tests::wait_for("the copy", || {
        let row = scene.key().send(&path, None).json["data"].get(0)?.clone();
        (row["parse_status"] == "completed").then_some(row)
    });
    let original = scene.key().send(&format!("GET /knowledge/{id}"), None).json["data"].take();
    for same in ["title", "file_name", "file_hash", "file_size", "storage_size", "description", "enable_status"] {
        assert_eq!(row[same], original[same], "{same}");
    }
}

#[test]
fn mistakes_are_told_before_anything_is_copied() {
    let scene = Scene::new();
    let own = scene.key().make("POST /knowledge-bases", json!({ "name": "Own" }));
    let theirs = Scene::new().key().make("POST /knowledge-bases", json!({ "name": "Theirs" }));
    for body in [json!({ "source_id": theirs }), json!({ "source_id": own, "target_id": theirs }), json!({ "source_id": "nowhere" })] {
        let answer = scene.key().send("POST /knowledge-bases/copy", Some(body.to_string()));
        assert_eq!((answer.status, &answer.json["error"]["code"]), (404, &json!(1003)), "{body}");
        assert_eq!(answer.json["error"]["message"], "knowledge base not found");
    }
    for body in ["", "{}", r#"{"source_id":7}"#] {
        let answer = scene.key().send("POST /knowledge-bases/copy", Some(body.to_owned()));
        assert_eq!((answer.status, &answer.json["error"]["message"]), (400, &json!("Invalid request parameters")), "{body}");
        assert!(answer.json["error"]["details"].is_string());
    }
    assert_eq!(scene.key().send("GET /knowledge-bases", None).json["data"].as_array().map(Vec::len), Some(1));
}
