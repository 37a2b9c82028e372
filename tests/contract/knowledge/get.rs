//! GET /knowledge/{id}: one document.

use super::a_document;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn a_document_that_was_read_says_so() {
    let scene = Scene::new();
    let (_, id) = a_document(&scene);
    let shown = scene.key().ask(&format!("GET /knowledge/{id}"));
    let path = shown.lines().find(|line| line.contains("\"file_path\"")).expect("a path").to_owned();
    assert_snapshot!(shown.replace(&path, "    <file_path>"), @r#"
    200
    {
      "data": {
        "id": "<id1>",
        "tenant_id": "<tenant>",
        "knowledge_base_id": "<id2>",
        "type": "file",
        "title": "ferry.txt",
        "description": "The ferry to the island leaves at seven in the morning.",
        "source": "",
        "parse_status": "completed",
        "enable_status": "enabled",
        "embedding_model_id": "",
        "file_name": "ferry.txt",
        "file_type": "txt",
        "file_size": 55,
        "file_hash": "e39df54ba07c6640e2a9f66484171414",
        <file_path>
        "storage_size": 3327,
        "metadata": null,
        "created_at": "<time>",
        "updated_at": "<time>",
        "processed_at": "<time>",
        "error_message": "",
        "deleted_at": null
      },
      "success": true
    }
    "#);
}

#[test]
fn unknown_foreign_and_malformed_ids_are_one() {
    let scene = Scene::new();
    let (_, foreign) = a_document(&Scene::new());
    let answer = scene.key().ask("GET /knowledge/00000000-0000-4000-8000-000000000000");
    for id in [foreign.as_str(), "x", "%00"] {
        assert_eq!(scene.key().ask(&format!("GET /knowledge/{id}")), answer, "{id}");
    }
    assert_snapshot!(answer, @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "knowledge not found"
      },
      "success": false
    }
    "#);
}
