//! DELETE /chunks/{knowledge_id}/{id}: one chunk.

use super::a_chunk;
use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn it_is_gone_from_list_and_search() {
    let scene = Scene::new();
    let (kb_id, knowledge_id, id) = a_chunk(&scene);
    let route = format!("DELETE /chunks/{knowledge_id}/{id}");
    assert_snapshot!(scene.key().ask(&route), @r#"
    200
    {
      "message": "Chunk deleted",
      "success": true
    }
    "#);
    assert_snapshot!(scene.key().ask(&route), @r#"
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
    assert_snapshot!(scene.key().ask(&format!("GET /chunks/{knowledge_id}")), @r#"
    200
    {
      "data": [],
      "page": 1,
      "page_size": 20,
      "success": true,
      "total": 0
    }
    "#);
    assert_eq!(scene.caller().search(&kb_id, "ferry island").len(), 0);
}
