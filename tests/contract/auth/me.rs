//! GET /auth/me: the person behind a token and their tenant.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn person_and_tenant_stand_under_data() {
    let scene = Scene::new();
    assert_snapshot!(scene.token().ask("GET /auth/me"), @r#"
    200
    {
      "data": {
        "tenant": {
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
        },
        "user": {
          "id": "<id1>",
          "username": "ann",
          "email": "ann@example.com",
          "avatar": "",
          "tenant_id": "<tenant>",
          "is_active": true,
          "created_at": "<time>",
          "updated_at": "<time>"
        }
      },
      "success": true
    }
    "#);
}

#[test]
fn a_key_belongs_to_no_person() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /auth/me"), @r#"
    401
    {
      "error": {
        "code": 1001,
        "details": "user not found in context",
        "message": "Failed to get user information"
      },
      "success": false
    }
    "#);
}
