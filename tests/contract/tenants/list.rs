//! GET /tenants: one's own tenant, under `items`.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn only_ones_own_is_listed() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /tenants"), @r#"
    200
    {
      "data": {
        "items": [
          {
            "id": "<tenant>",
            "name": "ann's Workspace",
            "description": "Default workspace",
            "api_key": "<key>",
            "status": "active",
            "retriever_engines": {
              "engines": [
                {
                  "retriever_engine_type": "postgres",
                  "retriever_type": "keywords"
                },
                {
                  "retriever_engine_type": "postgres",
                  "retriever_type": "vector"
                }
              ]
            },
            "business": "",
            "storage_quota": 10737418240,
            "storage_used": 0,
            "created_at": "<time>",
            "updated_at": "<time>",
            "deleted_at": null
          }
        ]
      },
      "success": true
    }
    "#);
}
