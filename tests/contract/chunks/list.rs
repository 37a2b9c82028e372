//! GET /chunks/{knowledge_id}: the text chunks of a document, in their order.

use super::a_chunk;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_page_of_chunks() {
    let scene = Scene::new();
    let (_, knowledge_id, _) = a_chunk(&scene);
    assert_snapshot!(scene.key().ask(&format!("GET /chunks/{knowledge_id}")), @r#"
    200
    {
      "data": [
        {
          "id": "<id1>",
          "tenant_id": "<tenant>",
          "knowledge_id": "<id2>",
          "knowledge_base_id": "<id3>",
          "content": "The ferry to the island leaves at seven in the morning.",
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
        }
      ],
      "page": 1,
      "page_size": 20,
      "success": true,
      "total": 1
    }
    "#);
}

#[test]
fn markup_is_made_harmless_for_display() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Markup" }));
    let id = scene.caller().a_knowledge(&kb_id, "a.txt", b"before <script>alert(1)</script> & <b>\"after\"</b>");
    let list = scene.key().send(&format!("GET /chunks/{id}"), None);
    assert_snapshot!(list.json["data"][0]["content"].as_str().expect("a text"), @"before  &amp; &lt;b&gt;&#34;after&#34;&lt;/b&gt;");
}

#[test]
fn paging_and_unknown_documents() {
    let scene = Scene::new();
    let (_, knowledge_id, _) = a_chunk(&scene);
    assert_snapshot!(scene.key().ask(&format!("GET /chunks/{knowledge_id}?page=2&page_size=5")), @r#"
    200
    {
      "data": [],
      "page": 2,
      "page_size": 5,
      "success": true,
      "total": 1
    }
    "#);
    assert_snapshot!(scene.key().ask(&format!("GET /chunks/{knowledge_id}?page_size=200")), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": null,
        "message": "Key: 'Pagination.PageSize' Error:Field validation for 'PageSize' failed on the 'max' tag"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask("GET /chunks/x"), @r#"
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
