//! DELETE /knowledge/{id}: the document, its chunks, its file, what it takes from the quota.

use super::a_document;
use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn nothing_of_it_is_left() {
    let scene = Scene::new();
    let (kb_id, id) = a_document(&scene);
    let used = || scene.key().send(&format!("GET /tenants/{}", scene.tenant_id()), None).json["data"]["storage_used"].take();
    assert_ne!(used(), 0);
    let route = format!("DELETE /knowledge/{id}");
    assert_snapshot!(scene.key().ask(&route), @r#"
    200
    {
      "message": "Deleted successfully",
      "success": true
    }
    "#);
    assert_snapshot!(scene.key().ask(&route), @r#"
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
    assert_eq!(used(), 0);
    assert_eq!(scene.caller().search(&kb_id, "When does the ferry leave?"), Vec::<serde_json::Value>::new());
    assert!(scene.key().ask(&format!("GET /chunks/{id}")).starts_with("404"));
    assert_eq!(
        scene
            .caller()
            .upload(&kb_id, "ferry.txt", b"The ferry to the island leaves at seven in the morning.")
            .map(|answer| answer.status)
            .ok(),
        Some(200)
    );
    assert_eq!(scene.key().send(&format!("GET /knowledge-bases/{kb_id}/knowledge"), None).json["total"], json!(1));
}
