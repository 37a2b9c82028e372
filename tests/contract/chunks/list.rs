//! GET /chunks/{knowledge_id}: the text chunks of a document, in their order.

use super::a_chunk;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_page_of_chunks() {
    let scene = Scene::new();
    let (_, knowledge_id, _) = a_chunk(&scene);
    assert_snapshot!(scene.key().ask(&format!("GET /chunks/{knowledge_id}")), @"");
}

#[test]
fn markup_is_made_harmless_for_display() {
    let scene = Scene::new();
    let kb_id = scene.key().make("POST /knowledge-bases", json!({ "name": "Markup" }));
    let id = scene.caller().a_knowledge(&kb_id, "a.txt", b"before <script>alert(1)</script> & <b>\"after\"</b>");
    let list = scene.key().send(&format!("GET /chunks/{id}"), None);
    assert_snapshot!(list.json["data"][0]["content"].as_str().expect("a text"), @"");
}

#[test]
fn paging_and_unknown_documents() {
    let scene = Scene::new();
    let (_, knowledge_id, _) = a_chunk(&scene);
    assert_snapshot!(scene.key().ask(&format!("GET /chunks/{knowledge_id}?page=2&page_size=5")), @"");
    assert_snapshot!(scene.key().ask(&format!("GET /chunks/{knowledge_id}?page_size=200")), @"");
    assert_snapshot!(scene.key().ask("GET /chunks/x"), @"");
}
