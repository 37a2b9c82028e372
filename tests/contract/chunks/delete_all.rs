//! DELETE /chunks/{knowledge_id}: all chunks of a document.

use super::a_chunk;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn the_document_stays_without_chunks() {
    let scene = Scene::new();
    let (kb_id, knowledge_id, _) = a_chunk(&scene);
    let route = format!("DELETE /chunks/{knowledge_id}");
    assert_snapshot!(scene.key().ask(&route), @r#"
    200
    {
      "message": "All chunks under knowledge deleted",
      "success": true
    }
    "#);
    assert!(scene.key().ask(&route).starts_with("200"));
    assert_eq!(scene.caller().search(&kb_id, "ferry island").len(), 0);
    assert!(scene.key().ask(&format!("GET /knowledge/{knowledge_id}")).starts_with("200"));
}

#[test]
fn an_unknown_document_is_told() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("DELETE /chunks/x"), @r#"
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
