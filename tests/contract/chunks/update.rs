//! PUT /chunks/{knowledge_id}/{id}: another text, or a chunk switched off.

use super::a_chunk;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_new_text_is_found_and_the_old_one_is_not() {
    let scene = Scene::new();
    let (kb_id, knowledge_id, id) = a_chunk(&scene);
    let body = json!({ "content": "The lighthouse keeper retired in spring." });
    assert_snapshot!(scene.key().ask_with(&format!("PUT /chunks/{knowledge_id}/{id}"), body), @r#"
    200
    {
      "data": {
        "id": "<id1>",
        "tenant_id": "<tenant>",
        "knowledge_id": "<id2>",
        "knowledge_base_id": "<id3>",
        "content": "The lighthouse keeper retired in spring.",
        "chunk_index": 0,
        "is_enabled": true,
        "start_at": 0,
        "end_at": 55,
        "pre_chunk_id": "",
        "next_chunk_id": "",
        "chunk_type": "text",
        "parent_chunk_id": "",
        "relation_chunks": null,
        "indirect_relation_chunks": null,
        "image_info": "",
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      },
      "success": true
    }
    "#);
    assert_eq!(scene.caller().search(&kb_id, "lighthouse keeper").len(), 1);
    assert_eq!(scene.caller().search(&kb_id, "ferry island").len(), 0);
}

#[test]
fn a_chunk_that_is_switched_off_is_not_found() {
    let scene = Scene::new();
    let (kb_id, knowledge_id, id) = a_chunk(&scene);
    for (enabled, hits) in [(false, 0), (true, 1)] {
        let row =
            scene.key().send(&format!("PUT /chunks/{knowledge_id}/{id}"), Some(json!({ "is_enabled": enabled }).to_string())).json["data"]
                .take();
        assert_eq!((&row["is_enabled"], scene.caller().search(&kb_id, "ferry island").len()), (&json!(enabled), hits));
    }
}

#[test]
fn unknown_chunks_other_documents_and_bad_bodies_are_told() {
    let scene = Scene::new();
    let (kb_id, knowledge_id, id) = a_chunk(&scene);
    let other = scene.caller().a_knowledge(&kb_id, "tide.txt", b"Low tide is at noon.");
    assert_snapshot!(scene.key().ask_with(&format!("PUT /chunks/{knowledge_id}/x"), json!({ "content": "x" })), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "Chunk not found"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with(&format!("PUT /chunks/{other}/{id}"), json!({ "content": "x" })), @r#"
    403
    {
      "error": {
        "code": 1002,
        "details": null,
        "message": "No permission to access this chunk"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with(&format!("PUT /chunks/{knowledge_id}/{id}"), json!({ "content": 7 })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "json: cannot unmarshal number into Go struct field UpdateChunkRequest.content of type string"
      },
      "success": false
    }
    "#);
}
